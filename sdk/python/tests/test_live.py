"""Both clients against a real daemon."""

from __future__ import annotations

import asyncio
import inspect
import json
from dataclasses import asdict, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import get_args

import pytest

from skep import AsyncClient, Client, errors, operations
from skep import models as m
from tests.conftest import Daemon


def turns(count: int) -> list[m.TurnInput]:
    return [
        m.TurnInput(
            client_event_id=f"event-{number}",
            role="user",
            at=datetime(2026, 1, 1, 12, number, tzinfo=timezone.utc),
            text=f"message {number}",
        )
        for number in range(count)
    ]


def test_what_is_remembered_is_recalled_edited_forgotten_and_erased(client: Client) -> None:
    kept = client.remember("Deploys of the mill go out on Tuesdays.", kind="decision", project="mill")
    assert not kept.known and kept.memory.kind == "decision"
    assert client.remember("Deploys of the mill go out on Tuesdays.", project="mill").known
    found = client.recall("when do deploys of the mill go out?", k=5, project="mill", deadline_ms=20_000)
    assert [item.memory.id for item in found.items] == [kept.memory.id]
    assert isinstance(found.items[0].memory.recorded_at, datetime)
    assert found.items[0].scores.fused > 0
    edited = client.edit(kept.memory.id, text="Deploys of the mill go out on Wednesdays.", reason="moved")
    assert client.memory(edited.memory.id).text.endswith("Wednesdays.")
    assert len(client.history(edited.memory.id).versions) == 2
    assert client.forget(edited.memory.id, "over").state == "forgotten"
    assert client.recall("when do deploys of the mill go out?", project="mill").items == []
    client.erase(edited.memory.id)
    with pytest.raises(errors.NotFoundError) as gone:
        client.memory(edited.memory.id)
    assert gone.value.code == "NOT_FOUND" and gone.value.status == 404
    assert gone.value.request_id and gone.value.request_id in str(gone.value)


def test_pages_are_walked_as_they_are_wanted(client: Client) -> None:
    for number in range(7):
        client.remember(f"Shelf {number} of the pantry holds {number * 3} jars.", kind="reference")
    walked = [memory.id for memory in client.memories(kind="reference", page_size=3)]
    assert len(walked) == len(set(walked)) == 7
    one = next(iter(client.memories(kind="reference", page_size=3)))
    assert one.id == walked[0]


def test_turns_are_captured_once_and_come_back_in_order(client: Client) -> None:
    session = m.SessionRef(harness="other", external_id="sdk-1", title="A session")
    first = client.capture(session, turns(5), origin="import")
    assert (first.stored, first.duplicates) == (5, 0) and first.session
    again = client.capture(session, turns(5), origin="import")
    assert (again.stored, again.duplicates) == (0, 5)
    assert [turn.text for turn in client.turns(first.session, page_size=2)] == [
        f"message {number}" for number in range(5)
    ]
    assert client.session(first.session).turns == 5
    assert first.session in [session.id for session in client.sessions()]
    assert client.end_session(first.session).session.state == "ended"


def test_what_a_model_is_given_is_recorded(client: Client) -> None:
    client.remember("The lighthouse keeper's parrot is called Admiral.")
    given = client.inject(
        harness="other",
        external_id="sdk-2",
        moment="prompt",
        prompt="What is the lighthouse keeper's parrot called?",
        deadline_ms=20_000,
    )
    assert "Admiral" in given.text and given.id
    recorded = client.items(operations.INJECTION_LIST, m.PageQuery())
    assert given.id in [injection.id for injection in recorded]


def test_every_way_of_being_somebody(daemon: Daemon, tmp_path: Path) -> None:
    file, _ = daemon.key(tmp_path, "ways")
    for client, kind in (
        (Client(home=daemon.home), "socket"),
        (Client(daemon.url, home=daemon.home), "install"),
        (Client(daemon.url, token_file=file), "api"),
    ):
        with client:
            assert client.whoami().credential_kind == kind


def test_a09_a_revoked_key_is_nobody_at_once(daemon: Daemon, tmp_path: Path) -> None:
    file, id = daemon.key(tmp_path, "revoked")
    with Client(daemon.url, token_file=file) as client:
        assert client.whoami().credential == id
        daemon.skep("key", "revoke", id)
        with pytest.raises(errors.AuthenticationError) as refused:
            client.whoami()
    assert refused.value.code == "INVALID_CREDENTIAL" and refused.value.status == 401
    assert "revoked" in refused.value.hint
    assert file.read_text() not in str(refused.value) + repr(refused.value.__dict__)


