import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2a.dialogue import Seed, Study, converse, read_conversations
from a2a.dialogue.studyfile import RecordError, StudyFile, plan
from a2a.dialogue.turns import derived_seed, prompt
from a2a.models import Sampling, load_model
from a2a.models.scripted import ScriptedModel
from a2a.sealed import sealed, unsealed

SEEDS = [Seed(f"s-{i:02}", "s", f"Seed {i}.") for i in range(7)]


def study(**changes):
    models = {"first": load_model("scripted:words"), "second": load_model("scripted:echo")}
    return Study(**{"name": "test", **models, "seeds": SEEDS, "turns": 5, **changes})


def without_times(file):
    records = [json.loads(line) for line in file.read_bytes().splitlines()]
    return [{key: record[key] for key in record if key not in ("time", "seconds", "digest")} for record in records]


def test_each_reads_what_the_other_wrote():
    first = ScriptedModel(lambda text, seed: f"{text}a", "A")
    second = ScriptedModel(lambda text, seed: f"{text}b", "B")
    told = converse(study(first=first, second=second, turns=4))
    assert told.texts()["s-03"] == ["Seed 3.", "Seed 3.a", "Seed 3.ab", "Seed 3.aba", "Seed 3.abab"]
    assert [output["model"] for output in told.outputs if output["conversation"] == "s-03"] == ["A", "B", "A", "B"]


@pytest.mark.parametrize(
    ("history", "read", "numbers"),
    [
        (1, "three", [3]),
        (2, "two three", [2, 3]),
        ("all", "zero one two three", [0, 1, 2, 3]),
        (9, "zero one two three", [0, 1, 2, 3]),
    ],
)
def test_history(history, read, numbers):
    assert prompt(["zero", "one", "two ", "three"], history) == (read, numbers)


def test_an_empty_output_is_passed_over():
    assert prompt(["zero", "one", " \n", ""], 1) == ("one", [1])
    quiet = ScriptedModel(lambda text, seed: "")
    told = converse(study(first=quiet, turns=3))
    assert told.counts()["empty"] == 14
    assert {tuple(output["read"]) for output in told.outputs if output["turn"] == 3} == {(2,)}


def test_only_some_conversations():
    told = converse(study(turns=3))
    some = told.only(told.ids[1:3])
    assert some.texts() == {name: told.texts()[name] for name in told.ids[1:3]}
    assert some.is_complete and some.study.models == told.study.models


def test_batches_write_the_same_as_all_at_once():
    texts = [converse(study(batch=batch)).texts() for batch in (None, 1, 3)]
    assert texts[0] == texts[1] == texts[2]


def test_order_of_work():
    sizes = [(turn, len(ids)) for turn, ids in plan(study(batch=3, turns=2))]
    assert sizes == [(1, 3), (2, 3), (1, 3), (2, 3), (1, 1), (2, 1)]


def test_seeds_of_the_study_change_everything():
    assert converse(study(seed=1)).texts() != converse(study(seed=2)).texts()


def test_derived_seeds_are_stable_and_distinct():
    assert derived_seed(0, "s-01", 1, 1) == derived_seed(0, "s-01", 1, 1) < 2**32
    made = {derived_seed(0, name, turn, 1) for name in ("s-01", "s-011") for turn in (1, 11)}
    assert len(made) == 4


def test_every_turn_says_how_it_was_made(tmp_path):
    converse(study(), tmp_path / "t.jsonl")
    output = read_conversations(tmp_path / "t.jsonl").outputs[9]
    assert output["sampling"] == Sampling().as_dict()
    assert (output["conversation"], output["turn"], output["read"]) == ("s-02", 2, [1])
    assert {"seed", "time", "seconds", "prompt_tokens", "new_tokens", "finish", "model", "size"} <= output.keys()


def test_file_and_memory_hold_the_same(tmp_path):
    told = converse(study(), tmp_path / "t.jsonl")
    assert read_conversations(tmp_path / "t.jsonl") == told
    assert told.is_complete
    assert told.texts() == converse(study()).texts()


@given(cut=st.floats(0, 1), batch=st.sampled_from([None, 1, 3]))
def test_a_file_cut_anywhere_is_completed(tmp_path_factory, cut, batch):
    folder = tmp_path_factory.mktemp("cut")
    converse(study(batch=batch), folder / "whole.jsonl")
    content = (folder / "whole.jsonl").read_bytes()
    kept = int(cut * len(content))
    (folder / "cut.jsonl").write_bytes(content[: kept if kept > 20 else 0])
    converse(study(batch=batch), folder / "cut.jsonl")
    assert without_times(folder / "cut.jsonl") == without_times(folder / "whole.jsonl")


