"""Memory as function tools of OpenAI's interfaces, and of all that speak them.

    tools = skep_openai.tools()
    answer = openai.chat.completions.create(model=..., messages=messages, tools=tools)
    for call in answer.choices[0].message.tool_calls or []:
        messages.append(skep_openai.run(client, call))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from skep import tools as memory
from skep.aio import AsyncClient
from skep.client import Client


def tools(
    names: Sequence[str] = memory.USUAL, *, api: Literal["chat", "responses"] = "chat"
) -> list[dict[str, Any]]:
    """What goes into `tools` of Chat Completions or of Responses."""
    made = []
    for tool in memory.chosen(names):
        function = {
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
            "strict": True,
        }
        chat = {"type": "function", "function": function}
        made.append(chat if api == "chat" else {"type": "function", **function})
    return made


def run(client: Client, call: Any) -> dict[str, Any]:
    """Does what a tool call asks for; gives the message or item to go on with."""
    name, arguments = _asked(call)
    return _answer(call, memory.run(client, name, arguments))


async def run_async(client: AsyncClient, call: Any) -> dict[str, Any]:
    """The same with a client that is awaited."""
    name, arguments = _asked(call)
    return _answer(call, await memory.run_async(client, name, arguments))


def _asked(call: Any) -> tuple[str, str]:
    function = _part(call, "function") or call
    return _part(function, "name"), _part(function, "arguments")


def _answer(call: Any, outcome: memory.Outcome) -> dict[str, Any]:
    call_id = _part(call, "call_id")
    if call_id is not None:
        return {"type": "function_call_output", "call_id": call_id, "output": outcome.text}
    return {"role": "tool", "tool_call_id": _part(call, "id"), "content": outcome.text}


def _part(of: Any, name: str) -> Any:
    """An attribute of the objects of `openai`, or an entry of plain JSON."""
    return of.get(name) if isinstance(of, Mapping) else getattr(of, name, None)
