"""When something is tried again, and after how long."""

from __future__ import annotations

import random
from dataclasses import dataclass

from skep.errors import (
    ApiError,
    ConnectionBrokenError,
    ConnectionFailedError,
    DeadlineError,
    RateLimitedError,
    SkepError,
    UnavailableError,
    UpstreamError,
)


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and how patiently a call is tried again.

    Only what may be sent twice is: reads, and captures, whose turns carry ids of their own. Anything is,
    when it never left this machine.
    """

    times: int = 2
    """Tries after the first; 0 for none."""
    base: float = 0.1
    """Seconds before the first of them, about; twice as many before each other."""
    cap: float = 5.0
    """The most of that."""
    longest: float = 30.0
    """If the daemon asks for a longer wait than this, its error is raised instead."""

    def wait(self, error: SkepError, tried: int, is_safe: bool) -> float | None:
        """Seconds to wait before the next try, or None if there is none."""
        if tried >= self.times or not _may_pass(error, is_safe):
            return None
        asked = error.retry_after if isinstance(error, ApiError) else None
        backoff = random.uniform(0.5, 1.0) * min(self.cap, self.base * 2.0**tried)
        if asked is None:
            return backoff
        # Never before the time, and not all at the same one.
        return asked + backoff if asked <= self.longest else None


def _may_pass(error: SkepError, is_safe: bool) -> bool:
    if isinstance(error, ConnectionFailedError):
        return True
    passing = (
        ConnectionBrokenError,
        DeadlineError,
        RateLimitedError,
        UnavailableError,
        UpstreamError,
    )
    return is_safe and isinstance(error, passing)
