"""What a client of the local server may send. What isn't taken is refused by its name, unless it asks for nothing."""

from __future__ import annotations

import reprlib
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, FailFast, Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError, from_json

from a2a.chat.hosted import Call, Declined
from a2a.chat.protocol import Messages

UNSUPPORTED = "unsupported_parameter"
_CODES = {UNSUPPORTED: UNSUPPORTED, "extra_forbidden": "unknown_parameter", "union_tag_invalid": "unsupported_value"}


def _only(*harmless: Any) -> BeforeValidator:
    """For a field that this server doesn't support: null and these values ask for nothing."""

    def check(value: Any) -> None:
        if value is not None and value not in harmless:
            raise PydanticCustomError(UNSUPPORTED, "This server does not support it")

    return BeforeValidator(check)


def _joined(content: Any) -> Any:
    """A list of parts as the text that they make; anything else as it is."""
    if not isinstance(content, list):
        return content
    for part in content:
        if not isinstance(part, dict) or part.get("type") != "text" or not isinstance(part.get("text"), str):
            raise PydanticCustomError(UNSUPPORTED, "Only texts and lists of text parts are read")
    return "".join(part["text"] for part in content)


def _single(prompt: Any) -> Any:
    """The one text of a list of one; anything else as it is."""
    return prompt[0] if isinstance(prompt, list) and len(prompt) == 1 else prompt


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class Message(_Part):
    """One message. Clients send back what they were sent, so the fields of an answer may be there."""

    role: Literal["system", "developer", "user", "assistant"]
    refusal: str | None = None
    content: Annotated[str | None, BeforeValidator(_joined)]
    name: str | None = None
    tool_calls: Annotated[Any, _only([])] = None
    function_call: Annotated[Any, _only()] = None
    annotations: Annotated[Any, _only([])] = None
    audio: Annotated[Any, _only()] = None

    @field_validator("content")
    @classmethod
    def _said_or_refused(cls, content: str | None, info: Any) -> str | None:
        if content is None and not info.data.get("refusal"):
            raise PydanticCustomError("text", "Input should be a text")
        return content

    def read(self) -> dict[str, str]:
        """What a model reads of it."""
        return {"role": self.role, "content": self.refusal or "" if self.content is None else self.content}


class StreamOptions(_Part):
    """What a stream holds besides the answer; obfuscation is against listeners, and there are none here."""

    include_usage: bool = False
    include_obfuscation: bool = False


class AnyText(_Part):
    """The answer may be any text."""

    type: Literal["text"]


class Schema(_Part):
    """A JSON schema for the answer; the model says whether it follows it."""

    name: str
    description: str | None = None
    strict: bool | None = None
    schema_: Annotated[dict[str, Any], Field(alias="schema")]


class SchemaText(_Part):
    """The answer must follow a JSON schema."""

    type: Literal["json_schema"]
    json_schema: Schema


class Asked(_Part):
    """What requests for messages and for continuations have in common; `user` and `metadata` change nothing."""

    model: Annotated[str, Field(max_length=200)]
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    user: str | None = None
    metadata: dict[str, str] | None = None
    n: Annotated[Any, _only(1)] = None
    stop: Annotated[Any, _only([])] = None
    presence_penalty: Annotated[Any, _only(0)] = None
    frequency_penalty: Annotated[Any, _only(0)] = None
    logit_bias: Annotated[Any, _only({})] = None

    @field_validator("stream_options")
    @classmethod
    def _of_a_stream(cls, options: StreamOptions | None, info: Any) -> StreamOptions | None:
        if options is not None and not info.data.get("stream"):
            raise PydanticCustomError("stream_options", "Only a stream has these options")
        return options

    @property
    def include_usage(self) -> bool:
        """Whether a stream ends with the token counts."""
        return self.stream_options is not None and self.stream_options.include_usage

    def call(self, options: dict[str, float]) -> Call:
        """The request as a model reads it, with the options that stood in the model's name."""
        raise NotImplementedError


class Chat(Asked):
    """A request for the next message of a chat. The last group is taken and changes nothing."""

    messages: Annotated[list[Message], Field(min_length=1, max_length=10_000), FailFast()]
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    response_format: Annotated[AnyText | SchemaText, Field(discriminator="type")] | None = None
    tools: Annotated[Any, _only([])] = None
    tool_choice: Annotated[Any, _only("none")] = None
    functions: Annotated[Any, _only([])] = None
    function_call: Annotated[Any, _only("none")] = None
    logprobs: Annotated[Any, _only(False)] = None
    top_logprobs: Annotated[Any, _only(0)] = None
    modalities: Annotated[Any, _only(["text"])] = None
    audio: Annotated[Any, _only()] = None
    prediction: Annotated[Any, _only()] = None
    web_search_options: Annotated[Any, _only()] = None
    store: Annotated[Any, _only(False)] = None
    service_tier: Annotated[Any, _only("auto", "default")] = None

    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = None
    parallel_tool_calls: bool | None = None
    prompt_cache_key: str | None = None
    safety_identifier: str | None = None

    def call(self, options: dict[str, float]) -> Call:
        """As `Asked.call`; models that read text read the messages one after the other."""
        messages: Messages = [message.read() for message in self.messages]
        text = "\n\n".join(message["content"] for message in messages)
        schema = self.response_format.json_schema.schema_ if isinstance(self.response_format, SchemaText) else None
        limit = self.max_tokens if self.max_completion_tokens is None else self.max_completion_tokens
        return Call(messages, text, options, self.temperature, self.top_p, self.seed, limit, schema)


class Continue(Asked):
    """A request for the continuation of a text."""

    prompt: Annotated[str, BeforeValidator(_single)]
    best_of: Annotated[Any, _only(1)] = None
    echo: Annotated[Any, _only(False)] = None
    logprobs: Annotated[Any, _only()] = None
    suffix: Annotated[Any, _only()] = None

    def call(self, options: dict[str, float]) -> Call:
        """As `Asked.call`."""
        return Call(None, self.prompt, options, self.temperature, self.top_p, self.seed, self.max_tokens)


A = TypeVar("A", bound=Asked)


def read(kind: type[A], body: bytes) -> A:
    """The request in a body.

    Raises:
        Declined: if it isn't one; it names the field.
    """
    try:
        return kind.model_validate(from_json(body))  # refuses deep nesting and halves of surrogate pairs
    except ValidationError as problems:
        first = problems.errors(include_url=False)[0]
    except ValueError as problem:
        raise Declined(f"the body isn't JSON: {problem}") from None
    where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in first["loc"])[1:200]
    message = f"{where or 'the body'}: {first['msg']}, got {reprlib.repr(first['input'])}"
    parameter = str(first["loc"][0])[:200] if first["loc"] else None
    raise Declined(message, parameter, _CODES.get(first["type"]))
