"""What both clients share: requests before they have a connection, and what is made of answers."""

from __future__ import annotations

import json
import re
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

import httpx

from skep._login import Login
from skep._operation import Operation, Stream
from skep._retry import Retry
from skep._target import Target
from skep._wire import decode, encode
from skep.errors import (
    AuthenticationError,
    ConnectionBrokenError,
    ConnectionFailedError,
    DeadlineError,
    ProtocolError,
    SkepError,
    of_envelope,
)

VERSION = "0.1.0"
ANSWER_MAX = 64 << 20
"""Larger answers are refused while they arrive."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request before it has a connection."""

    method: str
    path: str
    query: str
    content: bytes | None
    is_safe: bool
    patience: float


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    shown: str
    """The credential that was shown for it."""


class Core:
    """A daemon, who we are to it, and how patient we are."""

    def __init__(self, target: Target, retry: Retry, timeout: float) -> None:
        self.target = target
        self.retry = retry
        self.timeout = timeout
        self.login = Login(target.home, target.login) if target.login else None
        self.connect = 2.0 if target.is_local else 10.0
        # The system's authorities, or those of SSL_CERT_FILE.
        self.tls: ssl.SSLContext | bool = True if target.is_local else ssl.create_default_context()

    def options(self) -> dict[str, Any]:
        """What a client of httpx is made with: no proxy, no netrc, no redirects."""
        return {
            "base_url": self.target.url,
            "trust_env": False,
            "follow_redirects": False,
            "timeout": httpx.Timeout(self.timeout, connect=self.connect),
        }

    def transport(self) -> dict[str, Any]:
        """What its transport is made with."""
        return {"uds": self.target.socket, "verify": self.tls, "trust_env": False}

    def prepare(
        self,
        call: Operation[Any, Any, Any] | Stream[Any, Any],
        id: str | None,
        body: Any,
        query: Any,
        timeout: float | None,
    ) -> Prepared:
        """The request of a call."""
        path = call.path
        if "{" in path:
            if not id:
                raise ValueError(f"{call.name} needs an id")
            path = re.sub(r"\{[^}]*\}", _segment(id), path)
        asked = {key: _plain(value) for key, value in encode(query).items()} if query else {}
        return Prepared(
            method=call.method,
            path=path,
            query=urlencode(asked),
            content=None if body is None else json.dumps(encode(body)).encode(),
            is_safe=call.is_safe,
            patience=timeout or call.patience or self.timeout,
        )

    def request(self, client: httpx.Client | httpx.AsyncClient, prepared: Prepared) -> httpx.Request:
        """The request with everything that says who we are."""
        headers = {
            "accept": "application/json",
            # What is unpacked has no bound.
            "accept-encoding": "identity",
            "user-agent": f"skep-python/{VERSION}",
        }
        if prepared.content is not None:
            headers["content-type"] = "application/json"
        if self.target.token:
            headers["authorization"] = f"Bearer {self.target.token}"
        if self.login:
            headers |= self.login.headers(prepared.method, prepared.path)
        return client.build_request(
            prepared.method,
            f"{prepared.path}?{prepared.query}" if prepared.query else prepared.path,
            headers=headers,
            content=prepared.content,
            timeout=httpx.Timeout(prepared.patience, connect=self.connect),
        )

    @property
    def has_to_renew(self) -> bool:
        """Whether the login is over."""
        return self.login is not None and self.login.is_over()

    def renew(self) -> None:
        """Renews the login if it is over. Blocks."""
        if self.login and self.login.is_over():
            self.login.renew(self._post)

    def _post(
        self, path: str, form: Mapping[str, str], headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], bytes]:
        transport = httpx.HTTPTransport(**self.transport())
        with httpx.Client(transport=transport, **self.options()) as client:
            try:
                with client.stream("POST", path, data=dict(form), headers=dict(headers)) as answer:
                    gathered = Gathered(self.timeout)
                    for part in answer.iter_raw():
                        gathered.add(part)
                    return answer.status_code, answer.headers, gathered.whole()
            except httpx.HTTPError as error:
                raise translated(error, self.target) from error


