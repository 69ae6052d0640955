"""What the local server sends, in OpenAI's words: answers, whole or as a stream, and errors."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable
from typing import Any

from starlette.responses import JSONResponse, Response

from a2a.chat.hosted import Completion, split


def error(status: int, message: str, parameter: str | None = None, code: str | None = None) -> Response:
    """An error; 429 asks for a short pause."""
    headers = {"retry-after": "0.05"} if status == 429 else None
    return JSONResponse(error_body(status, message, parameter, code), status, headers)


def error_body(status: int, message: str, parameter: str | None = None, code: str | None = None) -> dict[str, Any]:
    """The body of an error."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return {"error": {"message": message, "type": kind, "param": parameter, "code": code}}


def whole(model: str, completion: Completion, *, chat: bool) -> dict[str, Any]:
    """The answer in one piece."""
    content = None if completion.refusal else completion.text
    message = {"role": "assistant", "content": content, "refusal": completion.refusal}
    said = {"message": message} if chat else {"text": completion.text}
    head = _head("chat.completion" if chat else "text_completion", model)
    return {**head, "choices": [_choice(said, completion.finish_reason)], "usage": _usage(completion)}


def chunks(model: str, completion: Completion, *, chat: bool, usage: bool) -> list[dict[str, Any]]:
    """The answer in pieces, as a stream has it: its words one by one, why it ended and, if asked for, its usage."""
    head = _head("chat.completion.chunk" if chat else "text_completion", model)
    choices = [_choice(said, None) for said in (_deltas(completion) if chat else _texts(completion))]
    choices.append(_choice({"delta": {}} if chat else {"text": ""}, completion.finish_reason))
    if not usage:
        return [{**head, "choices": [choice]} for choice in choices]
    pieces = [{**head, "choices": [choice], "usage": None} for choice in choices]
    return [*pieces, {**head, "choices": [], "usage": _usage(completion)}]


def events(contents: Iterable[dict[str, Any]]) -> bytes:
    """Pieces as server-sent events, with the one that ends them."""
    return "".join(f"data: {said}\n\n" for said in (*map(json.dumps, contents), "[DONE]")).encode()


def _deltas(completion: Completion) -> list[dict[str, Any]]:
    field, text = ("refusal", completion.refusal) if completion.refusal else ("content", completion.text)
    first = {"role": "assistant", "content": "", "refusal": None}
    return [{"delta": first}, *({"delta": {field: piece}} for piece in split(text))]


def _texts(completion: Completion) -> list[dict[str, Any]]:
    return [{"text": piece} for piece in split(completion.text)]


def _head(kind: str, model: str) -> dict[str, Any]:
    return {"id": f"local-{uuid.uuid4().hex}", "object": kind, "created": int(time.time()), "model": model}


def _choice(said: dict[str, Any], finish_reason: str | None) -> dict[str, Any]:
    return {"index": 0, "finish_reason": finish_reason, "logprobs": None, **said}


def _usage(completion: Completion) -> dict[str, int]:
    read, written = completion.prompt_tokens, completion.completion_tokens
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
