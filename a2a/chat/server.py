"""A small OpenAI-compatible server for this machine only: the offline agents, over real HTTP.

with local_server() as base_url:
    client = ChatClient(base_url)
"""

from __future__ import annotations

import json
import socket
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from a2a.chat import faults
from a2a.chat.faults import error
from a2a.chat.hosted import Call, Completion, Declined
from a2a.chat.offline import OFFLINE, available
from a2a.models.keys import LOOPBACK


@contextmanager
def local_server(
    port: int = 0, *, host: str = "127.0.0.1", key: str | None = None, app: ASGIApp | None = None
) -> Iterator[str]:
    """Run the server in a thread and yield its base URL; port 0 is any free one. With a `key`, others get a 401.

    Args:
        port, host, key: as above; the host must be this machine.
        app: another application to run, such as this one with something around it.

    Raises:
        ValueError: if the host isn't this machine.
        OSError: if the port is taken.
    """
    listening = _listen(host, port)
    server = uvicorn.Server(uvicorn.Config(app or application(key), log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listening],), name="a2a-server", daemon=True)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("the local server didn't start")
            time.sleep(0.005)
        yield _url(listening)
    finally:
        server.should_exit = server.force_exit = True
        thread.join(timeout=10)
        listening.close()


def serve(host: str = "127.0.0.1", port: int = 0, *, key: str | None = None) -> None:
    """Run the server until it is interrupted, and print where it is and what it hosts.

    Raises:
        ValueError: if the host isn't this machine.
        OSError: if the port is taken.
    """
    with _listen(host, port) as listening, suppress(KeyboardInterrupt):
        print(f"{_url(listening)} hosts {', '.join(available())}; stop with Ctrl-C", flush=True)
        uvicorn.Server(uvicorn.Config(application(key), log_level="warning", lifespan="off")).run([listening])


def application(key: str | None = None) -> FastAPI:
    """The server as an ASGI application."""
    app = FastAPI(openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK, "[::1]"])  # no page of the web may ask it
    calls: Counter[str] = Counter()

    @app.get("/v1/models")
    async def models() -> Any:
        data = [{"id": name, "object": "model", "created": 0, "owned_by": "a2a"} for name in available()]
        return {"object": "list", "data": data}

    @app.post("/v1/chat/completions")
    async def chat_completions(request: Request) -> Response:
        return await _answer(request, calls, key, chat=True)

    @app.post("/v1/completions")
    async def completions(request: Request) -> Response:
        return await _answer(request, calls, key, chat=False)

    return app


async def _answer(request: Request, calls: Counter[str], key: str | None, *, chat: bool) -> Response:
    sent = request.headers.get("authorization", "").removeprefix("Bearer ")
    if key is not None and sent != key:  # careless servers repeat the key, so this one does
        return error(401, f"Incorrect API key provided: {sent}.", code="invalid_api_key")
    try:
        body = json.loads(await request.body())
        name = faults.parse_name(body["model"])
        if name.base not in available():
            there = f"there are {', '.join(available())}"
            return error(404, f"The model {name.base!r} does not exist; {there}", "model", "model_not_found")
        fault = name.fault(calls[body["model"]])
        calls[body["model"]] += 1
        if fault is not None and (refused := faults.refuse(fault, body)) is not None:
            return refused
        completion = await run_in_threadpool(OFFLINE[name.base].answer, _call(body, name.options, chat))
    except Declined as declined:
        return error(400, str(declined), declined.parameter, "unsupported_parameter")
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        return error(400, f"not a request for a completion: {type(problem).__name__} {problem}")
    except Exception as problem:
        return error(500, f"{name.base} failed: {type(problem).__name__} {problem}")
    completion, refusal = faults.spoil(fault, completion)
    content = _content(body["model"], OFFLINE[name.base].version(), completion, refusal, chat)
    if fault in faults.TRANSPORT:
        return await faults.TRANSPORT[fault](json.dumps(content).encode())
    return JSONResponse(content)


def _call(body: dict[str, Any], options: dict[str, float], chat: bool) -> Call:
    if body.get("stream"):
        raise Declined("this server does not stream", "stream")
    messages = [{"role": m["role"], "content": m["content"]} for m in body["messages"]] if chat else None
    prompt = "\n\n".join(m["content"] for m in messages) if messages is not None else body["prompt"]
    if not isinstance(prompt, str):
        raise Declined("prompt must be one text", "prompt")
    limit = body.get("max_completion_tokens", body.get("max_tokens"))
    schema = (body.get("response_format") or {}).get("json_schema", {}).get("schema")
    temperature = body.get("temperature")
    temperature = None if temperature is None else float(temperature)  # JSON's 0 is an int
    return Call(messages, prompt, options, temperature, body.get("seed"), limit, schema)


def _content(model: str, version: str, completion: Completion, refusal: str | None, chat: bool) -> dict[str, Any]:
    message = {"role": "assistant", "content": None if refusal else completion.text, "refusal": refusal}
    said = {"message": message} if chat else {"text": completion.text}
    return {
        "id": f"local-{uuid.uuid4().hex}",
        "object": "chat.completion" if chat else "text_completion",
        "created": int(time.time()),
        "model": f"{model}@{version}",
        "choices": [{"index": 0, "finish_reason": completion.finish_reason, "logprobs": None, **said}],
        "usage": {
            "prompt_tokens": completion.prompt_tokens,
            "completion_tokens": completion.completion_tokens,
            "total_tokens": completion.prompt_tokens + completion.completion_tokens,
        },
    }


def _listen(host: str, port: int) -> socket.socket:
    if host not in LOOPBACK:
        raise ValueError(
            f"this server is for this machine only: host must be one of {', '.join(LOOPBACK)}, got {host!r}"
        )
    return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/v1"
