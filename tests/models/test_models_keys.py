import pytest

from a2a.models.errors import CallError
from a2a.models.keys import NONE, is_local, key_for

KEY = "planted/0123+456\\789abcdef"


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://localhost/v1", True),
        ("http://[::1]:80/v1", True),
        ("https://api.openai.com/v1", False),
        ("http://127.0.0.1.example.org/v1", False),
    ],
)
def test_which_servers_are_of_this_machine(url, local):
    assert is_local(url) == local


@pytest.mark.parametrize("url", ["api.openai.com/v1", "file:///etc/passwd", "", "http://"])
def test_what_is_no_address(url):
    with pytest.raises(ValueError, match="base_url must be like"):
        is_local(url)


@pytest.mark.parametrize(
    "url", [f"http://me:{KEY}@127.0.0.1/v1", f"https://{KEY}@h/v1", f"http://h/v1?token={KEY}", f"http://h/#{KEY}"]
)
def test_an_address_that_holds_secrets_is_refused_and_not_repeated(url):
    with pytest.raises(ValueError, match="without user, password and query") as caught:
        is_local(url)
    assert KEY not in str(caught.value)


def test_the_key_is_that_of_the_environment(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert key_for("https://api.example.org/v1") == key_for("http://127.0.0.1/v1") == KEY


@pytest.mark.parametrize("unset", [lambda patch: patch.delenv("OPENAI_API_KEY", raising=False), None])
def test_without_a_key_only_this_machine_is_asked(monkeypatch, unset):
    monkeypatch.setenv("OPENAI_API_KEY", "")
    if unset:
        unset(monkeypatch)
    assert key_for("http://127.0.0.1/v1") == NONE
    with pytest.raises(CallError, match="set the environment variable OPENAI_API_KEY"):
        key_for("https://api.example.org/v1")


@pytest.mark.parametrize("key", ["planted\n", "plan ted", "plänted", "planted\x00"])
def test_a_key_that_no_header_can_carry_is_refused_before_any_call(monkeypatch, key):
    with monkeypatch.context() as patch:
        patch.setattr("os.environ", {"OPENAI_API_KEY": key})
        with pytest.raises(CallError, match="OPENAI_API_KEY holds a blank") as caught:
            key_for("http://127.0.0.1/v1")
    assert "plan" not in str(caught.value) and "key" not in caught.traceback[-1].frame.f_locals
