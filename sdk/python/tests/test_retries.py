"""What is tried again and what is not, against a server that answers by script."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from skep import AsyncClient, Client, Retry, errors
from skep import models as m
from tests.scripted import RECALLED, WHO, Reply, Scripted, good, refused

QUICK = Retry(base=0.01)
CAPTURED = {"stored": 0, "duplicates": 1, "redacted": 0, "cut": 0}
SESSION = m.SessionRef(harness="other", external_id="1")


def whoami(client: Client) -> Any:
    return client.whoami()


def remember(client: Client) -> Any:
    return client.remember("x")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the client would have slept."""
    waits: list[float] = []
    monkeypatch.setattr("skep.client.sleep", waits.append)
    return waits


def test_reads_are_tried_again(scripted: Scripted, asked: list[float]) -> None:
    passing: list[Reply] = [
        refused("OVERLOADED", 503),
        refused("RATE_LIMITED", 429),
        refused("UPSTREAM_ERROR", 502),
        refused("UPSTREAM_TIMEOUT", 504),
        None,
    ]
    for reply in passing:
        scripted.replies = [reply, good(WHO)]
        with Client(scripted.url, token_file=scripted.key, retry=QUICK) as client:
            assert client.whoami().principal == "usr_1"
    # Recall is a POST that changes nothing, a capture one that may come twice.
    with Client(scripted.url, token_file=scripted.key, retry=QUICK) as client:
        scripted.replies = [None, good(RECALLED | {"timing": TIMING})]
        assert client.recall("x").items == []
        scripted.replies = [None, good(CAPTURED)]
        assert client.capture(SESSION, []).duplicates == 1
    assert len(asked) == len(passing) + 2 and scripted.replies == []


def test_what_may_have_been_done_is_not_done_twice(scripted: Scripted, asked: list[float]) -> None:
    table: list[tuple[Reply, type[errors.SkepError]]] = [
        (refused("OVERLOADED", 503), errors.UnavailableError),
        (refused("RATE_LIMITED", 429, retry_after_ms=10), errors.RateLimitedError),
        (refused("UPSTREAM_TIMEOUT", 504), errors.UpstreamError),
        (None, errors.ConnectionBrokenError),
    ]
    for reply, error in table:
        scripted.replies = [reply]
        with Client(scripted.url, token_file=scripted.key, retry=QUICK) as client:
            with pytest.raises(error):
                client.remember("x")
    assert asked == []


def test_what_would_be_the_same_again_is_not_asked_again(
    scripted: Scripted, asked: list[float]
) -> None:
    for code, status in (
        ("VALIDATION_ERROR", 400),
        ("INVALID_CREDENTIAL", 401),
        ("BUDGET_EXCEEDED", 402),
        ("PERMISSION_DENIED", 403),
        ("NOT_FOUND", 404),
        ("CONFLICT", 409),
        ("CONSENT_REQUIRED", 428),
        ("INTERNAL", 500),
    ):
        scripted.replies = [refused(code, status)]
        with Client(scripted.url, token_file=scripted.key, retry=QUICK) as client:
            with pytest.raises(errors.ApiError) as told:
                client.whoami()
        assert (told.value.code, told.value.status) == (code, status)
        assert type(told.value) is errors.BY_CODE[code]
    assert asked == []


def test_the_daemon_says_when(scripted: Scripted, asked: list[float]) -> None:
    again: list[tuple[Reply, float]] = [
        (refused("RATE_LIMITED", 429, retry_after_ms=1_500), 1.5),
        (refused("OVERLOADED", 503, headers={"retry-after": "3"}), 3.0),
        # What the body says is to the millisecond.
        (refused("OVERLOADED", 503, retry_after_ms=200, headers={"retry-after": "1"}), 0.2),
    ]
    for reply, wait in again:
        scripted.replies = [reply, good(WHO)]
        with Client(scripted.url, token_file=scripted.key, retry=QUICK) as client:
            client.whoami()
        assert wait <= asked[-1] <= wait + 0.02
    scripted.replies = [refused("RATE_LIMITED", 429, retry_after_ms=31_000)]
    with Client(scripted.url, token_file=scripted.key, retry=QUICK) as client:
        with pytest.raises(errors.RateLimitedError) as told:
            client.whoami()
    assert told.value.retry_after == 31.0 and len(asked) == len(again)


