"""The client that waits for its answers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from time import sleep
from types import TracebackType
from typing import Self, TypeVar

import httpx

from skep import models as m
from skep import operations
from skep._core import Answer, Attempts, Core, Gathered, Prepared, pager, read, refusal, translated
from skep._operation import Operation, Stream
from skep._retry import Retry
from skep._target import resolve
from skep.errors import SkepError

B = TypeVar("B")
Q = TypeVar("Q")
A = TypeVar("A")


class Client:
    """A connection to a daemon, as whoever the home's files say.

    Without arguments that is the daemon of `skep login`, else this machine's own over its socket.
    May be used by several threads.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        home: str | os.PathLike[str] | None = None,
        token_file: str | os.PathLike[str] | None = None,
        local: bool = False,
        timeout: float = 30.0,
        retry: Retry = Retry(),
    ) -> None:
        """Finds the daemon; nothing is sent yet.

        url: such as `https://skep.example.com` [`SKEP_URL`]
        home: the data directory [`SKEP_HOME`, else `~/.skep`]
        token_file: a file of yours alone, with a key [`SKEP_TOKEN_FILE`]
        local: this machine's own daemon over its socket, wherever you are logged in
        timeout: seconds for one try of an ordinary call
        """
        self._core = Core(resolve(url, home, token_file, local), retry, timeout)
        transport = httpx.HTTPTransport(**self._core.transport())
        self._http = httpx.Client(transport=transport, **self._core.options())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    # Memories

    def remember(
        self,
        text: str,
        *,
        kind: str | None = None,
        project: str | None = None,
        visibility: str | None = None,
    ) -> m.RememberResponse:
        """Remembers a statement. `known` says that it was known already."""
        body = m.RememberRequest(text=text, kind=kind, project=project, visibility=visibility)
        return self.call(operations.MEMORY_CREATE, body=body)

    def recall(
        self,
        query: str,
        *,
        k: int | None = None,
        kinds: Sequence[str] = (),
        project: str | None = None,
        hints: Sequence[str] = (),
        token_budget: int | None = None,
        as_of: datetime | None = None,
        deadline_ms: int | None = None,
    ) -> m.RecallResponse:
        """What is remembered about a question, best first."""
        body = m.RecallRequest(
            query=query,
            k=k,
            kinds=list(kinds),
            project=project,
            hints=list(hints),
            token_budget=token_budget,
            as_of=as_of,
            deadline_ms=deadline_ms,
        )
        return self.call(operations.RECALL, body=body)

    def memory(self, id: str) -> m.Memory:
        """One memory."""
        return self.call(operations.MEMORY_GET, id=id)

    def memories(
        self, *, kind: str | None = None, as_of: datetime | None = None, page_size: int = 50
    ) -> Iterator[m.Memory]:
        """Memories, newest first, fetched as they are wanted."""
        query = m.MemoryQuery(kind=kind, as_of=as_of, limit=page_size)
        return self.items(operations.MEMORY_LIST, query)

    def edit(
        self,
        id: str,
        *,
        text: str | None = None,
        kind: str | None = None,
        visibility: str | None = None,
        reason: str | None = None,
    ) -> m.RememberResponse:
        """Puts a new version in a memory's place."""
        body = m.EditRequest(text=text, kind=kind, visibility=visibility, reason=reason)
        return self.call(operations.MEMORY_EDIT, id=id, body=body)

    def history(self, id: str) -> m.History:
        """Every version of a memory and what happened to it."""
        return self.call(operations.MEMORY_HISTORY, id=id)

    def forget(self, id: str, reason: str) -> m.Memory:
        """Takes a memory out of recall."""
        return self.call(operations.MEMORY_FORGET, id=id, body=m.ForgetRequest(reason=reason))

    def erase(self, id: str) -> m.Erased:
        """Deletes a memory, its vector and its history without a trace."""
        return self.call(operations.MEMORY_ERASE, id=id)

    # Sessions

    def capture(
        self, session: m.SessionRef, turns: Iterable[m.TurnInput], *, origin: m.Origin = "live"
    ) -> m.CaptureResponse:
        """Keeps turns of a session. What was sent before is known by its id, and not kept twice."""
        body = m.CaptureRequest(session=session, turns=list(turns), origin=origin)
        return self.call(operations.CAPTURE, body=body)

    def inject(
        self,
        *,
        harness: str,
        external_id: str,
        moment: str,
        prompt: str = "",
        cwd: str | None = None,
        project: str | None = None,
        token_budget: int | None = None,
        deadline_ms: int | None = None,
    ) -> m.InjectResponse:
        """What a model is to be given at a moment of a session, in the one safe form; recorded."""
        body = m.InjectRequest(
            harness=harness,
            external_id=external_id,
            moment=moment,
            prompt=prompt,
            cwd=cwd,
            project=project,
            token_budget=token_budget,
            deadline_ms=deadline_ms,
        )
        return self.call(operations.INJECT, body=body)

    def sessions(self, *, page_size: int = 50) -> Iterator[m.Session]:
        """Sessions, newest first, fetched as they are wanted."""
        return self.items(operations.SESSION_LIST, m.PageQuery(limit=page_size))

    def session(self, id: str) -> m.Session:
        """One session."""
        return self.call(operations.SESSION_GET, id=id)

    def turns(self, id: str, *, page_size: int = 50) -> Iterator[m.Turn]:
        """Turns of a session, oldest first, fetched as they are wanted."""
        return self.items(operations.SESSION_TURNS, m.PageQuery(limit=page_size), id=id)

    def end_session(self, id: str) -> m.EndResponse:
        """Ends a session and distils what is left of it."""
        return self.call(operations.SESSION_END, id=id)

    # The daemon

    def whoami(self) -> m.Whoami:
        """Who we are to the daemon, and what we may do."""
        return self.call(operations.WHOAMI)

    def ready(self) -> m.Probe:
        """Whether the daemon can answer."""
        return self.call(operations.READYZ)

    def health(self) -> m.Health:
        """What runs, and what is not as it should be."""
        return self.call(operations.SYSTEM_HEALTH)

    # Everything else

    def call(
        self,
        operation: Operation[B, Q, A],
        *,
        id: str | None = None,
        body: B | None = None,
        query: Q | None = None,
        timeout: float | None = None,
    ) -> A:
        """Any call of `skep.operations`."""
        prepared = self._core.prepare(operation, id, body, query, timeout)
        return read(operation.answer, self._send(prepared).body)

    def items(
        self, operation: Operation[None, Q, m.Page[A]], query: Q, *, id: str | None = None
    ) -> Iterator[A]:
        """The rows of all pages, fetched as they are wanted."""
        after = pager(query)
        while True:
            page = self.call(operation, id=id, query=query)
            yield from page.items
            if page.next is None:
                return
            query = after(page.next)

    @contextmanager
    def stream(
        self,
        operation: Stream[B, Q],
        *,
        id: str | None = None,
        body: B | None = None,
        query: Q | None = None,
        timeout: float | None = None,
    ) -> Iterator[Iterator[bytes]]:
        """Bytes as the daemon makes them; `timeout` is the longest silence between two parts."""
        prepared = self._core.prepare(operation, id, body, query, timeout)
        self._core.renew()
        try:
            response = self._http.send(self._core.request(self._http, prepared), stream=True)
            try:
                if not response.is_success:
                    raise refusal(response.status_code, response.headers, response.read())
                yield response.iter_raw()
            finally:
                response.close()
        except httpx.HTTPError as error:
            raise translated(error, self._core.target) from error

    def _send(self, prepared: Prepared) -> Answer:
        attempts = Attempts(self._core, prepared)
        while True:
            outcome: Answer | SkepError
            try:
                self._core.renew()
                outcome = self._exchange(prepared)
            except httpx.HTTPError as error:
                outcome = translated(error, self._core.target)
                outcome.__cause__ = error
            except SkepError as error:
                outcome = error
            verdict = attempts.judge(outcome)
            if isinstance(verdict, Answer):
                return verdict
            sleep(verdict)

    def _exchange(self, prepared: Prepared) -> Answer:
        request = self._core.request(self._http, prepared)
        gathered = Gathered(prepared.patience)
        response = self._http.send(request, stream=True)
        try:
            for part in response.iter_raw():
                gathered.add(part)
        finally:
            response.close()
        shown = request.headers.get("authorization", "")
        return Answer(response.status_code, response.headers, gathered.whole(), shown)
