"""What a call is, before it has anything in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

Body = TypeVar("Body")
Query = TypeVar("Query")
Answer = TypeVar("Answer")

# These change something, but twice comes to the same as once: the daemon knows each turn by its id.
_IDEMPOTENT = frozenset({"Capture"})
# In seconds. Ordinary calls answer in milliseconds; these wait for other writers, for a server
# elsewhere, or do all that is left to be done of a session.
_PATIENCE = {
    "Capture": 120.0,
    "SourceFetch": 300.0,
    "SourceSync": 900.0,
    "SessionEnd": 900.0,
    "SessionErase": 900.0,
    "MemoryErase": 900.0,
    "Rewind": 900.0,
    "SourcePurge": 900.0,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Call(Generic[Body, Query]):
    name: str
    method: str
    path: str
    mutates: bool

    @property
    def is_safe(self) -> bool:
        """Whether it may be sent again when nobody knows what became of it."""
        return not self.mutates or self.name in _IDEMPOTENT

    @property
    def patience(self) -> float | None:
        """How long it may take, if that is longer than usual."""
        return _PATIENCE.get(self.name)


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation(_Call[Body, Query], Generic[Body, Query, Answer]):
    """A call that is answered with JSON."""

    answer: type[Answer]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stream(_Call[Body, Query], Generic[Body, Query]):
    """A call that is answered with bytes, as they are made."""
