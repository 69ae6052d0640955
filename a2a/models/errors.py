"""What may go wrong with a call to a server; each is one line without the key in it."""

from __future__ import annotations


class CallError(RuntimeError):
    """A call that brought no answer."""


class RequestRejected(CallError):
    """The server won't take the request (400, 401, ...), and asking again wouldn't help.

    `declined` names a setting that it declines, if that is why.
    """

    declined: str | None = None


class CallFailed(CallError):
    """A failure that may pass: 429, 5xx, a timeout, a broken connection, an unreadable body.

    `wait` is how many seconds the server asks for.
    """

    wait: float | None = None


class BudgetExhausted(CallError):
    """The budget of calls or tokens is used up; everything answered so far is kept."""
