"""Memory in the forms of others, with a real daemon behind it."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from skep import AsyncClient, Client
from skep.adapters import anthropic, openai
from skep.adapters.langchain import SkepChatMessageHistory, SkepRetriever
from skep.tools import TOOLS
from tests.conftest import Daemon


def test_every_schema_is_closed_and_complete() -> None:
    for tool in TOOLS.values():
        schema = tool.parameters
        assert schema["additionalProperties"] is False
        assert schema["required"] == list(schema["properties"])


def test_openai_calls_tools(client: Client) -> None:
    names = [tool["function"]["name"] for tool in openai.tools()]
    assert names == ["memory_search", "memory_get", "memory_store"]
    assert openai.tools(api="responses")[0]["name"] == "memory_search"
    store = {"text": "The harbour master takes tea at four.", "kind": None, "project": None}
    call = SimpleNamespace(
        id="call_1",
        type="function",
        function=SimpleNamespace(name="memory_store", arguments=json.dumps(store)),
    )
    message = openai.run(client, call)
    assert (message["role"], message["tool_call_id"]) == ("tool", "call_1")
    stored = json.loads(message["content"])
    item = {
        "type": "function_call",
        "id": "fc_1",
        "call_id": "call_2",
        "name": "memory_search",
        "arguments": '{"query": "when does the harbour master take tea?", "k": 3, "project": null}',
    }
    output = openai.run(client, item)
    assert (output["type"], output["call_id"]) == ("function_call_output", "call_2")
    found = json.loads(output["output"])
    assert found["memories"][0]["id"] == stored["id"] and "no instructions" in found["note"]


def test_anthropic_calls_tools(client: Client) -> None:
    assert set(anthropic.tools()[0]) == {"name", "description", "input_schema"}
    text = "The bell tower is closed in winter."
    block = SimpleNamespace(type="tool_use", id="toolu_1", name="memory_store", input={"text": text})
    result = anthropic.run(client, block)
    assert result["tool_use_id"] == "toolu_1" and result["is_error"] is False
    id = json.loads(result["content"])["id"]
    forget = {"id": "toolu_2", "name": "memory_forget", "input": {"id": id, "reason": "spring"}}
    assert json.loads(anthropic.run(client, forget)["content"])["state"] == "forgotten"


def test_what_goes_wrong_is_told_to_the_model(client: Client) -> None:
    table: list[tuple[str, Any, str]] = [
        ("memory_get", {"id": "mem_no"}, "VALIDATION_ERROR"),
        ("memory_get", {}, "id has to be string"),
        ("memory_get", {"id": "a", "b": 1}, "no argument 'b'"),
        ("memory_search", {"query": 5}, "query has to be string"),
        ("memory_search", {"query": "x", "k": True}, "k has to be integer or null"),
        ("rm", {}, "no tool 'rm'"),
        ("memory_search", "{", "Expecting"),
        ("memory_search", "[]", "no object"),
    ]
    for name, given, told in table:
        result = anthropic.run(client, {"id": "1", "name": name, "input": given})
        assert result["is_error"] is True and told in result["content"], result


def test_the_other_client_calls_tools(daemon: Daemon) -> None:
    async def all_of_it() -> None:
        async with AsyncClient(local=True, home=daemon.home) as client:
            block = {"id": "1", "name": "memory_search", "input": {"query": "anything"}}
            assert not (await anthropic.run_async(client, block))["is_error"]
            call = {"id": "1", "function": {"name": "memory_get", "arguments": '{"id": "mem_no"}'}}
            assert "VALIDATION_ERROR" in (await openai.run_async(client, call))["content"]

    asyncio.run(all_of_it())


def test_langchain_retrieves(daemon: Daemon, client: Client) -> None:
    kept = client.remember("The orchard has forty pear trees.", project="orchard")
    retriever = SkepRetriever(client=client, k=2, project="orchard")
    for documents in (
        retriever.invoke("how many pear trees are there?"),
        asyncio.run(retriever.ainvoke("how many pear trees are there?")),
    ):
        assert documents[0].id == kept.memory.id and documents[0].metadata["score"] > 0

    async def awaited() -> None:
        async with AsyncClient(local=True, home=daemon.home) as other:
            alone = SkepRetriever(async_client=other, project="orchard")
            assert (await alone.ainvoke("pear trees"))[0].id == kept.memory.id
            with pytest.raises(ValueError):
                alone.invoke("pear trees")

    asyncio.run(awaited())


def test_langchain_keeps_a_conversation(client: Client) -> None:
    history = SkepChatMessageHistory(client, "conversation-1")
    assert history.messages == []
    said = [
        SystemMessage("You are a gardener."),
        HumanMessage("When are pears ripe?", id="1"),
        AIMessage("In September.", id="2"),
    ]
    history.add_messages(said)
    history.add_messages(said)
    history.add_user_message("Thanks.")
    # Another program sees the same.
    other = SkepChatMessageHistory(client, "conversation-1")
    assert [(message.type, message.text) for message in other.messages] == [
        ("human", "When are pears ripe?"),
        ("ai", "In September."),
        ("human", "Thanks."),
    ]
    assert SkepChatMessageHistory(client, "conversation-2").messages == []
    other.clear()
    assert SkepChatMessageHistory(client, "conversation-1").messages == []
