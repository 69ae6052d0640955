"""Models behind an OpenAI-compatible `/v1/completions` server, such as vLLM: raw text in, raw continuation out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from a2a.models.protocol import Continuation, Sampling


class HTTPModel:
    """A model on a server. Each text is a request of its own with its own seed; the server puts them into batches.

    Args:
        url: such as http://localhost:8001/v1.
        model: its name at the server.
        concurrency: requests under way at once.
        retries, timeout: for each request; a repeated request has the same seed.
        context: tokens the model can hold. None: what the server says (vLLM does), else unlimited. Servers that know
            `truncate_prompt_tokens` (vLLM) cut longer texts on the left; others refuse them.
    """

    size: int | None = None

    def __init__(
        self,
        url: str,
        model: str,
        *,
        concurrency: int = 64,
        retries: int = 5,
        timeout: float = 600,
        context: int | None = None,
    ) -> None:
        self.name, self.address, self.concurrency = model, url, concurrency
        self.retries, self.timeout = retries, timeout
        self._local = urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")
        self.url = "loopback" if self._local else url
        self.context = context or self._served_context()

    @classmethod
    def from_spec(cls, spec: str, *, context: int | None = None) -> HTTPModel:
        """The model of "http://host:port/v1#model".

        Raises:
            ValueError: if it names no model.
        """
        url, _, model = spec.partition("#")
        if not model:
            raise ValueError(f'a server must be given with its model, "http://host:port/v1#model", got {spec!r}')
        return cls(url, model, context=context)

    def __repr__(self) -> str:
        return f"HTTPModel({self.url!r}, {self.name!r})"

    def __call__(self, texts: Sequence[str], sampling: Sampling, seeds: Sequence[int]) -> list[Continuation]:
        if sampling.no_repeat_ngram_size:
            raise ValueError("the completions API has no setting like no_repeat_ngram_size; use a model that runs here")
        with self._client() as client, ThreadPoolExecutor(self.concurrency) as pool:
            return list(pool.map(lambda text, seed: self._one(client, text, sampling, seed), texts, seeds))

    def describe(self) -> dict[str, Any]:
        """What a reader needs to get the same model again."""
        return {"name": self.name, "size": self.size, "source": self.url, "context": self.context}

    def _client(self) -> Any:
        import openai

        return openai.OpenAI(
            api_key=os.environ.get("OPENAI_API_KEY") or ("none" if self._local else None),
            base_url=self.address,
            max_retries=self.retries,
            timeout=self.timeout,
            # no proxy between this machine and itself
            http_client=openai.DefaultHttpx2Client(trust_env=not self._local),
        )

    def _one(self, client: Any, text: str, sampling: Sampling, seed: int) -> Continuation:
        reply = client.completions.create(
            model=self.name,
            prompt=text,
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            max_tokens=sampling.max_new_tokens,
            seed=seed,
            extra_body=self._beyond_openai(sampling),
        )
        choice, usage = reply.choices[0], reply.usage
        finish = "length" if choice.finish_reason == "length" else "stop"
        read, wrote = (usage.prompt_tokens, usage.completion_tokens) if usage else (None, None)
        return Continuation(choice.text, read, wrote, finish)

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
        with self._client() as client:
            found = [served for served in client.models.list() if served.id == self.name]
        return getattr(found[0], "max_model_len", None) if found else None
