"""Memory for LangChain: a retriever of what is remembered, and the messages of a conversation.

    retriever = SkepRetriever(client=client)
    history = SkepChatMessageHistory(client, "conversation-1")

What is kept of messages is text, redacted and cut as everything that is captured.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any
from uuid import uuid4

from langchain_core.callbacks import (
    AsyncCallbackManagerForRetrieverRun,
    CallbackManagerForRetrieverRun,
)
from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from skep import models as m
from skep import operations
from skep.aio import AsyncClient
from skep.client import Client
from skep.tools import PATIENCE_MS


class SkepRetriever(BaseRetriever):
    """Finds memories as documents, best first. Give it one client, or both."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    client: Client | None = None
    async_client: AsyncClient | None = None
    k: int = 10
    project: str | None = None

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        if self.client is None:
            raise ValueError("this retriever has an async_client only: use ainvoke")
        return _documents(self.client.recall(query, **self._asked()))

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun
    ) -> list[Document]:
        if self.async_client is None:
            return await super()._aget_relevant_documents(query, run_manager=run_manager)
        return _documents(await self.async_client.recall(query, **self._asked()))

    def _asked(self) -> dict[str, Any]:
        return {"k": self.k, "project": self.project, "deadline_ms": PATIENCE_MS}


class SkepChatMessageHistory(BaseChatMessageHistory):
    """The text of one conversation, kept as a session, from which memories are distilled.

    What humans and models say is kept. The system's messages and calls of tools are not: they belong to
    the program, which has them.
    """

    def __init__(self, client: Client, conversation: str, *, project: str | None = None) -> None:
        self._client = client
        self._ref = m.SessionRef(
            harness="other",
            external_id=f"langchain:{conversation}",
            title=f"langchain:{conversation}",
            project=project,
        )
        self._known: str | None = None

    @property
    def messages(self) -> list[BaseMessage]:  # type: ignore[override]
        """All of them, oldest first."""
        session = self._session()
        turns = self._client.turns(session) if session else ()
        return [_message(turn) for turn in turns if turn.role in ("user", "assistant")]

    def add_messages(self, messages: Sequence[BaseMessage]) -> None:
        """Keeps messages. One with an id is kept once, however often it is added."""
        now = datetime.now(timezone.utc)
        turns = [_turn(message, now) for message in messages if _is_kept(message)]
        if turns:
            # Somebody calls this on purpose, which is the consent that a harness has to ask for.
            answer = self._client.capture(self._ref, turns, origin="import")
            self._known = answer.session or self._known

    def clear(self) -> None:
        """Deletes the conversation without a trace, with what was distilled of it alone."""
        session = self._session()
        if session:
            self._client.call(operations.SESSION_ERASE, id=session)
            self._known = None

    def _session(self) -> str | None:
        if self._known is None:
            sessions = (one for one in self._client.sessions() if one.title == self._ref.title)
            self._known = next((one.id for one in sessions), None)
        return self._known


def _is_kept(message: BaseMessage) -> bool:
    return isinstance(message, (HumanMessage, AIMessage)) and bool(message.text)


def _turn(message: BaseMessage, now: datetime) -> m.TurnInput:
    return m.TurnInput(
        client_event_id=message.id or str(uuid4()),
        role="user" if isinstance(message, HumanMessage) else "assistant",
        at=now,
        text=str(message.text),
    )


def _message(turn: m.Turn) -> BaseMessage:
    kind = HumanMessage if turn.role == "user" else AIMessage
    return kind(content=turn.text, id=turn.client_event_id)


def _documents(answer: m.RecallResponse) -> list[Document]:
    return [
        Document(
            id=item.memory.id,
            page_content=item.memory.text,
            metadata={
                "kind": item.memory.kind,
                "project": item.memory.project,
                "trust": item.memory.trust,
                "recorded_at": item.memory.recorded_at.isoformat(),
                "score": item.scores.fused,
            },
        )
        for item in answer.items
    ]
