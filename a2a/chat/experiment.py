"""An experiment with agents behind chat APIs: how each is asked, and who gives nothing to go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from copy import copy
from dataclasses import dataclass, field
from typing import Any, TypeVar

from a2a.chat.agent import ChatAgent, NoValidReply, Settings
from a2a.chat.client import ChatClient
from a2a.chat.lineup import LineUp
from a2a.chat.offline import known
from a2a.chat.server import local_server
from a2a.chat.transcripts import ReplayMiss, Transcripts, recording_file
from a2a.models.errors import BudgetExhausted
from a2a.prompts import Prompt

T = TypeVar("T")


class LeftOut(RuntimeError):
    """Why an agent gives nothing to go on, found while it is studied."""


@dataclass(frozen=True)
class Asking:
    """How every agent of an experiment is asked; see `Form`, `Settings` and `ChatAgent` for what each is."""

    eta: float | None
    digits: int = 4
    room: bool = False
    attempts: int = 3
    temperature: float | None = None
    reasoning_effort: str | None = None


@dataclass
class Experiment:
    """The agents of a line-up, each with a client of its own, and what became of them.

    Attributes:
        line_up, asking: who, and how.
        options: of every `ChatClient`, such as concurrency and budget_calls.
        clients: by name.
        dropped: why an agent is left out of what follows, by name.
    """

    line_up: LineUp
    asking: Asking
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.dropped: dict[str, str] = {}
        self._may_miss = self.line_up.mode != "replay"
        self._made: dict[str, list[ChatAgent]] = {name: [] for name in self.line_up.names}
        self._server = ExitStack()
        url = self.line_up.base_url
        if self.line_up.live and not url:
            url = self._server.enter_context(local_server())
        self.clients = {name: self._client(name, url) for name in self.line_up.names}

    def close(self) -> None:
        """Stop the local server, if there is one."""
        self._server.close()

    @property
    def left(self) -> list[str]:
        """The agents that weren't dropped."""
        return [name for name in self.line_up.names if name not in self.dropped]

    def expect(self, calls: int) -> None:
        """Say before anything is asked that each agent will be asked so often at least.

        A run that records may go over its budget: the next one asks on from there.

        Raises:
            BudgetExhausted: if nothing is recorded and the budget is smaller.
        """
        budget = self.options.get("budget_calls")
        if self.line_up.live and self.line_up.mode == "live" and budget is not None and budget < calls:
            raise BudgetExhausted(
                f"this takes {calls} calls of each model, and budget_calls is {budget}: none was sent"
            )

    def otherwise(self, asking: Asking, d: int) -> Experiment:
        """The same agents asked in another way, about tasks of dimension d; it drops agents on an account of its own.

        Clients, and with them budgets and recordings, are shared, and so are the counted outcomes. What a recording
        doesn't hold drops an agent in replay, too.
        """
        other = copy(self)
        other.asking, other.dropped, other._may_miss = asking, {}, True
        for name in self.line_up.names:
            if (offline := known(name)) is not None and not offline.does(d):
                other.dropped[name] = f"does d = {offline.dimension} only"
        return other

    def agent(self, name: str, prompt: Prompt, stream: int, attempts: int | None = None) -> ChatAgent:
        """An agent with a prompt; equal questions of different streams are different calls."""
        how, offline = self.asking, known(name)
        temperature = how.temperature
        if temperature is None and offline is not None:
            temperature = offline.temperature
        agent = ChatAgent(
            self.clients[name],
            prompt,
            how.eta,
            model=name,
            digits=how.digits,
            room=how.room,
            settings=Settings(temperature=temperature, reasoning_effort=how.reasoning_effort, seed=stream),
            attempts=how.attempts if attempts is None else attempts,
        )
        self._made[name].append(agent)
        return agent

    def study(self, of: Callable[[str], T]) -> dict[str, T]:
        """What `of(name)` finds for each agent that is left; those without a valid reply, or left out, are dropped.

        Raises:
            ReplayMiss: in replay, if a question isn't recorded. Elsewhere the agent is dropped.
        """
        seen: dict[str, T] = {}
        for name in self.left:
            try:
                seen[name] = of(name)
            except NoValidReply:
                self.dropped[name] = f"no valid reply in {self.asking.attempts} attempts"
            except LeftOut as why:
                self.dropped[name] = str(why)
            except ReplayMiss:
                if not self._may_miss:
                    raise
                self.dropped[name] = "not recorded with these parameters"
        return seen

    def outcomes(self, name: str) -> Counter[str]:
        """How often each outcome came from an agent so far."""
        return sum((agent.counts for agent in self._made[name]), Counter())

    def _client(self, name: str, url: str) -> ChatClient:
        options, offline = dict(self.options), known(name)
        if name not in self.line_up.live:
            return ChatClient(transcripts=self.line_up.recorded[name], mode="replay", **options)
        if offline is not None and offline.one_at_a_time:
            options["concurrency"] = 1
        mode, kept = self.line_up.mode, None
        if mode == "record":
            kept = Transcripts(recording_file(self.line_up.written_to, name))
            kept.require_writable()
        return ChatClient(url, transcripts=kept, mode=mode, **options)