class Gathered:
    """A body as it arrives, within its bounds."""

    def __init__(self, patience: float) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._until = time.monotonic() + patience

    def add(self, part: bytes) -> None:
        """The next part."""
        self._size += len(part)
        if self._size > ANSWER_MAX:
            raise ProtocolError("the answer is larger than 64 MiB")
        if time.monotonic() > self._until:
            raise DeadlineError("the answer did not end in time")
        self._parts.append(part)

    def whole(self) -> bytes:
        """All of it."""
        return b"".join(self._parts)


class Attempts:
    """The tries of one call."""

    def __init__(self, core: Core, prepared: Prepared) -> None:
        self._core = core
        self._prepared = prepared
        self._tried = 0
        self._told_nonce = False
        self._renewed = False

    def judge(self, outcome: Answer | SkepError) -> Answer | float:
        """A good answer, or how long to wait before the next try.

        Raises what there is to raise when there is none.
        """
        if isinstance(outcome, Answer):
            if self._core.login:
                self._core.login.note(outcome.headers)
            if 200 <= outcome.status < 300:
                return outcome
            error = refusal(outcome.status, outcome.headers, outcome.body)
            if isinstance(error, AuthenticationError) and self._is_worth_showing_again(outcome):
                return 0.0
        else:
            error = outcome
        wait = self._core.retry.wait(error, self._tried, self._prepared.is_safe)
        if wait is None:
            raise error
        self._tried += 1
        return wait

    def _is_worth_showing_again(self, refused: Answer) -> bool:
        """Whether a login was refused for something that we can mend, once each. Nothing was done."""
        login = self._core.login
        if login is None:
            return False
        if "use_dpop_nonce" in refused.headers.get("www-authenticate", ""):
            told, self._told_nonce = self._told_nonce, True
            return not told
        login.forget(refused.shown)
        renewed, self._renewed = self._renewed, True
        return not renewed


def refusal(status: int, headers: Mapping[str, str], body: bytes) -> SkepError:
    """The error that an answer tells of."""
    try:
        envelope = json.loads(body)
    except ValueError:
        envelope = None
    return of_envelope(status, envelope, _retry_after(headers))


def read(kind: type[T], body: bytes) -> T:
    """What an answer holds."""
    try:
        return decode(kind, json.loads(body))
    except ValueError as error:
        raise ProtocolError("the answer is not JSON") from error


def translated(error: httpx.HTTPError, target: Target) -> SkepError:
    """What a failure of the connection comes to."""
    where = target.socket or target.url
    if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)):
        return ConnectionFailedError(f"no daemon answers at {where} ({error})")
    if isinstance(error, httpx.TimeoutException):
        return DeadlineError(f"no answer from {where} in time")
    return ConnectionBrokenError(f"the connection to {where} failed ({error})")


def pager(query: Any) -> Callable[[str], Any]:
    """Gives the query of the page behind a cursor; refuses one that came before."""
    from dataclasses import replace

    seen: set[str] = set()

    def of(cursor: str) -> Any:
        if cursor in seen:
            raise ProtocolError("the pages go round in circles")
        seen.add(cursor)
        return replace(query, cursor=cursor)

    return of


def _segment(id: str) -> str:
    """No text becomes a second segment, `..`, or a query."""
    return "".join(
        chr(byte) if chr(byte).isascii() and (chr(byte).isalnum() or byte in b"_-") else f"%{byte:02X}"
        for byte in id.encode()
    )


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    said = headers.get("retry-after", "")
    if said.isascii() and said.isdigit():
        return float(said)
    try:
        return max(parsedate_to_datetime(said).timestamp() - time.time(), 0.0)
    except ValueError:
        return None
