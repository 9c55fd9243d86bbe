"""Memory as tools of Anthropic's Messages interface.

    answer = anthropic.messages.create(model=..., messages=messages, tools=skep_anthropic.tools())
    results = [skep_anthropic.run(client, block) for block in answer.content if block.type == "tool_use"]
    messages.append({"role": "user", "content": results})
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from skep import tools as memory
from skep.aio import AsyncClient
from skep.client import Client


def tools(names: Sequence[str] = memory.USUAL) -> list[dict[str, Any]]:
    """What goes into `tools`."""
    return [
        {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}
        for tool in memory.chosen(names)
    ]


def run(client: Client, block: Any) -> dict[str, Any]:
    """Does what a `tool_use` block asks for; gives the `tool_result` block."""
    outcome = memory.run(client, _part(block, "name"), _part(block, "input"))
    return _result(block, outcome)


async def run_async(client: AsyncClient, block: Any) -> dict[str, Any]:
    """The same with a client that is awaited."""
    outcome = await memory.run_async(client, _part(block, "name"), _part(block, "input"))
    return _result(block, outcome)


def _result(block: Any, outcome: memory.Outcome) -> dict[str, Any]:
    return {
        "type": "tool_result",
        "tool_use_id": _part(block, "id"),
        "content": outcome.text,
        "is_error": outcome.is_error,
    }


def _part(of: Any, name: str) -> Any:
    """An attribute of the objects of `anthropic`, or an entry of plain JSON."""
    return of.get(name) if isinstance(of, Mapping) else getattr(of, name, None)
