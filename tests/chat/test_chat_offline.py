"""The registry of offline agents: one entry is all that a new one takes."""

from dataclasses import replace

import numpy as np
import pytest

from a2a import GradientAgent
from a2a.chat import ChatAgent, ChatClient, offline
from a2a.chat.hosted import Call, Declined, answer_task, count_tokens, read_task
from a2a.chat.lineup import line_up
from a2a.chat.offline import OFFLINE, OfflineAgent, available, known
from a2a.chat.protocol import Form, messages
from a2a.chat.softmax_icl import load_weights


@pytest.fixture
def toy(monkeypatch):
    """An agent that stays where it is, registered for the time of a test."""
    agent = OfflineAgent("toy", lambda call: answer_task(call, lambda task, call: task.w), "It stays where it is.")
    monkeypatch.setitem(offline.OFFLINE, "toy", agent)
    return agent


def asked(name, prompt, **options):
    text = messages(Form(0.5), prompt.X, prompt.y, np.zeros(3))[-1]["content"]
    return OFFLINE[name].answer(Call(None, text, **options))


def test_a_new_agent_is_one_entry_that_the_server_hosts(toy, ask):
    agent, answer = ask("toy")
    assert (answer == [0.5, -1.0, 0.25]).all() and agent.last.model == "toy@1"
    assert "toy" in available()


def test_a_new_agent_takes_part_in_the_chapters(toy):
    cast = line_up(3)
    assert "toy" in cast.live and cast.names.index("toy") == list(OFFLINE).index("toy")
    assert "toy" not in line_up(3, mode="replay").names, "there is no recording of it"


def test_an_agent_of_one_dimension_is_asked_for_no_other(monkeypatch, toy):
    monkeypatch.setitem(offline.OFFLINE, "toy", replace(toy, dimension=4))
    assert "toy" in line_up(4).live and "toy" not in line_up(3).live


def test_a_slow_agent_is_asked_only_where_it_is_named(monkeypatch, toy):
    monkeypatch.setitem(offline.OFFLINE, "toy", replace(toy, live=False))
    assert "toy" not in line_up(3).names and "toy" in line_up(3, also=["toy"]).live


def test_an_agent_that_is_not_installed_is_not_hosted(monkeypatch, toy, ask):
    monkeypatch.setitem(offline.OFFLINE, "toy", replace(toy, is_installed=lambda: False))
    assert "toy" not in available()
    assert "'toy' does not exist" in str(ask("toy")[1])


def test_every_entry_is_under_its_own_name_and_says_what_it_is():
    for name, agent in OFFLINE.items():
        assert agent.name == name and agent.description.endswith(".") and agent.version()
        assert name.partition(":")[0] in OFFLINE, "options are for an agent that is there"


def test_one_control_each_way_and_a_learned_rule():
    assert {"gradient", "softmax-icl", "smollm2"} <= OFFLINE.keys()
    assert [name for name, agent in OFFLINE.items() if agent.language_model] == ["smollm2"]
    assert not OFFLINE["smollm2"].live and OFFLINE["smollm2"].temperature == 0


def test_the_dimension_of_the_transformer_is_that_of_its_weights():
    _, recipe, _ = load_weights()
    assert OFFLINE["softmax-icl"].dimension == recipe.d
    assert OFFLINE["softmax-icl"].does(recipe.d) and not OFFLINE["softmax-icl"].does(recipe.d + 1)
    assert OFFLINE["gradient"].does(17)


def test_options_belong_to_the_agent_before_the_colon():
    assert known("gradient:eta=2") is OFFLINE["gradient"]
    assert known("gradient:noise=0.01") is OFFLINE["gradient:noise=0.01"]
    assert known("gpt-5-mini") is None and known("gpt:5") is None


