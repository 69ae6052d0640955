import math
from dataclasses import replace

import numpy as np
import pytest

from a2a.dialogue import Study, converse, load_seeds, score
from a2a.models import load_model
from a2a.models.perplexity import perplexity
from a2a.models.recorded import RecordedModel


@pytest.fixture(scope="module")
def pair(folders):
    return [load_model(str(folders[name])) for name in sorted(folders)]


@pytest.fixture(scope="module")
def told(pair, tmp_path_factory):
    folder = tmp_path_factory.mktemp("conversations")
    return converse(Study("main", *pair, load_seeds()[:3], turns=4), folder / "main.jsonl")


def test_each_output_is_scored_by_the_model_that_did_not_write_it(told, pair):
    rows = score.score(told, *pair)
    assert len(rows) == 12
    for _, conversation, turn, reader, value in rows:
        text = told.texts()[conversation][turn]
        other = pair[turn % 2]  # the first model wrote the odd turns
        assert reader == other.name
        assert value == pytest.approx(perplexity(other, [""], [text])[0], rel=1e-4)


def test_only_some_conversations(told, pair):
    assert {row[1] for row in score.score(told, *pair, told.ids[:1])} == {told.ids[0]}


def test_what_is_written_is_read_again(tmp_path):
    rows = [("main", "a, b", 1, 'x "y"', 3.0), ("main", "c", 2, "z", math.nan)]
    score.add(rows[:1], tmp_path / "p.csv")
    score.add(rows[1:], tmp_path / "p.csv")
    found = score.load_perplexities(tmp_path / "p.csv")
    assert found == pytest.approx({("main", "a, b", 1): 3.0, ("main", "c", 2): math.nan}, nan_ok=True)
    assert [file.name for file in tmp_path.iterdir()] == ["p.csv"]


@pytest.fixture
def folder(pair, tmp_path, monkeypatch):
    """A folder with a study of three conversations in one part and two in a second one, whose models are at hand."""
    seeds, models = load_seeds(), {model.name: model for model in pair}
    converse(Study("main", *pair, seeds[:3], turns=4), tmp_path / "main.jsonl")
    converse(Study("main", *pair, seeds[3:5], turns=4), tmp_path / "main-2.jsonl")
    monkeypatch.setattr(score, "_model", lambda source, device: models[source])
    read = score.read_study
    monkeypatch.setattr(score, "read_study", lambda *place: _with_sources(read(*place)))
    monkeypatch.setattr(score, "AT_ONCE", 2)
    return tmp_path


def test_all_parts_of_a_study_are_scored_and_then_left_alone(folder, capsys):
    arguments = ["main", "--folder", str(folder)]
    assert score.main(arguments) == 0
    assert "main: 20 outputs added" in capsys.readouterr().out
    before = (folder / "perplexity.csv").read_text()
    assert {id for _, id, _ in score.load_perplexities(folder / "perplexity.csv")} == {s.id for s in load_seeds()[:5]}
    assert score.main(arguments) == 0
    assert capsys.readouterr().out == ""
    assert (folder / "perplexity.csv").read_text() == before


def test_what_is_missing_of_a_study_is_added(folder, told, pair, capsys):
    """One conversation and a half are there: the rest comes, and no output twice."""
    rows = score.score(told, *pair, told.ids[:2])
    score.add(rows[:6], folder / "perplexity.csv")
    assert score.missing(told, (row[:3] for row in rows[:6])) == told.ids[1:]
    assert score.main(["main", "--folder", str(folder)]) == 0
    assert "main: 14 outputs added" in capsys.readouterr().out
    assert len((folder / "perplexity.csv").read_text().splitlines()) == 1 + 20


def test_a_killed_run_is_gone_on_with(folder, monkeypatch):
    done, calls = score.score, []

    def killed(*arguments):
        if calls:
            raise KeyboardInterrupt
        calls.append(arguments)
        return done(*arguments)

    monkeypatch.setattr(score, "score", killed)
    with pytest.raises(KeyboardInterrupt):
        score.main(["main", "--folder", str(folder)])
    assert len(score.load_perplexities(folder / "perplexity.csv")) == 2 * 4
    monkeypatch.setattr(score, "score", done)
    assert score.main(["main", "--folder", str(folder)]) == 0
    assert len((folder / "perplexity.csv").read_text().splitlines()) == 1 + 20


def test_another_study_s_second_part_is_not_this_one_s(folder, pair):
    converse(Study("main-2x", *pair, load_seeds()[5:6], turns=4), folder / "main-2x.jsonl")
    assert score.main(["main", "--folder", str(folder)]) == 0
    assert len(score.load_perplexities(folder / "perplexity.csv")) == 20


def test_a_study_that_is_not_there(tmp_path, capsys):
    assert score.main(["main", "--folder", str(tmp_path)]) == 1
    assert "main.jsonl" in capsys.readouterr().err


def test_the_recorded_perplexities_are_of_recorded_outputs():
    """Of every compared study whole conversations are scored; only what holds no text has no perplexity."""
    from a2a.dialogue import recorded
    from a2a.places import book_root

    found = score.load_perplexities(book_root() / "conversations" / "perplexity.csv")
    for name in score.STUDIES:
        texts = recorded(name).texts()
        rows = {(c, t): value for (study, c, t), value in found.items() if study == name}
        assert rows.keys() == {(id, turn) for id, _ in rows for turn in range(1, len(texts[id]))} != set()
        silent = {key for key, value in rows.items() if np.isnan(value)}
        assert silent == {(c, t) for c, t in rows if not texts[c][t]}
        assert min(value for value in rows.values() if not np.isnan(value)) >= 1


def _with_sources(told):
    models = [RecordedModel({**model.describe(), "source": model.name}) for model in told.study.models]
    return replace(told, study=replace(told.study, first=models[0], second=models[1]))


def test_rows_are_in_order_and_none_is_missing(told, pair):
    rows = score.score(told, *pair)
    assert [row[:3] for row in rows] == [("main", id, turn) for id in sorted(told.ids) for turn in range(1, 5)]


def test_an_empty_output_has_no_perplexity(told, pair):
    silent = replace(told, outputs=[{**one, "text": ""} if one["turn"] == 3 else one for one in told.outputs])
    unknown = {row[2] for row in score.score(silent, *pair) if math.isnan(row[-1])}
    assert unknown == {3}


def test_a_study_that_is_killed_while_it_is_added_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    file = tmp_path / "p.csv"
    score.add([("main", "a", 1, "z", 3.0)], file)
    before = file.read_text()

    class Killed(list):
        def __iter__(self):
            yield self[0]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score.add(Killed([("main", "b", 1, "z", 4.0)]), file)
    assert file.read_text() == before


def test_the_book_s_studies_with_and_without_interventions_are_scored():
    from a2a.dialogue import recorded
    from a2a.dialogue.plan import load_plan

    rules = [recorded(name).study.intervention.name for name in score.STUDIES]
    assert rules[:2] == ["none", "none"] and len(set(rules)) == len(rules) - 1
    assert list(score.STUDIES[2:]) == load_plan().asked_of("B8")


def test_no_study_is_scored_twice():
    assert len(set(score.STUDIES)) == len(score.STUDIES)
