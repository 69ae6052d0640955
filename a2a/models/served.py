"""Models behind an OpenAI-compatible `/v1/completions` server, such as vLLM: raw text in, raw continuation out."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Any

import openai

from a2a.models.connection import Connection
from a2a.models.keys import is_local
from a2a.models.protocol import Continuation, Sampling
from a2a.models.server import Call
from a2a.models.usage import Budget, token_counts


class ServedModel:
    """A model on a server. Each text is a request of its own with its own seed; the server puts them into batches.

    Args:
        url: such as http://localhost:8001/v1.
        model: its name at the server.
        context: tokens the model can hold. None: what the server says (vLLM does), else unlimited. Servers that know
            `truncate_prompt_tokens` (vLLM) cut longer texts on the left; others refuse them.
        concurrency, retries, backoff, timeout, budget: see `Connection`; a repeated request has the same seed.

    Raises:
        ValueError, CallError: as `Connection` does.
    """

    size: int | None = None

    def __init__(
        self,
        url: str,
        model: str,
        *,
        context: int | None = None,
        concurrency: int = 64,
        retries: int = 5,
        backoff: float = 0.5,
        timeout: float = 600.0,
        budget: Budget | None = None,
    ) -> None:
        self.name = model
        self.connection = Connection(
            url, concurrency=concurrency, retries=retries, backoff=backoff, timeout=timeout, budget=budget
        )
        self.context = context or self._served_context()

    @classmethod
    def from_spec(cls, spec: str, *, context: int | None = None) -> ServedModel:
        """The model of "http://host:port/v1#model".

        Raises:
            ValueError: if it names no model, or its address holds secrets.
            CallError: if the server can't be asked.
        """
        url, _, model = spec.partition("#")
        is_local(url)  # before an error repeats it
        if not model:
            raise ValueError(f'a server must be given with its model, "http://host:port/v1#model", got {spec!r}')
        return cls(url, model, context=context)

    def __repr__(self) -> str:
        return f"ServedModel({self.connection.server.name!r}, {self.name!r})"

    def __call__(self, texts: Sequence[str], sampling: Sampling, seeds: Sequence[int]) -> list[Continuation]:
        """Continue each text, with the randomness of its seed.

        Raises:
            ValueError: if the settings hold what the API doesn't know.
            CallError: if a text got no continuation.
        """
        if sampling.no_repeat_ngram_size:
            raise ValueError("the completions API has no setting like no_repeat_ngram_size; use a model that runs here")
        calls = [self._call(text, sampling, seed) for text, seed in zip(texts, seeds, strict=True)]
        return self.connection.together([self.connection.ask(call) for call in calls])

    def describe(self) -> dict[str, Any]:
        """What a reader needs to get the same model again."""
        return {"name": self.name, "size": self.size, "source": self.connection.server.name, "context": self.context}

    def _call(self, text: str, sampling: Sampling, seed: int) -> Call[Continuation]:
        def send(client: openai.AsyncOpenAI) -> Awaitable[Any]:
            return client.completions.with_raw_response.create(
                model=self.name,
                prompt=text,
                temperature=sampling.temperature,
                top_p=sampling.top_p,
                max_tokens=sampling.max_new_tokens,
                seed=seed,
                extra_body=self._beyond_openai(sampling),
            )

        return Call(self.name, "a completion", send, _continuation)

    def _beyond_openai(self, sampling: Sampling) -> dict[str, Any]:
        """Settings that vLLM knows and OpenAI doesn't; left out where they do nothing."""
        room = self.context - sampling.max_new_tokens if self.context else None
        chosen = {
            "top_k": sampling.top_k or None,
            "repetition_penalty": None if sampling.repetition_penalty == 1 else sampling.repetition_penalty,
            "truncate_prompt_tokens": room,
        }
        return {name: value for name, value in chosen.items() if value is not None}

    def _served_context(self) -> int | None:
        def read(body: Any) -> int | None:
            lengths = [served.get("max_model_len") for served in body["data"] if served["id"] == self.name]
            return int(lengths[0]) if lengths and lengths[0] else None

        call = Call(self.name, "a list of models", lambda client: client.models.with_raw_response.list(), read)
        return self.connection.together([self.connection.ask(call)])[0]


def _continuation(body: Any) -> Continuation:
    choice, counts = body["choices"][0], token_counts(body)
    if not isinstance(choice["text"], str):
        raise TypeError("no text")
    finish = "length" if choice.get("finish_reason") == "length" else "stop"
    # half a character, which JSON can hold, can't be sent on
    text = choice["text"].encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return Continuation(text, counts.get("prompt_tokens"), counts.get("completion_tokens"), finish)
