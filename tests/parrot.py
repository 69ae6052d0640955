"""A server that repeats the key it is sent wherever a server can, and a search for it in whatever was written."""

import base64
import gzip
import html
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote

KEY = "Planted/0123+456abcdef"
"""Not every key looks like one."""
SPELLINGS = {
    "plain": lambda key: key,
    "capitals": str.upper,
    "escaped": lambda key: "".join(f"\\u{ord(c):04x}" for c in key),
    "escaped-twice": lambda key: "".join(f"\\\\u{ord(c):04X}" for c in key),
    "address": lambda key: quote(key, safe=""),
    "address-twice": lambda key: quote(quote(key, safe=""), safe=""),
    "html": lambda key: "".join(f"&#{ord(c)};" for c in key),
    "base64": lambda key: base64.b64encode(f"Bearer {key}".encode()).decode(),
    "base64-shifted": lambda key: base64.urlsafe_b64encode(f"it is {key}!".encode()).decode(),
    "utf-16": lambda key: "".join(f"{c}\\u0000" for c in key),
}
STATUS = {"401": 401, "429": 429, "500": 500, "page": 500, "redirect": 307, "text": 200, "prose": 200}
KINDS = (*STATUS, "reason", "garbage", "header")


@contextmanager
def parrot(elsewhere: str) -> Iterator[tuple[str, list[str]]]:
    """Its address, and what it heard: the model of each request that came with the key.

    A model is named "kind/spelling": what goes wrong, and how the key is spelled. A redirect leads to `elsewhere`.
    """
    heard: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            model = json.loads(self.rfile.read(int(self.headers["content-length"])))["model"]
            said = (self.headers["authorization"] or "").removeprefix("Bearer ")
            heard.extend([model] * (said == KEY))
            kind, _, spelling = model.partition("/")
            self._say(kind, SPELLINGS[spelling](said))

        def do_GET(self) -> None:
            self._body(200, b'{"data": []}', {})

        def _say(self, kind: str, key: str) -> None:
            self.close_connection = True
            if kind == "garbage":
                self.wfile.write(f"{key}\r\n\r\n".encode())
            elif kind == "header":
                self.wfile.write(f"HTTP/1.1 200 OK\r\n{key}\r\n\r\n".encode())
            elif kind == "reason":
                self.wfile.write(f"HTTP/1.1 500 {key}\r\ncontent-length: 0\r\n\r\n".encode())
            else:
                place = f"http://user:{key}@{elsewhere.removeprefix('http://')}/{key}?{key}"
                headers = {"x-request-id": key, f"x-{key[:8].strip('/%&')}": key} | {"retry-after": key}
                self._body(
                    STATUS[kind], _answer(kind, key), headers | ({"location": place} if kind == "redirect" else {})
                )

        def _body(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "content-type": "application/json", "content-length": len(body)}.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *given: object) -> None:
            pass

    with _serving(Handler) as url:
        yield f"{url}/v1", heard


@contextmanager
def listener() -> Iterator[tuple[str, list[str]]]:
    """A server's address, and what it was asked and with which headers."""
    heard: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            heard.append(self.rfile.readline().decode())
            self.close_connection = True

    with _serving(Handler) as url:
        yield url, heard


@contextmanager
def _serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _answer(kind: str, key: str) -> bytes:
    """A body with the key in every field; it is spelled already, so it is put in when the rest is JSON."""
    if kind == "page":
        return f"<html><title>{key}</title>{key}</html>".encode()
    if kind == "prose":
        return key.encode()
    error = {"message": "your key is @", "code": "@", "param": "@", "type": "@", "@": ["@"]}
    message = {"role": "@", "content": "@ is your key: [1, 2, 3]", "refusal": None, "@": "@"}
    choice = {"message": message, "text": "@ again", "finish_reason": "@", "index": 0, "logprobs": {"@": "@"}}
    told = {"id": "@", "model": "@", "object": "@", "choices": [choice], "usage": {"@": "@", "prompt_tokens": 1}}
    return json.dumps({"error": error} if STATUS[kind] != 200 else told).replace("@", key).encode()


def files_with_key(folder: Path) -> list[Path]:
    """The files below a folder, but for those of libraries, that hold the key in any spelling, or in their name."""
    files = [file for file in folder.rglob("*") if file.is_file() and not {"_static", "compiled"} & set(file.parts)]
    return [file for file in files if _holds(_unpacked(file)) or _holds(str(file).encode())]


def _unpacked(file: Path) -> bytes:
    content = file.read_bytes()
    return gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content


def _holds(content: bytes) -> bool:
    text = content.decode("latin-1").replace("\0", "")
    for _ in range(4):
        text = re.sub(r"\\+u00([0-9a-fA-F]{2})", lambda found: chr(int(found[1], 16)), text).replace("\0", "")
        text = unquote(html.unescape(text)).replace("\\/", "/").replace("\\\\", "\\")
    runs = re.findall(r"[A-Za-z0-9+/_-]{20,}", text)
    decoded = [_decoded(run[at:]) for run in runs for at in range(4)]
    return KEY.lower() in text.lower() or any(KEY.encode() in one for one in decoded)


def _decoded(coded: str) -> bytes:
    whole = coded[: len(coded) - (len(coded) % 4 == 1)].replace("+", "-").replace("/", "_")
    return base64.urlsafe_b64decode(whole + "=" * (-len(whole) % 4))
