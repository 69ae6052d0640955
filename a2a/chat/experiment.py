"""An experiment with agents behind chat APIs: who takes part, how each is asked, and who gives nothing to go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from a2a.chat.agent import ChatAgent, NoValidReply, Settings
from a2a.chat.client import ChatClient, Mode
from a2a.chat.offline import OFFLINE, known
from a2a.chat.server import local_server
from a2a.chat.transcripts import ReplayMiss, Transcripts, recording_file, recordings
from a2a.models.errors import BudgetExhausted
from a2a.places import book_root, given_path
from a2a.prompts import Prompt

T = TypeVar("T")


class LeftOut(RuntimeError):
    """Why an agent gives nothing to go on, found while it is studied."""


@dataclass(frozen=True)
class LineUp:
    """Who takes part in an experiment.

    Attributes:
        names: of all agents, in the order in which they are shown.
        live: those that are asked; the others' replies are replayed.
        recorded: by name, what is replayed.
        mode: see `ChatClient`.
        base_url: where those that are asked answer; empty for the local server.
        written_to: folder or file that new calls are recorded in.
    """

    names: list[str]
    live: list[str]
    recorded: Mapping[str, Transcripts]
    mode: Mode
    base_url: str
    written_to: Path


def line_up(
    d: int, *, model: str = "", base_url: str = "", mode: Mode = "live", transcript: str = "", also: Iterable[str] = ()
) -> LineUp:
    """The agents of an experiment: one model, or all offline agents and whatever else is recorded.

    Args:
        d: dimension of the tasks.
        model: the only one to take part.
        base_url, mode: see `LineUp`.
        transcript: folder or file of recordings, to replay or to write; the book's own are replayed without it.
        also: offline agents that are asked though by default they aren't.

    Raises:
        ValueError: if a base_url comes without a model, a transcript in a mode that has none, or nothing is recorded of
            what should be replayed.
    """
    if base_url and not model:
        raise ValueError("a base_url needs the name of a model there")
    if transcript and mode == "live":
        raise ValueError('a transcript needs the mode "record" or "replay": "live" neither keeps nor reads replies')
    library = (book_root() or Path.cwd()) / "transcripts"
    recorded = recordings(library) if library.is_dir() else {}
    if transcript and mode == "replay":
        recorded = recordings(given_path(transcript))
    asked = [model] if model else [name for name, agent in OFFLINE.items() if agent.live and agent.does(d)]
    live = [] if mode == "replay" else list(dict.fromkeys([*asked, *([] if model else also)]))
    names = [model] if model else _ordered({*live, *recorded})
    if not set(names) - set(live) <= set(recorded) or not names:
        raise ValueError(f"no recorded answers {f'of {model}' if model else 'there'}")
    written_to = given_path(transcript) if transcript else library.parent / "runs/transcripts"
    return LineUp(names, live, recorded, mode, base_url, written_to)


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
                if self.line_up.mode == "replay":
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


def _ordered(names: Iterable[str]) -> list[str]:
    """Offline agents first, as they are registered, then others by their names."""
    order = list(OFFLINE)
    return sorted(sorted(names), key=lambda name: order.index(name) if name in order else len(order))
