import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from a2a import __main__ as command
from a2a.dialogue import Study, converse, load_seeds, read_conversations, recorded
from a2a.dialogue.imported import import_conversations
from a2a.dialogue.lines import OthersError
from a2a.dialogue.others import read_others, source_of
from a2a.dialogue.records import RecordError
from a2a.models.scripted import named

PILOTS = Path(__file__).with_name("others")
CLOSED, CRITIC = PILOTS / "OB-A_run01.jsonl", PILOTS / "C_run01.jsonl"


def messages(file):
    """What the speakers of a run said, read without any code of the package."""
    records = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    return [one["content"] for one in records if one["kind"] == "message"]


def run_command(capsys, *arguments):
    code = command.main(["import-conversations", *map(str, arguments)])
    return code, *capsys.readouterr()


def plain(path, *rows):
    """A file of the plain format: rows of conversation, turn, model and text."""
    names = ("conversation", "turn", "model", "text")
    path.write_text("".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows))
    return path


def test_a_run_becomes_a_study_with_its_texts(tmp_path):
    (written,) = import_conversations([CLOSED], tmp_path / "out.jsonl")
    told = recorded(str(written.file))
    assert told.is_complete and told.texts(with_seed=False) == {"OB-A-01": messages(CLOSED)}
    assert told.texts()["OB-A-01"][0].startswith("The following is the complete transcript")
    assert (told.study.name, told.study.turns, told.study.history) == ("OB-A", 6, "all")
    assert (told.study.sampling.temperature, told.study.sampling.max_new_tokens) == (0.8, 400)


def test_its_models_are_named_as_they_were(tmp_path):
    (written,) = import_conversations([CLOSED], tmp_path / "out.jsonl")
    first, second = read_conversations(written.file).study.models
    assert first == second and first.name == "Olmo-3-1125-32B-GGUF:Q4_K_M"
    assert first.describe()["source"] == "hf.co/lmstudio-community/Olmo-3-1125-32B-GGUF:Q4_K_M"


def test_its_outputs_keep_what_the_run_says_of_them(tmp_path):
    (written,) = import_conversations([CLOSED], tmp_path / "out.jsonl")
    first = read_conversations(written.file).outputs[0]
    kept = {name: first[name] for name in ("new_tokens", "prompt_tokens", "finish", "seconds", "seed", "time")}
    assert list(kept.values()) == [10, 66, "stop", 4.85, 41001, "2026-09-10 18:25:15"]


def test_the_file_says_where_it_is_from(tmp_path):
    (written,) = import_conversations([CLOSED], tmp_path / "out.jsonl", source={"licence": "CC-BY-4.0"})
    told = source_of(str(written.file))
    assert told["licence"] == "CC-BY-4.0" and told["left out"] == []
    assert told["files"] == {CLOSED.name: "07675d43909383e3d063746ec9c93bae6bff76989ef38128356e2477981b7f65"}
    assert told["settings"]["mode"] == "raw-completion" and "top_p" in told["not said"]


def test_our_own_studies_are_nobody_elses(tmp_path):
    words = named("words")
    converse(Study("t", words, words, load_seeds()[:1], turns=1), tmp_path / "t.jsonl")
    with pytest.raises(RecordError, match="holds no conversations of others"):
        source_of(str(tmp_path / "t.jsonl"))


def test_what_a_third_participant_said_is_injected(tmp_path):
    (written,) = import_conversations([CRITIC], tmp_path / "out.jsonl")
    told = read_conversations(written.file)
    injected = {one["turn"]: one["injected"] for one in told.outputs if one["injected"]}
    assert list(injected) == [5] and injected[5].startswith("You both keep using metaphors")
    assert told.texts(with_seed=False)["C-01"] == messages(CRITIC)


def test_a_third_participant_that_nobody_answers_is_counted(tmp_path):
    *lines, footer = CLOSED.read_text().splitlines()
    late = [*lines, json.dumps({"kind": "third", "after_turn": 6, "content": "And so?"}), footer]
    (tmp_path / "late.jsonl").write_text("\n".join(late))
    (written,) = import_conversations([tmp_path / "late.jsonl"], tmp_path / "out.jsonl")
    assert source_of(str(written.file))["left out"] == ["left out: 1 of a third participant that no output follows"]