def test_stopping_early_and_going_on(tmp_path):
    stopped = converse(study(), tmp_path / "a.jsonl", until=lambda told: len(told.outputs) > 0)
    assert len(stopped.outputs) == 7
    assert not stopped.is_complete
    converse(study(), tmp_path / "a.jsonl")
    converse(study(), tmp_path / "b.jsonl")
    assert without_times(tmp_path / "a.jsonl") == without_times(tmp_path / "b.jsonl")


def test_what_is_there_of_a_block_stays_as_it_is(tmp_path):
    converse(study(), tmp_path / "t.jsonl")
    content = (tmp_path / "t.jsonl").read_bytes()
    kept = b"".join(content.splitlines(keepends=True)[:11])  # the study, seven outputs, three of the next seven
    (tmp_path / "t.jsonl").write_bytes(kept + b'{"record": "out')
    assert len(read_conversations(tmp_path / "t.jsonl").outputs) == 7
    stopped = converse(study(), tmp_path / "t.jsonl", until=lambda told: True)
    assert len(stopped.outputs) == 7
    again = converse(study(), tmp_path / "t.jsonl")
    assert (tmp_path / "t.jsonl").read_bytes().startswith(kept) and again.is_complete
    assert again.texts() == converse(study()).texts()


def test_a_whole_last_line_without_its_end_counts(tmp_path):
    converse(study(), tmp_path / "t.jsonl")
    content = (tmp_path / "t.jsonl").read_bytes()
    (tmp_path / "t.jsonl").write_bytes(content[:-1])
    assert read_conversations(tmp_path / "t.jsonl").is_complete


@pytest.mark.parametrize("content", [b"a letter", b'{"a": 1}', b'{"record": "output"}\n'])
def test_a_file_of_somebody_else_s_is_left_alone(tmp_path, content):
    (tmp_path / "t.jsonl").write_bytes(content)
    with pytest.raises(RecordError, match="line 1"):
        converse(study(), tmp_path / "t.jsonl")
    assert (tmp_path / "t.jsonl").read_bytes() == content


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"t\.jsonl"):
        read_conversations(tmp_path / "t.jsonl")


def test_a_whole_study_is_left_alone(tmp_path):
    converse(study(), tmp_path / "t.jsonl")
    before = (tmp_path / "t.jsonl").read_bytes()
    converse(study(first=ScriptedModel(lambda text, seed: 1 / 0, "scripted:words")), tmp_path / "t.jsonl")
    assert (tmp_path / "t.jsonl").read_bytes() == before


def test_another_study_is_refused(tmp_path):
    converse(study(), tmp_path / "t.jsonl")
    with pytest.raises(RecordError, match="another study: seed was 0 and is now 1; turns was 5 and is now 6"):
        converse(study(seed=1, turns=6), tmp_path / "t.jsonl")


def test_two_writers_are_refused(tmp_path):
    with (
        StudyFile(tmp_path / "t.jsonl").going_on(study()),
        pytest.raises(RecordError, match="another process"),
    ):
        converse(study(), tmp_path / "t.jsonl")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda lines: [*lines[:3], b"{oops", *lines[3:]], "line 4: this isn't JSON"),
        (lambda lines: lines[1:], "line 1: a journal of conversations starts with a study"),
        (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], "line 2: out of order"),
        (lambda lines: [*lines, lines[-1]], "line 37: the study has no more outputs"),
        (lambda lines: [], "holds no study"),
        (
            lambda lines: [*lines[:2], sealed({**unsealed(lines[2]), "text": None})],
            "line 3: text is None, wanted str",
        ),
        (lambda lines: [*lines[:2], sealed({"turn": 1})], "line 3: 'conversation' is missing"),
        (lambda lines: [*lines[:2], b'{"conversation": "s-01", "turn": 1}'], "line 3: the record has no digest"),
        (
            lambda lines: [*lines[:2], lines[2].replace(b'"text": "', b'"text": "x')],
            "line 3: the record isn't as it was",
        ),
        (lambda lines: [*lines[:2], b"null"], "line 3: a record is a JSON object"),
    ],
)
def test_a_spoilt_file_is_refused(tmp_path, spoil, message):
    converse(study(), tmp_path / "t.jsonl")
    lines = (tmp_path / "t.jsonl").read_bytes().splitlines()
    (tmp_path / "t.jsonl").write_bytes(b"".join(line + b"\n" for line in spoil(lines)))
    with pytest.raises(RecordError, match=message):
        read_conversations(tmp_path / "t.jsonl")