def test_a_key_does_what_it_is_for_and_no_more(daemon: Daemon, tmp_path: Path) -> None:
    file, _ = daemon.key(tmp_path, "reader", "--permission", "memory:read")
    with Client(daemon.url, token_file=file) as client:
        client.recall("anything")
        with pytest.raises(errors.ForbiddenError) as refused:
            client.remember("Nobody asked.")
    assert refused.value.code == "PERMISSION_DENIED"


def test_a01_what_belongs_to_another_tenant_is_not_given(client: Client) -> None:
    kept = client.remember("Only this workspace knows of the copper kettle.")
    id = kept.memory.id
    foreign = id[:8] + ("2" if id[8] != "2" else "3") + id[9:]
    with pytest.raises(errors.ForbiddenError) as refused:
        client.memory(foreign)
    assert "kettle" not in str(refused.value)
    for odd in ("..", "../sessions", "a/b?c=d", "%2e%2e", "\u00e9\n"):
        with pytest.raises(errors.InvalidRequestError) as wrong:
            client.memory(odd)
        assert wrong.value.details[0]["field"] == "id"


def test_a18_a_credential_of_another_organization_stores_nothing(
    daemon: Daemon, client: Client, tmp_path: Path
) -> None:
    file, _ = daemon.key(tmp_path, "elsewhere")
    with Client(daemon.url, token_file=file) as drifted:
        organization = drifted.whoami().organization
        drifted._http.headers["x-skep-organization"] = organization[:-4] + "AAAA"
        with pytest.raises(errors.OrgMismatchError) as refused:
            drifted.remember("The brass anchor lies in the wrong harbour.", kind="gotcha")
    assert refused.value.code == "ORG_MISMATCH" and "org switch" in refused.value.hint
    assert list(client.memories(kind="gotcha")) == []


def test_what_is_wrong_with_a_request_is_named(client: Client) -> None:
    with pytest.raises(errors.InvalidRequestError) as refused:
        client.remember("x" * 20_000)
    assert refused.value.code == "VALIDATION_ERROR"
    assert refused.value.details[0]["field"] == "text"


def test_a_backup_comes_as_it_is_made(client: Client) -> None:
    body = m.BackupRequest(passphrase="correct horse battery")
    with client.stream(operations.BACKUP, body=body) as parts:
        assert sum(len(part) for part in parts) > 1_000
    with pytest.raises(errors.InvalidRequestError):
        with client.stream(operations.BACKUP, body=m.BackupRequest(passphrase="short")):
            pass


def test_the_other_client_does_the_same(daemon: Daemon) -> None:
    async def all_of_it() -> None:
        async with AsyncClient(local=True, home=daemon.home) as client:
            kept = await client.remember("The ferry leaves at dawn.", kind="procedure")
            asked = (client.recall("when does the ferry leave?", deadline_ms=20_000) for _ in range(8))
            found = await asyncio.gather(*asked)
            assert {answer.items[0].memory.id for answer in found} == {kept.memory.id}
            listed = [memory.id async for memory in client.memories(kind="procedure", page_size=1)]
            assert kept.memory.id in listed
            with pytest.raises(errors.InvalidRequestError):
                await client.memory("mem_no")
            body = m.BackupRequest(passphrase="correct horse battery")
            async with client.stream(operations.BACKUP, body=body) as parts:
                assert sum([len(part) async for part in parts]) > 1_000

    asyncio.run(all_of_it())


def test_both_clients_have_the_same_methods() -> None:
    def methods(kind: type) -> dict[str, list[str]]:
        named = inspect.getmembers(kind, inspect.isfunction)
        return {
            name: [str(one) for one in inspect.signature(method).parameters.values()]
            for name, method in named
            if not name.startswith("_")
        }

    assert methods(Client) == methods(AsyncClient)


def test_every_code_has_its_error() -> None:
    assert set(get_args(m.ErrorCode)) == set(errors.BY_CODE)
    for code, kind in errors.BY_CODE.items():
        made = kind(code=code, status=400, message="No.")
        assert made.hint or kind is errors.NotFoundError, code


def test_what_was_read_can_be_written(client: Client) -> None:
    memory = client.remember("The oak is older than the house.").memory
    assert replace(memory) == memory
    assert json.dumps(asdict(memory), default=str)
