"""The data directory: what lies in it is read with care, and replaced in one step."""

from __future__ import annotations

import fcntl
import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skep.errors import ConfigurationError, CredentialError

_NO_FOLLOW = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_TOKEN_MAX = 160
_KEYS = ("skep_sk_", "skep_pat_", "skep_rk_")


@dataclass(frozen=True, slots=True)
class Active:
    """Which server is spoken to, and as a member of which organization."""

    issuer: str
    organization: str


@dataclass(frozen=True, slots=True)
class Home:
    """The directory that one daemon owns, by default `~/.skep`."""

    path: Path

    @classmethod
    def find(cls, path: str | os.PathLike[str] | None) -> Home:
        """The one that is named, that `SKEP_HOME` names, or the usual one."""
        return cls(Path(path or os.environ.get("SKEP_HOME") or Path.home() / ".skep").absolute())

    def socket(self) -> str:
        """The daemon's socket, if nobody else can have put it there."""
        try:
            facts = self.path.lstat()
        except OSError as error:
            raise ConfigurationError(
                f"{self.path} is not there: run skep setup ({error.strerror})"
            ) from error
        alone = stat.S_ISDIR(facts.st_mode) and not facts.st_mode & 0o077
        if not alone or facts.st_uid != os.geteuid():
            raise ConfigurationError(f"{self.path} is not a directory of yours alone: chmod 700")
        return str(self.path / "skepd.sock")

    def install_token(self) -> str:
        """What this machine's own daemon wants to see over TCP."""
        return read_token(self.path / "install-token", ("skep_it_",), "install token")

    def active(self) -> Active | None:
        """The login that is active; None for this machine's own daemon."""
        text = _read(self.path / "active.json", 4 << 10)
        if text is None:
            return None
        try:
            kept = json.loads(text)
            return Active(_word(kept["issuer"]), _word(kept["organization"]))
        except (ValueError, KeyError, TypeError) as error:
            raise CredentialError(
                f"{self.path / 'active.json'} names no login: skep org switch"
            ) from error

    def logins(self) -> list[dict[str, Any]]:
        """Every login that is kept."""
        place = self.path / "credentials.json"
        text = _read(place, 64 << 10)
        if text is None:
            return []
        try:
            logins = json.loads(text)["logins"]
            for login in logins:
                for part in ("issuer", "organization", "refresh_token", "proof_key"):
                    _word(login[part])
            return list(logins)
        except (ValueError, KeyError, TypeError):
            # The cause would quote what it could not read.
            raise CredentialError(f"{place} holds no logins: log in again") from None

    def write_logins(self, logins: list[dict[str, Any]]) -> None:
        """Puts them in the place of those that are kept, in one step."""
        place = self.path / "credentials.json"
        beside = self.path / "credentials.json.new"
        with suppress(FileNotFoundError):
            beside.unlink()
        made = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW, 0o600)
        with os.fdopen(made, "w", encoding="utf-8") as file:
            json.dump({"logins": logins}, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        beside.rename(place)
        folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Held while logins change: two programs that renew one at once would end it."""
        flags = os.O_WRONLY | os.O_CREAT | _NO_FOLLOW
        lock = os.open(self.path / "credentials.lock", flags, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def read_key(path: str | os.PathLike[str]) -> str:
    """A key or a personal access token, from a file that is its owner's alone."""
    return read_token(Path(path).absolute(), _KEYS, "key of `skep key` or `skep token`")


def read_token(path: Path, kinds: tuple[str, ...], what: str) -> str:
    """A token of one of these kinds, from a file that is its owner's alone."""
    text = _read(path, _TOKEN_MAX + 16)
    if text is None:
        raise CredentialError(f"{path} is not there")
    token = text.strip()
    if len(token) > _TOKEN_MAX or not token.startswith(kinds) or not re.fullmatch(r"[!-~]+", token):
        raise CredentialError(f"{path} holds no {what}")
    return token


def _word(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _read(path: Path, limit: int) -> str | None:
    """What a file holds; None if there is none."""
    try:
        opened = os.open(path, os.O_RDONLY | _NO_FOLLOW)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CredentialError(f"{path} cannot be read: {error.strerror}") from error
    try:
        facts = os.fstat(opened)
        if not stat.S_ISREG(facts.st_mode):
            raise CredentialError(f"{path} is not a regular file")
        if facts.st_uid != os.geteuid() or facts.st_mode & 0o077:
            raise CredentialError(f"{path}: others could have read or planted it: chmod 600")
        # What is there is short: one read gives all of it.
        held = os.read(opened, limit + 1)
    finally:
        os.close(opened)
    if len(held) > limit:
        raise CredentialError(f"{path} is larger than what is kept there")
    try:
        return held.decode()
    except UnicodeDecodeError:
        raise CredentialError(f"{path} is not a text") from None