def spoil(file, line, **changes):
    """Change a record and seal it anew, as somebody would who knows the format."""
    lines = file.read_bytes().splitlines()
    lines[line - 1] = sealed({**unsealed(lines[line - 1]), **changes})
    file.write_bytes(b"".join(one + b"\n" for one in lines))


@pytest.mark.parametrize(
    ("history", "line", "shows"), [(1, 2, 9), (1, 9, 16), (3, 9, 16), ("all", 2, 9), ("all", 8, 15)]
)
def test_an_edited_text_shows_at_the_first_output_that_read_it(tmp_path, history, line, shows):
    converse(study(history=history), tmp_path / "t.jsonl")
    spoil(tmp_path / "t.jsonl", line, text="Something else.")
    with pytest.raises(RecordError, match=rf"t\.jsonl, line {shows}: its model was asked something else"):
        read_conversations(tmp_path / "t.jsonl")


def test_an_edited_seed_sentence_shows_at_the_first_output_that_read_it(tmp_path):
    converse(study(), tmp_path / "t.jsonl")
    seeds = [{"id": seed.id, "category": seed.category, "text": seed.text.upper()} for seed in SEEDS]
    spoil(tmp_path / "t.jsonl", 1, seeds=seeds)
    with pytest.raises(RecordError, match="line 2: its model was asked something else"):
        read_conversations(tmp_path / "t.jsonl")


def test_swapped_texts_show(tmp_path):
    converse(study(), tmp_path / "t.jsonl")
    texts = read_conversations(tmp_path / "t.jsonl").texts()
    spoil(tmp_path / "t.jsonl", 2, text=texts["s-01"][1])
    spoil(tmp_path / "t.jsonl", 3, text=texts["s-00"][1])
    with pytest.raises(RecordError, match="line 9: its model was asked something else"):
        read_conversations(tmp_path / "t.jsonl")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"seed": 1}, "asked something else"),
        ({"asked": "0" * 32}, "asked something else"),
        ({"injected": "A goat."}, "asked something else"),
        ({"read": [5]}, "asked something else"),
        ({"read": None}, "asked something else"),
        ({"asked": None}, "asked something else"),
        ({"model": "another"}, "its model or its sampling"),
        ({"size": 7}, "its model or its sampling"),
        ({"sampling": {**Sampling().as_dict(), "temperature": 0.1}}, "its model or its sampling"),
        ({"sampling": []}, "its model or its sampling"),
        *(
            ({name: []}, f"{name} is \\[\\], wanted")
            for name in ("text", "seed", "size", "injected", "seconds", "time")
        ),
        ({"attempts": True}, "attempts is True, wanted int"),
        ({"prompt_tokens": "9"}, "prompt_tokens is '9', wanted int or NoneType"),
    ],
)
def test_an_output_that_is_not_what_the_study_asked_for_is_named(tmp_path, change, says):
    converse(study(), tmp_path / "t.jsonl")
    spoil(tmp_path / "t.jsonl", 9, **change)
    with pytest.raises(RecordError, match=rf"t\.jsonl, line 9: .*{says}"):
        read_conversations(tmp_path / "t.jsonl")


def test_hostile_text_is_kept_as_it_is(tmp_path):
    hostile = [
        "<script>alert(1)</script>",
        "a\u2028b\x00c\r\nd",
        "\ud800 half a pair",
        "x" * 100_000,
        "\u202ebackwards",
    ]
    model = ScriptedModel(lambda text, seed: hostile[seed % 5])
    told = converse(study(first=model, second=model), tmp_path / "t.jsonl")
    assert {output["text"] for output in told.outputs} <= set(hostile)
    assert read_conversations(tmp_path / "t.jsonl") == told


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"turns": 0}, "turns and batch"),
        ({"batch": 0}, "turns and batch"),
        ({"history": 0}, "history"),
        ({"seeds": []}, "seed sentences"),
        ({"seeds": [SEEDS[0], SEEDS[0]]}, "seed sentences"),
    ],
)
def test_studies_that_make_no_sense(wrong, message):
    with pytest.raises(ValueError, match=message):
        study(**wrong)


def test_progress_bar_is_off_unless_asked_for(capfd):
    converse(study())
    assert capfd.readouterr() == ("", "")
    converse(study(), progress=True)
    assert "35/35" in capfd.readouterr().err
