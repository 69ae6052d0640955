import numpy as np
import pytest

from a2a import GradientAgent, Prompt, alternate, equilibrium, identify, sample_prompt
from a2a.chat import ChatAgent, ChatClient, NoValidReply, Settings, stated


@pytest.fixture
def client(base_url):
    return ChatClient(base_url, backoff=0.01, retries=1)


@pytest.mark.parametrize("digits", [2, 4, 8])
@pytest.mark.parametrize("room", [False, True])
def test_the_gradient_model_is_the_gradient_agent_to_its_rounding(client, rng, digits, room):
    prompt = sample_prompt(rng, 12, 3, rng.standard_normal((8, 3)))
    agent = ChatAgent(client, prompt, 0.4, model="gradient", digits=digits, room=room)
    w = rng.standard_normal((8, 3))
    exact = GradientAgent.from_prompt(agent.prompt, 0.4)(stated(w, digits))
    error = np.abs(agent(w) - exact).max()
    assert 0.1 * 10**-digits < error <= 0.5001 * 10**-digits


def test_dimensions_other_than_three(client, rng):
    prompt = sample_prompt(rng, 20, 7, rng.standard_normal(7))
    agent = ChatAgent(client, prompt, 0.2, model="gradient", digits=6)
    w = rng.standard_normal(7)
    assert agent(w) == pytest.approx(GradientAgent.from_prompt(prompt, 0.2)(w), abs=1e-5)


@pytest.mark.parametrize("structured", [False, True])
def test_the_answer_is_the_same_with_and_without_structured_outputs(client, prompt, structured):
    agent = ChatAgent(client, prompt, 0.5, model="gradient", settings=Settings(structured=structured))
    assert (agent(np.ones(3)) == ChatAgent(client, prompt, 0.5, model="gradient")(np.ones(3))).all()


def test_batches_broadcast(client, rng):
    prompt = sample_prompt(rng, 12, 3, rng.standard_normal((4, 1, 3)))
    w = rng.standard_normal((5, 3))
    answer = ChatAgent(client, prompt, 0.5, model="gradient")(w)
    one = ChatAgent(client, Prompt(prompt.X[2, 0], prompt.y[2, 0]), 0.5, model="gradient")(w[3])
    assert answer.shape == (4, 5, 3) and (answer[2, 3] == one).all()


def test_two_chat_agents_settle_where_the_prompts_say(client, rng):
    prompts = [sample_prompt(rng, 12, 3, rng.standard_normal(3)) for _ in range(2)]
    first, second = (ChatAgent(client, prompt, 0.5, model="gradient") for prompt in prompts)
    interaction = alternate(first, second, np.zeros(3), 25)
    predicted = equilibrium(*(GradientAgent.from_prompt(agent.prompt, 0.5) for agent in (first, second)))
    assert interaction.first[-1] == pytest.approx(predicted.first, abs=5e-4)
    assert interaction.second[-1] == pytest.approx(predicted.second, abs=5e-4)


def test_exchanges_identify_the_agent(client, rng):
    prompt = sample_prompt(rng, 12, 3, rng.standard_normal((6, 3)))
    agent = ChatAgent(client, prompt, 0.4, model="gradient:noise=0.01", digits=6)
    for _ in range(10):
        agent(prompt.theta + rng.standard_normal((6, 3)))
    assert agent.exchanges[0].shape == (6, 10, 3)
    fitted = identify(*agent.exchanges, structure="step size", S=agent.prompt.S)
    assert fitted.eta == pytest.approx(0.4, abs=0.03)
    assert np.min(fitted.r_squared) > 0.99 and fitted.residual_std == pytest.approx(0.01, rel=0.5)
    assert identify(*agent.exchanges).fixed_point() == pytest.approx(prompt.theta, abs=0.1)


def test_a_softmax_agent_is_nearly_linear_and_not_quite(client, rng):
    prompt = sample_prompt(rng, 12, 3, rng.standard_normal(3))
    agent = ChatAgent(client, prompt, 0.5, model="softmax-icl")
    agent(prompt.theta + rng.standard_normal((40, 3)))
    read, written = (part[..., 0, :] for part in agent.exchanges)
    fitted = identify(read, written)
    assert 0.98 < fitted.r_squared < 0.999999
    assert fitted.residual_std > 1e-3  # far above the rounding of 3e-5


def test_the_first_without_an_answer_is_named(client, prompt):
    agent = ChatAgent(client, prompt, 0.5, model="gradient+empty", attempts=2)
    with pytest.raises(NoValidReply, match=r"gradient\+empty gave no valid answer to w = \[0.0, 0.0, 0.0\]"):
        agent(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="no exchanges"):
        _ = agent.exchanges


def test_outcomes_go_on_where_a_call_stops(client, prompt):
    agent = ChatAgent(client, prompt, 0.5, model="gradient+emptyx1+prosex1", attempts=1)
    outcomes = agent.outcomes(np.zeros((3, 3)))
    assert sorted(outcome.name for outcome in outcomes) == ["invalid: empty", "repaired: prose around it", "valid"]
    assert [outcome.w is None for outcome in outcomes].count(True) == 1


@pytest.mark.parametrize("w", [[1.0, 2.0], [np.nan, 0.0, 0.0], 1.0])
def test_a_w_that_makes_no_sense_is_not_sent(client, prompt, w):
    agent = ChatAgent(client, prompt, 0.5, model="gradient")
    with pytest.raises(ValueError, match="w must"):
        agent(w)
    assert client.spent.calls == 0


def test_the_implicit_form_moves_towards_the_labels(client, prompt):
    w = prompt.theta + 1.0
    answer = ChatAgent(client, prompt, model="gradient")(w)
    assert 0 < np.linalg.norm(prompt.X @ answer - prompt.y) < np.linalg.norm(prompt.X @ w - prompt.y)


def test_the_last_reply_is_kept_as_it_was_written(client, prompt):
    agent = ChatAgent(client, prompt, 0.5, model="gradient+prose")
    assert agent.last is None
    agent(np.zeros(3))
    assert agent.last.text.startswith("Here you are:")
