"""A login of this home in use: renewed on disk, proved with each request (RFC 9449)."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from skep._home import Active, Home
from skep.errors import ConfigurationError, CredentialError, LoginEndedError, ProtocolError

_CLIENT = "skep-cli"
# A token is renewed so many seconds before it ends: a request takes time.
_EARLY = 30.0

Post = Callable[[str, Mapping[str, str], Mapping[str, str]], tuple[int, Mapping[str, str], bytes]]
"""Sends a form to a path with headers; gives status, headers and body."""


class Login:
    """An access token, in memory only, with the key that it is bound to."""

    def __init__(self, home: Home, active: Active) -> None:
        self._home = home
        self._active = active
        self._mutex = threading.Lock()
        self._key: Any = None
        self._token = ""
        self._ends = 0.0
        self._nonce: str | None = None

    def is_over(self) -> bool:
        """Whether it has to be renewed before it is shown."""
        return time.monotonic() >= self._ends

    def forget(self, shown: str) -> None:
        """Has it renewed before the next use, unless that has happened."""
        with self._mutex:
            if self._token and shown.endswith(self._token):
                self._ends = 0.0

    def note(self, headers: Mapping[str, str]) -> None:
        """Remembers what the next proof has to carry."""
        self._nonce = headers.get("dpop-nonce") or self._nonce

    def headers(self, method: str, path: str) -> dict[str, str]:
        """What shows the token and proves the key, for one request."""
        with self._mutex:
            return {
                "authorization": f"DPoP {self._token}",
                "dpop": self._prove(method, path, self._token),
                "x-skep-organization": self._active.organization,
            }

    def renew(self, post: Post) -> None:
        """Gets an access token. The next refresh token is kept before this returns."""
        with self._mutex, self._home.turn():
            if not self.is_over():
                return
            logins = self._home.logins()
            mine = [login for login in logins if _is(login, self._active)]
            if not mine:
                raise CredentialError(f"nobody is logged in at {self._active.issuer}: skep login")
            self._key = _key(mine[0]["proof_key"])
            tokens = self._redeem(post, mine[0]["refresh_token"])
            kept = {**mine[0], "refresh_token": tokens["refresh_token"]}
            others = [login for login in logins if not _is(login, self._active)]
            self._home.write_logins([*others, kept])
            self._token = tokens["access_token"]
            self._ends = time.monotonic() + float(tokens["expires_in"]) - _EARLY

    def _redeem(self, post: Post, refresh: str) -> dict[str, Any]:
        path = "/oauth/token"
        form = {"grant_type": "refresh_token", "client_id": _CLIENT, "refresh_token": refresh}
        # The second time with the nonce that the first was answered with.
        for _ in range(2):
            status, headers, body = post(path, form, {"dpop": self._prove("POST", path, None)})
            self.note(headers)
            try:
                answer = json.loads(body)
                if status == 200:
                    return _tokens(answer)
                fault = answer["error"]
            except (ValueError, KeyError, TypeError):
                raise ProtocolError("its answer is neither tokens nor an error of OAuth") from None
            if fault == "invalid_grant":
                raise LoginEndedError(f"your login at {self._active.issuer} has ended")
            if fault != "use_dpop_nonce":
                raise ProtocolError(f"the login is not renewed: {fault}")
        raise ProtocolError("the server takes no nonce of its own")

    def _prove(self, method: str, path: str, token: str | None) -> str:
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        header = {
            "typ": "dpop+jwt",
            "alg": "EdDSA",
            "jwk": {"kty": "OKP", "crv": "Ed25519", "x": _base64(public)},
        }
        claims: dict[str, Any] = {
            "htm": method,
            "htu": f"{self._active.issuer}{path}",
            "iat": int(time.time()),
            "jti": secrets.token_urlsafe(32),
        }
        if self._nonce:
            claims["nonce"] = self._nonce
        if token:
            claims["ath"] = _base64(hashlib.sha256(token.encode()).digest())
        parts = (_base64(json.dumps(part).encode()) for part in (header, claims))
        message = ".".join(parts)
        return f"{message}.{_base64(self._key.sign(message.encode()))}"


def _is(login: Mapping[str, Any], active: Active) -> bool:
    named = (login["issuer"], login["organization"])
    return named == (active.issuer, active.organization)


def _key(seed: str) -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    except ImportError as error:
        raise ConfigurationError("a login needs more: pip install 'skep[login]'") from error
    try:
        raw = base64.urlsafe_b64decode(seed + "=" * (-len(seed) % 4))
        return Ed25519PrivateKey.from_private_bytes(raw)
    except ValueError:
        raise CredentialError("the login's key is damaged: log in again") from None


def _tokens(answer: Any) -> dict[str, Any]:
    for part, kind in (("access_token", str), ("refresh_token", str), ("expires_in", int)):
        if not isinstance(answer[part], kind):
            raise TypeError(part)
    return dict(answer)


def _base64(held: bytes) -> str:
    return base64.urlsafe_b64encode(held).rstrip(b"=").decode()
