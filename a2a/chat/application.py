"""The local server's application: who may ask, what is asked for, and how it is answered, over OpenAI's API."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import Coroutine
from contextlib import nullcontext
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from a2a.chat import answers, faults, wire
from a2a.chat.hosted import Call, Completion, Declined
from a2a.chat.offline import OFFLINE, OfflineAgent, available, hosts
from a2a.models.keys import LOOPBACK

LARGEST = 4 * 2**20
"""Bytes of a request that are still read."""
PATIENCE = 30.0
"""Seconds for a whole request to arrive."""


def application(key: str | None = None) -> FastAPI:
    """The server as an ASGI application; with a `key`, whoever hasn't got it gets a 401."""
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    app.add_middleware(Door, key=key)
    app.add_exception_handler(Declined, _declined)
    app.add_exception_handler(HTTPException, _no_such_thing)
    app.add_exception_handler(ClientDisconnect, _nobody_there)
    app.add_exception_handler(Exception, _failed)
    desk = _Desk()

    @app.get("/v1/models")
    async def models() -> Any:
        data = [{"id": name, "object": "model", "created": 0, "owned_by": "a2a"} for name in available()]
        return {"object": "list", "data": data}

    @app.post("/v1/chat/completions")
    async def chat_completions(request: Request) -> Response:
        return await _answered(desk, request, wire.Chat)

    @app.post("/v1/completions")
    async def completions(request: Request) -> Response:
        return await _answered(desk, request, wire.Continue)

    return app


class Door:
    """Lets in requests that are to this machine, from no page of the web, with the key if there is one, and in JSON."""

    def __init__(self, app: ASGIApp, key: str | None) -> None:
        self.app, self.key = app, key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = self._refused(scope["method"], Headers(scope=scope)) if scope["type"] == "http" else None
        await (refused or self.app)(scope, receive, send)

    def _refused(self, method: str, headers: Headers) -> Response | None:
        host, origin = headers.get("host", ""), headers.get("origin")
        if not _is_here(host):
            return answers.error(400, f"this server is for this machine only, and not for the host {host[:200]!r}")
        if origin is not None and origin != f"http://{host}":
            return answers.error(403, f"this server answers no pages of the web, such as one of {origin[:200]!r}")
        sent = headers.get("authorization", "").removeprefix("Bearer ")
        if self.key is not None and sent != self.key:  # careless servers repeat the key, so this one does
            return answers.error(401, f"Incorrect API key provided: {sent}.", code="invalid_api_key")
        kind = headers.get("content-type", "")
        if method == "POST" and kind.partition(";")[0].strip().lower() != "application/json":
            return answers.error(415, f"the content type must be application/json, got {kind[:200]!r}")
        return None


def _is_here(host: str) -> bool:
    try:
        return urlsplit(f"//{host}").hostname in LOOPBACK
    except ValueError:
        return False


class _Desk:
    """Answers requests; it counts the calls of names with faults, and some agents take one at a time."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def answer(self, asked: wire.Asked) -> Response:
        name = faults.parse_name(asked.model)
        if not hosts(name.base):
            there = f"there are {', '.join(available())}"
            raise Declined(f"The model {name.base!r} does not exist; {there}", "model", "model_not_found", 404)
        agent = OFFLINE[name.base]
        agent.check(name.options)
        fault = self._fault(name, asked.model)
        if fault is not None and (refused := faults.refuse(fault, asked.model_fields_set)) is not None:
            return refused
        async with self.turns[agent.name] if agent.one_at_a_time else nullcontext():
            completion = await _completion(agent, asked.call(name.options))
        return await _sent(asked, f"{asked.model}@{agent.version()}", faults.spoil(fault, completion), fault)

    def _fault(self, name: faults.ModelName, asked: str) -> str | None:
        if not name.faults:
            return None
        self.calls[asked] += 1
        return name.fault(self.calls[asked] - 1)


async def _completion(agent: OfflineAgent, call: Call) -> Completion:
    try:
        return await run_in_threadpool(agent.answer, call)
    finally:
        call.left.set()  # a thread can't be cancelled, only told


async def _sent(asked: wire.Asked, model: str, completion: Completion, fault: str | None) -> Response:
    chat = isinstance(asked, wire.Chat)
    if asked.stream:
        contents = answers.chunks(model, completion, chat=chat, usage=asked.include_usage)
    else:
        contents = [answers.whole(model, completion, chat=chat)]
    if fault == faults.NO_CHOICES:
        contents = [{**content, "choices": []} for content in contents]
    body = answers.events(contents) if asked.stream else json.dumps(contents[0]).encode()
    media_type = "text/event-stream" if asked.stream else "application/json"
    if fault in faults.TRANSPORT:
        return await faults.TRANSPORT[fault](body, media_type)
    return Response(body, media_type=media_type)


async def _answered(desk: _Desk, request: Request, kind: type[wire.Asked]) -> Response:
    try:
        asked = wire.read(kind, await _body(request))
        return await _unless_left(request, desk.answer(asked))
    except asyncio.CancelledError:  # the HTTP server would make a bare 500 of it
        return answers.error(503, "the server was stopped")


async def _body(request: Request) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(PATIENCE):
            async for part in request.stream():
                body += part
                if len(body) > LARGEST:
                    raise Declined(f"a request may have {LARGEST} bytes, and this one has more", status=413)
    except TimeoutError:
        raise Declined(f"the request didn't arrive within {PATIENCE:g} s", status=408) from None
    return bytes(body)


async def _unless_left(request: Request, work: Coroutine[Any, Any, Response]) -> Response:
    """What `work` returns; it is cancelled when the client leaves."""
    working, leaving = asyncio.create_task(work), asyncio.create_task(_left(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _declined(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, Declined)
    return answers.error(problem.status, str(problem), problem.parameter, problem.code)


def _no_such_thing(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    message = f"{problem.detail}: {request.method} {request.url.path[:200]}"
    refused = answers.error(problem.status_code, message)
    refused.headers.update(problem.headers or {})
    return refused


def _nobody_there(request: Request, problem: Exception) -> Response:
    return answers.error(400, "the client left")


def _failed(request: Request, problem: Exception) -> Response:
    return answers.error(500, f"the server failed: {type(problem).__name__} {problem}")