def test_tries_end_and_differ(scripted: Scripted, asked: list[float]) -> None:
    with Client(scripted.url, token_file=scripted.key, retry=Retry(times=3)) as client:
        for _ in range(2):
            scripted.replies = [refused("OVERLOADED", 503)] * 4
            with pytest.raises(errors.UnavailableError):
                client.whoami()
    assert scripted.replies == [] and len(asked) == 6 and len(set(asked)) == 6
    for wait, most in zip(asked, [0.1, 0.2, 0.4] * 2, strict=True):
        assert most / 2 <= wait <= most
    scripted.replies = [refused("OVERLOADED", 503)]
    with Client(scripted.url, token_file=scripted.key, retry=Retry(times=0)) as client:
        with pytest.raises(errors.UnavailableError):
            client.whoami()


def test_what_never_left_is_tried_again(asked: list[float], scripted: Scripted) -> None:
    with Client("http://127.0.0.1:9", token_file=scripted.key) as client:
        with pytest.raises(errors.ConnectionFailedError) as told:
            client.remember("x")
    assert len(asked) == 2 and "skep start" in told.value.hint


def test_nobody_waits_for_ever(scripted: Scripted) -> None:
    def late(request: object) -> Reply:
        time.sleep(1)
        return None

    start = time.monotonic()
    scripted.replies = [late]
    with Client(scripted.url, token_file=scripted.key, timeout=0.1, retry=Retry(times=0)) as client:
        with pytest.raises(errors.DeadlineError):
            client.whoami()
    assert time.monotonic() - start < 0.9


def test_answers_that_are_none_of_ours(scripted: Scripted) -> None:
    strange: list[Reply] = [
        good(b"<html>"),
        good({"principal": 5}),
        good({}),
        good(WHO | {"permissions": [None]}),
        (502, b"<html>bad gateway", {}),
        (302, b"", {"location": "http://127.0.0.1:9/"}),
        (400, {"error": "no"}, {}),
    ]
    for reply in strange:
        scripted.replies = [reply]
        with Client(scripted.url, token_file=scripted.key) as client:
            with pytest.raises(errors.ProtocolError):
                client.whoami()
    scripted.replies = [refused("NEVER_HEARD_OF", 418)]
    with Client(scripted.url, token_file=scripted.key) as client:
        with pytest.raises(errors.ApiError) as told:
            client.whoami()
    assert type(told.value) is errors.ApiError and told.value.status == 418


def test_newer_daemons_say_more(scripted: Scripted) -> None:
    scripted.replies = [good(WHO | {"mood": "sunny"})]
    with Client(scripted.url, token_file=scripted.key) as client:
        assert client.whoami().role == "admin"


def test_pages_that_go_round_end(scripted: Scripted) -> None:
    scripted.replies = [good({"items": [], "next": "a"})] * 3
    with Client(scripted.url, token_file=scripted.key) as client:
        with pytest.raises(errors.ProtocolError):
            list(client.memories())
    assert [request.target for request in scripted.requests] == [
        "/api/v1/memories?limit=50",
        "/api/v1/memories?cursor=a&limit=50",
    ]


def test_the_other_client_tries_by_the_same_rules(scripted: Scripted) -> None:
    async def all_of_it() -> None:
        options: dict[str, Any] = {"token_file": scripted.key, "retry": QUICK}
        async with AsyncClient(scripted.url, **options) as client:
            scripted.replies = [None, refused("OVERLOADED", 503), good(WHO)]
            assert (await client.whoami()).principal == "usr_1"
            scripted.replies = [refused("OVERLOADED", 503)]
            with pytest.raises(errors.UnavailableError):
                await client.remember("x")
            scripted.replies = [None]
            with pytest.raises(errors.ConnectionBrokenError):
                await client.remember("x")

    asyncio.run(all_of_it())
    assert scripted.replies == []


def test_keys_go_to_the_daemon_alone(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    scripted.replies = [good(WHO)]
    with Client(scripted.url, token_file=scripted.key) as client:
        client.whoami()
        assert "skep_sk_" not in repr(client.__dict__) + repr(client._core.target)
    headers = scripted.requests[0].headers
    assert headers["authorization"] == "Bearer skep_sk_scripted"
    assert headers["accept-encoding"] == "identity"


TIMING = {
    f"{part}_us": 1
    for part in ("embed", "catch_up", "search", "authorize", "load", "rank", "total")
}
