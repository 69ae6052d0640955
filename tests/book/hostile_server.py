"""A server of hostile models: whatever is asked, the next hostile text is answered, under names as bad."""

import json
from itertools import cycle

from hostile import HOSTILE

NAMES = ["<b>evil</b> $x_1$ \u202e\x1b[31m \\u{41}", 'it\'s `{glue:text}` | "\U000e0041" ' + "👩" * 100]


def hostile_app():
    """An ASGI application."""
    turn = cycle(HOSTILE.values())

    async def app(scope, receive, send):
        body = b""
        while scope["method"] == "POST":
            message = await receive()
            body += message["body"]
            if not message.get("more_body"):
                break
        path, model = scope["path"], json.loads(body or b"{}").get("model")
        if path.endswith("/models"):
            answer = {"data": [{"id": name, "object": "model"} for name in NAMES]}
        elif path.endswith("/chat/completions"):
            choice = {"message": {"role": "assistant", "content": next(turn)}, "finish_reason": "stop"}
            answer = {"model": model, "choices": [choice]}
        else:
            answer = {"model": model, "choices": [{"text": next(turn), "finish_reason": "stop"}]}
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    return app