def test_settings_are_studies_of_their_own(tmp_path, capsys):
    code, out, err = run_command(capsys, CLOSED, CRITIC, "-o", tmp_path / "new")
    assert (code, err) == (0, "")
    assert sorted(file.name for file in (tmp_path / "new").iterdir()) == ["C.jsonl", "OB-A.jsonl"]
    assert out.splitlines()[0] == f"{tmp_path / 'new' / 'OB-A.jsonl'}: OB-A, 1 conversation of 6 turns"


def test_one_file_holds_one_setting(tmp_path, capsys):
    code, _, err = run_command(capsys, CLOSED, CRITIC, "-o", tmp_path / "out.jsonl")
    assert code == 2 and err == "a2a: error: out.jsonl holds one setting, got OB-A, C: name a folder instead\n"


def test_nothing_is_written_over(tmp_path, capsys):
    run_command(capsys, CLOSED, "-o", tmp_path / "out.jsonl")
    before = (tmp_path / "out.jsonl").read_bytes()
    code, _, err = run_command(capsys, CLOSED, "-o", tmp_path / "out.jsonl")
    assert code == 2 and "is there already; nothing was written" in err
    assert (tmp_path / "out.jsonl").read_bytes() == before


def test_nothing_is_left_behind_by_an_import_that_fails(tmp_path, capsys):
    torn = tmp_path / "torn.jsonl"
    torn.write_bytes(CLOSED.read_bytes()[:1500])
    code, _, err = run_command(capsys, CLOSED, torn, "-o", tmp_path / "new")
    assert code == 2 and "torn.jsonl, line 5: this isn't JSON" in err
    assert not (tmp_path / "new").exists()


def test_of_longer_conversations_the_first_turns(tmp_path, capsys):
    code, out, _ = run_command(capsys, CLOSED, "-o", tmp_path / "out.jsonl", "--turns", 4)
    told = read_conversations(tmp_path / "out.jsonl")
    assert code == 0 and out.endswith("of 4 turns; left out: 2 later outputs\n")
    assert told.is_complete and told.texts(with_seed=False)["OB-A-01"] == messages(CLOSED)[:4]


def test_shorter_conversations_are_left_out_by_name(tmp_path):
    rows = [("long", 1, "m", "a"), ("long", 2, "m", "b"), ("short", 1, "m", "c")]
    file = plain(tmp_path / "two.jsonl", *rows)
    with pytest.raises(OthersError, match="conversations of two have 1 to 2 outputs: choose a number of turns"):
        import_conversations([file], tmp_path / "out.jsonl")
    (written,) = import_conversations([file], tmp_path / "out.jsonl", turns=2)
    assert written.left_out == ["left out as shorter than 2 outputs: short"]
    assert list(read_conversations(written.file).texts()) == ["long"]


@pytest.mark.parametrize("turns, said", [(-1, "turns must be at least 0"), (7, "has 7 outputs")])
def test_turns_that_there_are_not(turns, said, tmp_path):
    with pytest.raises(ValueError, match=said):
        import_conversations([CLOSED], tmp_path / "out.jsonl", turns=turns)


def changed(line, *replaced):
    """The closed run with something else in one line."""
    lines = CLOSED.read_text().splitlines()
    assert replaced[0] in lines[line - 1]
    lines[line - 1] = lines[line - 1].replace(*replaced)
    return "\n".join(lines)


@pytest.mark.parametrize(
    "content, said",
    [
        ("", "line 1: this isn't JSON"),
        ("[]", "line 1: a record is a JSON object"),
        ("\udcff", "line 1: this isn't JSON"),
        ('{"a": 1}', 'line 1: neither a header nor an output with its "conversation": it has a'),
        ("[" * 100_000, "line 1: "),
        (changed(3, '"turn": 2', '"turn": 5'), "line 3: out of order: the next message is that of Y at turn 2"),
        (changed(3, '"Y"', '"X"'), "line 3: out of order"),
        (changed(4, '"content": "Yeah', '"text": "Yeah'), "line 4: content is None, wanted str"),
        (changed(4, "1.46", "NaN"), "line 4: wall is 'nan', wanted int or float or nothing"),
        (changed(4, '"message"', '"gossip"'), "line 4: no line of a run is of the kind 'gossip'"),
        (changed(8, '"footer"', '"end"'), "line 8: the run has no footer or no message: it is torn"),
        (changed(8, "{", '{"kind": "footer"}\n{'), "line 9: a run ends with its footer, and this comes after it"),
        (changed(1, '"run": 1', '"run": true'), "line 1: run is 'True', wanted int"),
        (changed(1, '"cond": "OB-A"', '"cond": "../OB-A"'), "line 1: cond is '../OB-A', wanted letters"),
        (changed(1, '"temperature": 0.8', '"temperature": -1'), "bad.jsonl: temperature is out of its range: -1.0"),
        ('{"conversation": "a", "turn": 2, "model": "m", "text": "x"}', "the next output of 'a' is that of turn 1"),
        ('{"conversation": "a", "turn": 1, "model": 7, "text": "x"}', "line 1: model is '7', wanted str"),
        ('{"conversation": "a", "turn": 0, "text": "x"}', "no conversation of bad has 1 outputs"),
    ],
)
def test_a_file_that_is_none_is_one_line(content, said, tmp_path, capsys):
    file = tmp_path / "bad.jsonl"
    file.write_bytes(content.encode("utf-8", "surrogateescape"))
    code, out, err = run_command(capsys, file, "-o", tmp_path / "out.jsonl")
    assert (code, out, err.count("\n")) == (2, "", 1) and said in err
    assert [one.name for one in tmp_path.iterdir()] == ["bad.jsonl"]


