"""What calls use and cost."""

from __future__ import annotations

from dataclasses import dataclass

from a2a.chat.calls import Reply


@dataclass(frozen=True)
class Prices:
    """US dollars per million tokens read (`prompt`) and written (`completion`), from the provider's price list."""

    prompt: float
    completion: float


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

    def add(self, reply: Reply) -> None:
        """Count one reply."""
        counts = reply.usage or {}
        self.replies += 1
        self.prompt_tokens += counts.get("prompt_tokens", 0)
        self.completion_tokens += counts.get("completion_tokens", 0)
