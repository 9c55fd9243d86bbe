"""Which daemon, and as whom: the first that is said counts, as with the program `skep`."""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass, field

from skep._home import Active, Home, read_key
from skep.errors import ConfigurationError

_USUAL = "http://127.0.0.1:3850"
_SECURE = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]{1,253})(?::(\d{1,5}))?")


@dataclass(frozen=True, slots=True)
class Target:
    """A daemon, and what shows it who we are. One of the last four at most."""

    home: Home
    url: str
    """Scheme, host and port, as a proof names them."""
    socket: str | None = None
    token: str | None = field(default=None, repr=False)
    login: Active | None = None

    @property
    def is_local(self) -> bool:
        """Whether what is sent stays on this machine."""
        return self.socket is not None or self.url.startswith("http://")


def resolve(
    url: str | None,
    home: str | os.PathLike[str] | None,
    token_file: str | os.PathLike[str] | None,
    local: bool,
) -> Target:
    """What these and the environment come to."""
    place = Home.find(home)
    if local:
        if url or token_file:
            raise ConfigurationError("local=True is the socket, and needs no URL and no token")
        return _socket(place)
    url = url or os.environ.get("SKEP_URL") or None
    token_file = token_file or os.environ.get("SKEP_TOKEN_FILE") or None
    active = place.active()
    if token_file:
        where = url or (active.issuer if active else _USUAL)
        return Target(place, origin(where), token=read_key(token_file))
    if url:
        return _at(place, origin(url), active)
    if active:
        return Target(place, origin(active.issuer), login=active)
    return _socket(place)


def _socket(home: Home) -> Target:
    return Target(home, "http://localhost", socket=home.socket())


def _at(home: Home, url: str, active: Active | None) -> Target:
    if active and active.issuer == url:
        return Target(home, url, login=active)
    there = [login for login in home.logins() if login["issuer"] == url]
    if len(there) == 1:
        return Target(home, url, login=Active(url, there[0]["organization"]))
    if there:
        raise ConfigurationError(
            f"there are several logins at {url}, and none of them is active: skep org switch"
        )
    if url.startswith("http://"):
        return Target(home, url, token=home.install_token())
    raise ConfigurationError(f"nobody is logged in at {url}: skep login {url}, or a token_file")


def origin(url: str) -> str:
    """The URL as its server writes it: plain HTTP on this machine, HTTPS anywhere.

    Raises ConfigurationError for anything else: what proves who you are would travel in clear.
    """
    scheme, _, rest = url.partition("://")
    rest = rest.removesuffix("/")
    found = _SECURE.fullmatch(rest)
    port = int(found[2]) if found and found[2] else None
    if found and (port is None or 0 < port < 65536):
        host = found[1].lower()
        if scheme == "https":
            return f"https://{host}" if port in (None, 443) else f"https://{host}:{port}"
        if scheme == "http" and port and _is_loopback(host):
            return f"http://{host}:{port}"
    raise ConfigurationError(
        f"{url!r} is not a daemon's URL: expected something like https://skep.example.com, "
        "or http://127.0.0.1:3850 on this machine"
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