def test_what_is_no_file_is_told(tmp_path, capsys):
    assert "isn't a file" in run_command(capsys, tmp_path, "-o", tmp_path / "out.jsonl")[2]
    assert "no conversations at" in run_command(capsys, tmp_path / "none", "-o", tmp_path / "out.jsonl")[2]


def test_runs_of_unlike_settings_make_no_study(tmp_path):
    warmer = tmp_path / "warm.jsonl"
    warmer.write_text(changed(1, '"run": 1, "seed": 41001', '"run": 2, "seed": 41002').replace("0.8", "0.9"))
    with pytest.raises(OthersError, match="not the same settings"):
        import_conversations([CLOSED, warmer], tmp_path / "out.jsonl")


def test_a_run_twice_makes_no_study(tmp_path):
    with pytest.raises(OthersError, match="have the same name"):
        import_conversations([CLOSED, shutil.copy(CLOSED, tmp_path / "again.jsonl")], tmp_path / "out.jsonl")


def test_a_plain_file_begins_with_or_without_an_opening(tmp_path):
    rows = [("a", 0, "", "Once"), ("b", 1, "m", "One"), ("a", 1, "m", "upon"), ("a", 2, "n", "a"), ("b", 2, "n", "two")]
    (written,) = import_conversations([plain(tmp_path / "p.jsonl", *rows)], tmp_path / "out.jsonl")
    told = read_conversations(written.file)
    assert told.texts() == {"a": ["Once", "upon", "a"], "b": ["", "One", "two"]}
    assert [model.name for model in told.study.models] == ["m", "n"]
    assert source_of(str(written.file))["not said"][0] == "temperature"


def test_a_plain_file_whose_turns_change_hands_makes_no_study(tmp_path):
    file = plain(tmp_path / "p.jsonl", ("a", 1, "m", "x"), ("a", 2, "n", "y"), ("a", 3, "other", "z"))
    with pytest.raises(OthersError, match="odd turns have one writer, got m, other"):
        import_conversations([file], tmp_path / "out.jsonl")


def test_a_key_in_somebody_elses_text_is_not_written(tmp_path):
    key = "sk-abcdefghijklmnop0123456789"
    file = plain(tmp_path / "p.jsonl", ("a", 1, "m", f"my key is {key}"), ("a", 2, "m", "thanks"))
    (written,) = import_conversations([file], tmp_path / "out.jsonl")
    assert key not in written.file.read_text()
    assert read_conversations(written.file).texts()["a"] == ["", "my key is [removed]", "thanks"]


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 4).flatmap(
        lambda turns: st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
            st.lists(st.text(max_size=40), min_size=turns, max_size=turns),
            min_size=1,
            max_size=4,
        )
    )
)
def test_any_texts_come_back_as_they_were(tmp_path_factory, told):
    folder = tmp_path_factory.mktemp("told")
    rows = [(name, turn, "m", text) for name, texts in told.items() for turn, text in enumerate(texts, start=1)]
    (written,) = import_conversations([plain(folder / "p.jsonl", *rows)], folder / "out.jsonl")
    assert read_conversations(written.file).texts(with_seed=False) == told


def test_a_last_line_feed_makes_no_difference(tmp_path):
    (tmp_path / "x.jsonl").write_text(CLOSED.read_text().rstrip("\n"))
    (whole,), (cut,) = read_others(CLOSED), read_others(tmp_path / "x.jsonl")
    assert whole.outputs == cut.outputs and whole.sha256 != cut.sha256