def test_the_gradient_agent_takes_the_exact_step(prompt):
    written = asked("gradient", prompt, options={"digits": 12.0}).text
    exact = GradientAgent.from_prompt(prompt, 0.5)(np.zeros(3))
    assert np.allclose([float(part) for part in written[7:-2].split(",")], exact, atol=5e-4)  # of the rounded prompt


@pytest.mark.parametrize("name", ["gradient", "softmax-icl"])
def test_an_answer_is_cut_off_at_the_token_limit(name, prompt):
    whole, cut = asked(name, prompt), asked(name, prompt, max_tokens=5)
    assert whole.finish_reason == "stop" and cut.finish_reason == "length"
    assert count_tokens(cut.text) == cut.completion_tokens == 5 and whole.text.startswith(cut.text)
    assert whole.completion_tokens == count_tokens(whole.text)


def test_another_step_size_than_the_one_stated(prompt):
    halved = asked("gradient", prompt, options={"eta": 0.25, "digits": 12.0}).text
    exact = GradientAgent.from_prompt(prompt, 0.25)(np.zeros(3))
    assert np.allclose([float(part) for part in halved[7:-2].split(",")], exact, atol=5e-4)


def test_without_a_step_size_it_takes_a_little(base_url, prompt):
    client = ChatClient(base_url)
    implicit = ChatAgent(client, prompt, None, model="gradient")(prompt.theta + 1)
    explicit = ChatAgent(client, prompt, offline.IMPLICIT_ETA, model="gradient")(prompt.theta + 1)
    assert (implicit == explicit).all()


def told(text, **options):
    return OFFLINE["gradient"].answer(Call(None, text, **options)).text


TASK = "x_1 = [1, 0], y_1 = 1\nx_2 = [0, 1], y_2 = 2\nCurrent w = [0.5, -0.5]\n"


@pytest.mark.parametrize("eta", ["0", "0.0", "0e5", "-0.0"])
def test_a_stated_step_size_of_zero_is_no_step(eta):
    assert told(f"{TASK}eta = {eta}") == '{"w": [0.5000, -0.5000]}'
    assert told(TASK) == '{"w": [0.6250, 0.1250]}', "a little, where none is stated"


@pytest.mark.parametrize("eta", ["-1", "1e999"])
def test_a_step_size_that_makes_no_sense_is_declined(eta):
    with pytest.raises(Declined) as caught:
        told(f"{TASK}eta = {eta}")
    assert caught.value.parameter == "messages"


def test_numbers_that_overflow_are_declined():
    with pytest.raises(Declined, match="must be finite"):
        told("x = [1e150], y = 1e308, current w = [1e308]")


@pytest.mark.parametrize("text", ["current w = [inf, 1]", "current w = [1]", "current w = [1, 2, 3]", "current w = []"])
def test_a_weight_that_does_not_fit_makes_no_task(text):
    assert read_task(f"x = [1, 2], y = 3\n{text}") is None


def test_equal_seeds_draw_equal_noise_whatever_their_sign():
    drawn = [told(TASK, options={"noise": 1.0}, seed=seed) for seed in (-1, -1, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize(
    "options",
    [
        {"noise": np.nan},
        {"noise": -1.0},
        {"noise": np.inf},
        {"digits": 1.5},
        {"digits": 16.0},
        {"digits": -1.0},
        {"eta": -0.5},
        {"temperature": 1.0},
    ],
)
def test_options_are_checked(options):
    with pytest.raises(Declined) as caught:
        OFFLINE["gradient"].check(options)
    assert caught.value.parameter == "model"


def test_agents_have_options_of_their_own():
    OFFLINE["gradient"].check({"noise": 0.0, "digits": 15.0, "eta": 0.0})
    with pytest.raises(Declined, match="softmax-icl has no option 'eta'; it has noise, digits"):
        OFFLINE["softmax-icl"].check({"eta": 1.0})
    with pytest.raises(Declined, match="it has none"):
        OFFLINE["smollm2"].check({"noise": 1.0})
