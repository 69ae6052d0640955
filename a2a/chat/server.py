"""A small OpenAI-compatible server for this machine only: the offline agents, over real HTTP.

with local_server() as base_url:
    client = ChatClient(base_url)
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from a2a.chat.answers import error_body
from a2a.chat.application import application
from a2a.chat.offline import available
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
    server = _server(app or application(key))
    thread = threading.Thread(target=server.run, args=([listening],), name="a2a-server", daemon=True)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("the local server didn't start")
            time.sleep(0.005)
        yield _url(listening)
    finally:
        server.should_exit = True
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
        _server(application(key)).run([listening])


class _Protocol(H11Protocol):
    """HTTP where what is none gets an error as OpenAI words it, too."""

    def send_400_response(self, msg: str) -> None:
        body = json.dumps(error_body(400, msg)).encode()
        head = f"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        self.transport.write(f"{head}connection: close\r\n\r\n".encode() + body)
        self.transport.close()


def _server(app: ASGIApp) -> uvicorn.Server:
    """It ends at once when told to: an answer under way, a hanging one among them, is cut off."""
    config = uvicorn.Config(
        app, http=_Protocol, ws="none", lifespan="off", log_level="critical", timeout_graceful_shutdown=0
    )
    return uvicorn.Server(config)


def _listen(host: str, port: int) -> socket.socket:
    if host not in LOOPBACK:
        raise ValueError(
            f"this server is for this machine only: host must be one of {', '.join(LOOPBACK)}, got {host!r}"
        )
    return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/v1"
