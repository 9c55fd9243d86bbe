"""The client whose answers are awaited. Its methods are those of `skep.client.Client`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from types import TracebackType
from typing import Self, TypeVar

import httpx

from skep import models as m
from skep import operations
from skep._core import Answer, Attempts, Core, Gathered, Prepared, pager, read, refusal, translated
from skep._operation import Operation, Stream
from skep._retry import Retry
from skep._target import resolve
from skep.errors import DeadlineError, SkepError

B = TypeVar("B")
Q = TypeVar("Q")
A = TypeVar("A")


class AsyncClient:
    """A connection to a daemon, as whoever the home's files say.

    Without arguments that is the daemon of `skep login`, else this machine's own over its socket.
    For asyncio.
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
        transport = httpx.AsyncHTTPTransport(**self._core.transport())
        self._http = httpx.AsyncClient(transport=transport, **self._core.options())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    # Memories

    async def remember(
        self,
        text: str,
        *,
        kind: str | None = None,
        project: str | None = None,
        visibility: str | None = None,
    ) -> m.RememberResponse:
        """Remembers a statement. `known` says that it was known already."""
        body = m.RememberRequest(text=text, kind=kind, project=project, visibility=visibility)
        return await self.call(operations.MEMORY_CREATE, body=body)

    async def recall(
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
        return await self.call(operations.RECALL, body=body)

    async def memory(self, id: str) -> m.Memory:
        """One memory."""
        return await self.call(operations.MEMORY_GET, id=id)

    def memories(
        self, *, kind: str | None = None, as_of: datetime | None = None, page_size: int = 50
    ) -> AsyncIterator[m.Memory]:
        """Memories, newest first, fetched as they are wanted."""
        query = m.MemoryQuery(kind=kind, as_of=as_of, limit=page_size)
        return self.items(operations.MEMORY_LIST, query)

    async def edit(
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
        return await self.call(operations.MEMORY_EDIT, id=id, body=body)

    async def history(self, id: str) -> m.History:
        """Every version of a memory and what happened to it."""
        return await self.call(operations.MEMORY_HISTORY, id=id)

    async def forget(self, id: str, reason: str) -> m.Memory:
        """Takes a memory out of recall."""
        return await self.call(operations.MEMORY_FORGET, id=id, body=m.ForgetRequest(reason=reason))

    async def erase(self, id: str) -> m.Erased:
        """Deletes a memory, its vector and its history without a trace."""
        return await self.call(operations.MEMORY_ERASE, id=id)

    # Sessions

    async def capture(
        self, session: m.SessionRef, turns: Iterable[m.TurnInput], *, origin: m.Origin = "live"
    ) -> m.CaptureResponse:
        """Keeps turns of a session. What was sent before is known by its id, and not kept twice."""
        body = m.CaptureRequest(session=session, turns=list(turns), origin=origin)
        return await self.call(operations.CAPTURE, body=body)

    async def inject(
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
        return await self.call(operations.INJECT, body=body)

    def sessions(self, *, page_size: int = 50) -> AsyncIterator[m.Session]:
        """Sessions, newest first, fetched as they are wanted."""
        return self.items(operations.SESSION_LIST, m.PageQuery(limit=page_size))

    async def session(self, id: str) -> m.Session:
        """One session."""
        return await self.call(operations.SESSION_GET, id=id)

    def turns(self, id: str, *, page_size: int = 50) -> AsyncIterator[m.Turn]:
        """Turns of a session, oldest first, fetched as they are wanted."""
        return self.items(operations.SESSION_TURNS, m.PageQuery(limit=page_size), id=id)

    async def end_session(self, id: str) -> m.EndResponse:
        """Ends a session and distils what is left of it."""
        return await self.call(operations.SESSION_END, id=id)

    # The daemon

    async def whoami(self) -> m.Whoami:
        """Who we are to the daemon, and what we may do."""
        return await self.call(operations.WHOAMI)

    async def ready(self) -> m.Probe:
        """Whether the daemon can answer."""
        return await self.call(operations.READYZ)

    async def health(self) -> m.Health:
        """What runs, and what is not as it should be."""
        return await self.call(operations.SYSTEM_HEALTH)

    # Everything else

    async def call(
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
        return read(operation.answer, (await self._send(prepared)).body)

    async def items(
        self, operation: Operation[None, Q, m.Page[A]], query: Q, *, id: str | None = None
    ) -> AsyncIterator[A]:
        """The rows of all pages, fetched as they are wanted."""
        after = pager(query)
        while True:
            page = await self.call(operation, id=id, query=query)
            for item in page.items:
                yield item
            if page.next is None:
                return
            query = after(page.next)

    @asynccontextmanager
    async def stream(
        self,
        operation: Stream[B, Q],
        *,
        id: str | None = None,
        body: B | None = None,
        query: Q | None = None,
        timeout: float | None = None,
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Bytes as the daemon makes them; `timeout` is the longest silence between two parts."""
        prepared = self._core.prepare(operation, id, body, query, timeout)
        await self._renew()
        try:
            response = await self._http.send(self._core.request(self._http, prepared), stream=True)
            try:
                if not response.is_success:
                    raise refusal(response.status_code, response.headers, await response.aread())
                yield response.aiter_raw()
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            raise translated(error, self._core.target) from error

    async def _renew(self) -> None:
        if self._core.has_to_renew:
            await asyncio.to_thread(self._core.renew)

    async def _send(self, prepared: Prepared) -> Answer:
        attempts = Attempts(self._core, prepared)
        while True:
            outcome: Answer | SkepError
            try:
                await self._renew()
                # What trickles in is bounded here; httpx counts each part anew.
                async with asyncio.timeout(prepared.patience):
                    outcome = await self._exchange(prepared)
            except TimeoutError:
                outcome = DeadlineError(f"no answer from {self._core.target.url} in time")
            except httpx.HTTPError as error:
                outcome = translated(error, self._core.target)
                outcome.__cause__ = error
            except SkepError as error:
                outcome = error
            verdict = attempts.judge(outcome)
            if isinstance(verdict, Answer):
                return verdict
            await asyncio.sleep(verdict)

    async def _exchange(self, prepared: Prepared) -> Answer:
        request = self._core.request(self._http, prepared)
        gathered = Gathered(prepared.patience)
        response = await self._http.send(request, stream=True)
        try:
            async for part in response.aiter_raw():
                gathered.add(part)
        finally:
            await response.aclose()
        shown = request.headers.get("authorization", "")
        return Answer(response.status_code, response.headers, gathered.whole(), shown)
