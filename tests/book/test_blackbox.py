"""What the two pages on black boxes share, on experiments with real agents and recordings."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest

from a2a.book.blackbox import (
    agent_panels,
    agent_table,
    cast_table,
    judged_elsewhere,
    language_models,
    outcome_table,
    p_value,
    say_why_empty,
    takes_the_step,
    usable,
    usage_table,
    with_interval,
)
from a2a.chat import Prices
from a2a.chat.experiment import Asking, Experiment
from a2a.chat.lineup import line_up
from a2a.chat.offline import OFFLINE, OfflineAgent, gradient
from a2a.chat.single_steps import SingleSteps, ask_single_steps
from a2a.chat.varied import Varied
from a2a.intervals import from_draws


@pytest.fixture(scope="module")
def questions():
    return SingleSteps.draw(np.random.default_rng(0), 12, 12, 3, [0.5, 1.0, 2.0, 3.0], 0.5, 4)


@pytest.fixture(scope="module")
def replayed(questions):
    """The book's recordings: three agents that do the task, one that doesn't."""
    experiment = Experiment(line_up(3, mode="replay"), Asking(0.5))
    return experiment, ask_single_steps(experiment, questions)


def test_what_checks_assume_of_agents_that_take_the_step(replayed):
    _, single = replayed
    for name in ("gradient", "gradient:noise=0.01", "softmax-icl"):
        assert all(assumption.holds for assumption in takes_the_step(single[name]))


def test_what_checks_assume_of_one_that_does_not_do_the_task(replayed):
    _, single = replayed
    (assumed,) = usable(single["smollm2"])
    assert not assumed.holds and assumed.what == "usable replies to single steps = 0, wanted >= 6"
    assert [assumption.holds for assumption in takes_the_step(single["smollm2"])] == [False, False]


def test_what_checks_assume_of_another_step(questions):
    experiment = Experiment(line_up(3, model="gradient:eta=0.25"), Asking(0.5))
    single = ask_single_steps(experiment, questions)
    experiment.close()
    assert [assumption.holds for assumption in takes_the_step(single["gradient:eta=0.25"])] == [True, False]


def test_the_cast_says_what_everybody_is_and_whether_asked():
    told = str(cast_table(line_up(3)))
    assert all(agent.description in told for agent in OFFLINE.values())
    assert told.count("asked here") == 3 and told.count("replayed from a recording") == 1


def test_a_model_that_is_not_ours_has_a_row_too():
    told = str(cast_table(line_up(3, model="gpt-5-mini", base_url="http://localhost:1/v1")))
    assert "gpt-5-mini" in told and "another server" in told


def test_who_was_dropped_has_a_row_that_says_why():
    table = agent_table(["agent", "x", "y"], {"one": (1, 2)}, {"two": "no valid reply", "one": "shown all the same"})
    assert table.rows == [["one", "1", "2"], ["two: no valid reply", "", ""]]


def test_outcomes_are_counted_for_everybody(replayed):
    experiment, _ = replayed
    rows = dict(outcome_table(experiment).rows)
    assert list(rows) == list(OFFLINE)
    assert rows["gradient"] == "valid: 12" and rows["smollm2"].startswith("cut off: ")


def test_an_agent_that_was_never_asked_says_why_not():
    experiment = Experiment(line_up(3, mode="replay"), Asking(0.5))
    experiment.dropped |= dict.fromkeys(OFFLINE, "not recorded")
    assert {told for _, told in outcome_table(experiment).rows} == {"not recorded"}


def test_what_came_from_a_recording_cost_nothing(replayed):
    experiment, _ = replayed
    row = usage_table(experiment).rows[0]
    assert (
        row[:4] == ["gradient", "0", "0", "12"]
        and int(row[4]) > int(row[5]) > 0
        and row[6] == "unknown: no prices given"
    )


def test_what_was_sent_has_its_price(questions):
    options = {"prices": Prices(1000.0, 2000.0)}
    experiment = Experiment(line_up(3, model="gradient"), Asking(0.5), options)
    ask_single_steps(experiment, questions)
    experiment.close()
    ((_, sent, failed, old, read, written, cost),) = usage_table(experiment).rows
    assert (sent, failed, old) == ("12", "0", "0")
    assert float(cost) == pytest.approx((int(read) * 1000 + int(written) * 2000) / 1e6, abs=0.006)


def test_prices_of_nothing_are_no_prices():
    experiment = Experiment(line_up(3, mode="replay"), Asking(0.5), {"prices": Prices(0.0, 0.0)})
    assert {row[-1] for row in usage_table(experiment).rows} == {"unknown: no prices given"}


def test_which_language_models_did_the_task(replayed):
    assert language_models(*replayed) == "no language model did the task; smollm2 was asked and failed"


MODEL = "gpt-5-mini"


@pytest.mark.parametrize(
    ("mistakes", "says"),
    [
        ({}, f"of the language models, {MODEL} did the task"),
        ({"jump": 1.0}, f"no language model did the task; {MODEL} was asked and failed"),
        ({"eta": 0.25}, f"no language model did the task; {MODEL} was asked and failed"),
    ],
)
def test_usable_replies_alone_are_not_the_task(mistakes, says, questions, monkeypatch):
    actor = OfflineAgent(MODEL, lambda call: gradient(replace(call, options=mistakes)), "A model.", language_model=True)
    monkeypatch.setitem(OFFLINE, MODEL, actor)
    experiment = Experiment(line_up(3, model=MODEL), Asking(0.5))
    single = ask_single_steps(experiment, questions)
    experiment.close()
    assert single[MODEL].does_the_task and language_models(experiment, single) == says


def test_programs_are_no_language_models(questions):
    experiment = Experiment(line_up(3, model="gradient", mode="replay"), Asking(0.5))
    single = ask_single_steps(experiment, questions)
    assert language_models(experiment, single) == "no language model did the task"


def seen_at(off, r_squared):
    return Varied(0.5, r_squared, from_draws(off, np.full(100, off), 6, "answers"), ("theory", "theory"))


@pytest.mark.parametrize(
    ("seen", "verdict", "holds", "note"),
    [
        ([seen_at(0.02, 1.0), seen_at(0.9, 0.5)], "supported", True, "judged in 1 of 3 settings"),
        ([seen_at(0.02, 1.0), seen_at(0.9, 0.995)], "contradicted", True, "judged in 2 of 3 settings"),
        ([seen_at(0.9, 0.5)], "contradicted", False, "judged in 0 of 3 settings"),
    ],
)
def test_other_settings_are_judged_where_steps_are_right_and_counted(seen, verdict, holds, note):
    found, given = judged_elsewhere(seen, 3, at_most=0.1)
    assert (found.verdict, given.holds, found.note) == (verdict, holds, note)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_panel_for_each_agent(count):
    names = [f"agent {i}" for i in range(count)]
    fig, axes = agent_panels(names, sharex=True)
    assert list(axes) == names and [ax.get_title() for ax in axes.values()] == names
    plt.close(fig)


def test_an_empty_panel_says_why():
    fig, axes = agent_panels(["one"])
    say_why_empty(axes["one"], "0 of 12 replies usable")
    assert axes["one"].texts[0].get_text().split() == ["0", "of", "12", "replies", "usable"]
    plt.close(fig)


def test_numbers_as_tables_show_them():
    assert with_interval(from_draws(1.0, np.linspace(0.9, 1.1, 1001), 10)) == "1.000 [0.905, 1.095]"
    assert [p_value(p) for p in (0.5, 0.001, 0.0009, np.nan)] == ["0.50", "0.00", "< 0.001", "too few exchanges"]
