"""From data classes to JSON and back. What a newer daemon adds is passed over."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from skep.errors import ProtocolError

T = TypeVar("T")


def encode(value: Any) -> Any:
    """The JSON of a data class, without what says no more than its absence."""
    if is_dataclass(value) and not isinstance(value, type):
        return {
            field.name.rstrip("_"): encode(held)
            for field in fields(value)
            if not _is_default(field, held := getattr(value, field.name))
        }
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a time needs its zone: datetime.now(timezone.utc)")
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    if isinstance(value, Mapping):
        return {key: encode(item) for key, item in value.items()}
    return value


def decode(kind: type[T], value: Any, place: str = "the answer") -> T:
    """A value of that type, made of JSON.

    Raises ProtocolError for what does not fit.
    """
    return cast(T, _decode(kind, value, place, {}))


def _is_default(field: Any, held: Any) -> bool:
    if field.default is not MISSING:
        return bool(held == field.default)
    if field.default_factory is not MISSING:
        return bool(held == field.default_factory())
    return False


def _decode(kind: Any, value: Any, place: str, bound: dict[Any, Any]) -> Any:
    if isinstance(kind, TypeVar):
        kind = bound[kind]
    if kind is Any:
        return value
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        if value is None:
            return None
        (kind,) = (one for one in get_args(kind) if one is not type(None))
        return _decode(kind, value, place, bound)
    if origin is list:
        of = get_args(kind)[0]
        items = _expect(list, value, place)
        return [_decode(of, item, f"{place}[{at}]", bound) for at, item in enumerate(items)]
    if origin is dict:
        of = get_args(kind)[1]
        entries = _expect(dict, value, place)
        return {key: _decode(of, item, f"{place}.{key}", bound) for key, item in entries.items()}
    if origin is Literal:
        return _expect(str, value, place)
    if kind is datetime:
        return _instant(value, place)
    if kind is float:
        return float(_expect((int, float), value, place))
    if kind in (str, int, bool):
        return _expect(kind, value, place)
    return _record(kind, origin, value, place, bound)


def _record(kind: Any, origin: Any, value: Any, place: str, bound: dict[Any, Any]) -> Any:
    record = origin or kind
    if origin is not None:
        inner = (bound.get(one, one) for one in get_args(kind))
        bound = dict(zip(record.__parameters__, inner, strict=True))
    entries = _expect(dict, value, place)
    held: dict[str, Any] = {}
    for name, wire, of, required in _plan(record):
        if wire in entries:
            held[name] = _decode(of, entries[wire], f"{place}.{wire}", bound)
        elif required:
            raise ProtocolError(f"{place} has no {wire}")
    return record(**held)


@cache
def _plan(record: Any) -> list[tuple[str, str, Any, bool]]:
    hints = get_type_hints(record)
    return [
        (
            field.name,
            field.name.rstrip("_"),
            hints[field.name],
            field.default is MISSING and field.default_factory is MISSING,
        )
        for field in fields(record)
    ]


def _expect(kind: Any, value: Any, place: str) -> Any:
    # A flag is no number, although Python says so.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ProtocolError(f"{place} is not what it should be, but {type(value).__name__}")
    return value


def _instant(value: Any, place: str) -> datetime:
    try:
        return datetime.fromisoformat(_expect(str, value, place))
    except ValueError as error:
        raise ProtocolError(f"{place} is no time: {error}") from error
