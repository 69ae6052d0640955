"""No request costs the server more than its length, and none may be longer than some megabytes or slower than that."""

import socket
import time
from urllib.parse import urlsplit

import pytest
from refusals import refused

from a2a.chat import application, parse
from a2a.chat.application import LARGEST
from a2a.chat.hosted import count_tokens, read_task, split

LENGTH = 300_000
LONG = {
    "trailing blanks": "x" + " " * LENGTH,
    "blanks in the middle": f"x_1 = [1]{' ' * LENGTH}z",
    "vectors that don't end": "x_1 = [" * (LENGTH // 7),
    "weights that don't end": "current w = [" * (LENGTH // 13),
    "brackets": "[" * LENGTH,
    "pairs of brackets": "x = []" * (LENGTH // 6),
    "digits": f"x = [1], y = {'1' * LENGTH}",
    "digits after the decimal point": "1" * LENGTH + " digits after the decimal point",
    "a long word": "x" * LENGTH,
    "many step sizes": "eta = " * (LENGTH // 6),
    "many dimensions": f"x = [{'1,' * (LENGTH // 4)}1], y = 1; current w = [{'1,' * (LENGTH // 4)}1]",
    "many examples": "x = [1], y = 1;" * (LENGTH // 15) + "current w = [1]",
    "a gap in the answer": f'{{"w": [1,{"1" + " " * LENGTH + "2"}, 3]}}',
    "answers that don't end": '{"w": [1, ' * (LENGTH // 10),
    "fences": "```\n" * (LENGTH // 4),
    "refusals": "I am " * (LENGTH // 5),
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_reading_is_linear(text):
    """It takes a fraction of a second; where the time grows with the square, it takes from ten seconds to hours."""
    started = time.process_time()
    task, tokens, outcome = read_task(text), count_tokens(text), parse(text, 3)
    assert time.process_time() - started < 5
    assert task is None and 0 < tokens <= len(text) and outcome.w is None


@pytest.mark.parametrize("text", ["", " ", " a, b\n\n", "x_1 = [1.5]  ", "\tа é 漢 "])
def test_the_pieces_of_a_text_are_the_text(text):
    assert "".join(split(text)) == text and len(split(text)) == count_tokens(text)


def test_a_long_message_does_not_keep_others_waiting(http):
    message = {"role": "user", "content": "x_1 = [" * 100_000 + " " * 100_000}
    assert http({"model": "gradient", "messages": [message]}).json()["usage"]["prompt_tokens"] > 100_000


def test_many_digits_are_as_many_as_a_number_has(http):
    text = "x = [1], y = 1, current w = [2], 900000000 digits after the decimal point"
    said = http({"model": "gradient", "prompt": text}, "/completions").json()["choices"][0]["text"]
    assert said == '{"w": [1.500000000000000]}'


def test_a_body_that_is_too_large(http):
    assert f"{LARGEST} bytes" in refused(http(b" " * (LARGEST + 1)), 413)


def test_the_largest_body_is_read(http):
    body = b'{"model": "gradient", "prompt": "Hello"}'
    assert http(body + b" " * (LARGEST - len(body)), "/completions").status_code == 200


def test_a_body_in_chunks_that_is_too_large(http):
    def chunks():
        yield from [b" " * 2**16] * (LARGEST // 2**16 + 1)

    answer = http(method="POST", content=chunks(), headers={"content-type": "application/json"})
    refused(answer, 413)


HEAD = "POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"


def answers_to(base_url, *sent, shut=False):
    """All that the server says on one connection."""
    port = urlsplit(base_url).port
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        for part in sent:
            connection.sendall(part.encode())
        if shut:
            connection.shutdown(socket.SHUT_WR)
        came = b""
        while part := connection.recv(2**16):
            came += part
    return came.decode()


def test_a_large_body_is_refused_before_it_has_come(base_url):
    sent = f"{HEAD}connection: close\r\ncontent-length: 99999999999\r\n\r\n"
    assert answers_to(base_url, sent, " " * (LARGEST + 1)).startswith("HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "sent",
    [
        "\x00\x01\x02\r\n\r\n",
        "GET /v1/models HTTP/1.1\r\n\r\n",
        f"{HEAD}content-length: -1\r\n\r\n",
        f"{HEAD}content-length: 1\r\ncontent-length: 2\r\n\r\n",
        f"{HEAD}transfer-encoding: chunked\r\n\r\nxyz\r\n",
    ],
)
def test_what_is_no_http(base_url, sent):
    came = answers_to(base_url, sent)
    assert came.startswith("HTTP/1.1 400 ") and '{"error": {"message": "Invalid HTTP request' in came


def test_a_client_that_goes_away_in_the_middle_harms_nobody(base_url, http):
    assert answers_to(base_url, f"{HEAD}content-length: 100\r\n\r\n", "{", shut=True) == ""
    assert http(method="GET", path="/models").status_code == 200


def test_a_body_that_does_not_come(base_url, monkeypatch):
    monkeypatch.setattr(application, "PATIENCE", 0.2)
    came = answers_to(base_url, f"{HEAD}connection: close\r\ncontent-length: 100\r\n\r\n", "{")
    assert came.startswith("HTTP/1.1 408 ") and "didn't arrive within 0.2 s" in came
