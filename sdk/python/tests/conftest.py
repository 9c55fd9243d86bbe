"""A daemon of one's own for as long as the tests run, and a server that answers by script."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from skep import Client, SkepError
from tests.scripted import Scripted

PROGRAMS = Path(os.environ.get("SKEP_PROGRAMS", "../../target/debug"))


@dataclass
class Daemon:
    home: Path
    url: str

    def skep(self, *arguments: str, said: str = "") -> Any:
        """What a verb of `skep` answers."""
        verb = [str(PROGRAMS / "skep"), "--home", str(self.home), "--local", "--json", *arguments]
        done = subprocess.run(verb, input=said, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    def key(self, place: Path, label: str, *more: str) -> tuple[Path, str]:
        """A file with a fresh key, and the key's id."""
        made = self.skep("key", "create", label, *more)
        file = place / f"{label}.key"
        file.touch(mode=0o600)
        file.write_text(made["secret"])
        return file, made["key"]["id"]


@pytest.fixture(scope="session")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    home = tmp_path_factory.mktemp("skep") / "home"
    home.mkdir(mode=0o700)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    environment = {**os.environ, "SKEP_SERVER__TCP": address}
    with (home.parent / "log").open("wb") as log:
        served = subprocess.Popen(
            [PROGRAMS / "skepd", "--home", home, "serve"], env=environment, stdout=log, stderr=log
        )
    try:
        with Client(local=True, home=home, timeout=5) as client:
            _until_ready(client, home / "skepd.sock", served)
        yield Daemon(home, f"http://{address}")
    finally:
        served.terminate()
        assert served.wait(timeout=20) == 0


def _until_ready(client: Client, place: Path, served: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert served.poll() is None, "the daemon ended"
        with suppress(SkepError):
            if place.exists() and client.ready():
                return
        time.sleep(0.05)
    raise AssertionError("the daemon is not ready")


@pytest.fixture
def client(daemon: Daemon) -> Iterator[Client]:
    with Client(local=True, home=daemon.home) as client:
        yield client


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is said around the tests does not count in them."""
    for name in ("SKEP_URL", "SKEP_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SKEP_HOME", str(tmp_path / "home"))


@pytest.fixture
def scripted(tmp_path: Path) -> Iterator[Scripted]:
    with Scripted(tmp_path) as server:
        yield server
