"""What calls to a server use and cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from a2a.models.errors import BudgetExhausted


@dataclass(frozen=True)
class Prices:
    """US dollars per million tokens read (`prompt`) and written (`completion`), from the provider's price list."""

    prompt: float
    completion: float

    @property
    def known(self) -> bool:
        """Whether both were given: a price of 0 is one that nobody has looked up, not a gift."""
        return self.prompt > 0 and self.completion > 0


@dataclass
class Usage:
    """What was used: tries of a call, how many failed, how many replies, and the server's token counts."""

    calls: int = 0
    failed: int = 0
    replies: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def tokens(self) -> int:
        """Tokens read and written."""
        return self.prompt_tokens + self.completion_tokens

    def cost(self, prices: Prices | None) -> float | None:
        """In US dollars; None without prices."""
        if prices is None:
            return None
        return (self.prompt_tokens * prices.prompt + self.completion_tokens * prices.completion) / 1e6

    def add(self, counts: Mapping[str, int] | None) -> None:
        """Count one reply with the server's token counts, where it gave them."""
        self.replies += 1
        self.prompt_tokens += (counts or {}).get("prompt_tokens", 0)
        self.completion_tokens += (counts or {}).get("completion_tokens", 0)


@dataclass(frozen=True)
class Budget:
    """What calls may use: tries of a call, and tokens or US dollars after which no more are sent; None is no limit.

    Calls that are under way when the tokens or dollars run out are still finished.

    Attributes:
        prices: what tokens cost.
        before: US dollars that were spent before, and count.

    Raises:
        ValueError: if dollars are to be counted and the prices aren't known.
    """

    calls: int | None = None
    tokens: int | None = None
    dollars: float | None = None
    prices: Prices | None = None
    before: float = 0.0

    def __post_init__(self) -> None:
        if self.dollars is not None and not (self.prices and self.prices.known):
            raise ValueError(f"a budget of {self.dollars:g} US dollars needs both prices, got {self.prices}")

    def check(self, used: Usage) -> None:
        """Allow one more call.

        Raises:
            BudgetExhausted: if it isn't allowed.
        """
        for spent, limit, what in ((used.calls, self.calls, "calls"), (used.tokens, self.tokens, "tokens")):
            if limit is not None and spent >= limit:
                raise BudgetExhausted(f"the budget of {limit} {what} is used up ({spent} used)")
        if self.dollars is not None and (cost := self.before + (used.cost(self.prices) or 0.0)) >= self.dollars:
            raise BudgetExhausted(f"the budget of {self.dollars:g} US dollars is used up ({cost:.2f} spent)")


def token_counts(answer: Mapping[str, object]) -> dict[str, int]:
    """The token counts of an answer of an OpenAI-compatible server, as many as there are."""
    said = answer.get("usage")
    usage = said if isinstance(said, dict) else {}
    details = usage.get("completion_tokens_details")
    counts = {**usage, "reasoning_tokens": details.get("reasoning_tokens") if isinstance(details, dict) else None}
    names = ("prompt_tokens", "completion_tokens", "reasoning_tokens")
    return {name: count for name in names if type(count := counts.get(name)) is int and count >= 0}
