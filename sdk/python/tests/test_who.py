"""Which daemon and as whom; what lies in the home; logins."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from skep import Client, errors
from skep._target import origin, resolve
from tests.scripted import WHO, Reply, Request, Scripted, good, refused


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    return home


def put(home: Path, name: str, held: Any, mode: int = 0o600) -> Path:
    file = home / name
    file.touch(mode=0o600)
    file.write_text(held if isinstance(held, str) else json.dumps(held))
    file.chmod(mode)
    return file


def login(issuer: str, organization: str = "org_1", refresh: str = "skep_rt_1") -> dict[str, str]:
    seed = base64.urlsafe_b64encode(bytes(range(32))).rstrip(b"=").decode()
    return {
        "issuer": issuer,
        "organization": organization,
        "name": "Mill",
        "refresh_token": refresh,
        "proof_key": seed,
    }


def test_urls_are_https_or_on_this_machine() -> None:
    for url, found in (
        ("http://127.0.0.1:3850", "http://127.0.0.1:3850"),
        ("http://localhost:3850/", "http://localhost:3850"),
        ("http://[::1]:3850", "http://[::1]:3850"),
        ("https://Skep.example.com", "https://skep.example.com"),
        ("https://a.b:443", "https://a.b"),
        ("https://a.b:8443/", "https://a.b:8443"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]"),
    ):
        assert origin(url) == found
    for url in (
        "http://10.0.0.1:3850",
        "http://0.0.0.0:3850",
        "http://127.0.0.1",
        "http://user@127.0.0.1:3850",
        "http://localhost.example.com:3850",
        "https://user:pw@a.b",
        "https://a.b/path",
        "https://a.b//",
        "https://a.b?x=1",
        "https://a.b:0",
        "https://a.b:99999",
        "https://",
        "https://a b",
        "unix:/x",
        "skep.example.com",
    ):
        with pytest.raises(errors.ConfigurationError):
            origin(url)


def test_the_first_that_is_said_counts(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = put(home, "a.key", "skep_sk_a")
    here, there = "http://127.0.0.1:3850", "https://skep.example.com"
    put(home, "install-token", "skep_it_1")
    assert resolve(None, home, None, False).socket == str(home / "skepd.sock")
    assert resolve(here, home, None, False).token == "skep_it_1"
    assert resolve(None, home, key, False).url == here
    with pytest.raises(errors.ConfigurationError):
        resolve(there, home, None, False)
    put(home, "credentials.json", {"logins": [login(there)]})
    found = resolve(there, home, None, False).login
    assert found and found.organization == "org_1"
    put(home, "active.json", {"issuer": there, "organization": "org_1"})
    assert resolve(None, home, None, False).login == found
    assert resolve(None, home, key, False).url == there
    assert resolve(None, home, None, True).socket
    assert resolve(here, home, None, False).token == "skep_it_1"
    monkeypatch.setenv("SKEP_URL", here)
    assert resolve(None, home, None, False).url == here
    monkeypatch.setenv("SKEP_TOKEN_FILE", str(key))
    assert resolve(None, home, None, False).token == "skep_sk_a"
    monkeypatch.setenv("SKEP_HOME", str(home))
    assert resolve(None, None, None, True).socket == str(home / "skepd.sock")


def test_x05_what_others_could_have_read_or_planted_is_not_used(home: Path) -> None:
    url = "http://127.0.0.1:3850"
    for text, mode in (
        ("skep_sk_a", 0o640),
        ("skep_sk_a", 0o604),
        ("skep_sk_a\r\nX-Evil: 1", 0o600),
        ("skep_it_a", 0o600),
        ("", 0o600),
        ("skep_sk_" + "a" * 160, 0o600),
    ):
        with pytest.raises(errors.CredentialError) as told:
            Client(url, token_file=put(home, "key", text, mode))
        assert not text or text not in str(told.value)
    real = put(home, "real", "skep_sk_a")
    (home / "link").symlink_to(real)
    (home / "folder").mkdir()
    os.mkfifo(home / "pipe", 0o600)
    for name in ("link", "folder", "pipe", "missing"):
        with pytest.raises(errors.CredentialError):
            Client(url, token_file=home / name)
    home.chmod(0o750)
    with pytest.raises(errors.ConfigurationError):
        Client(local=True, home=home)


def test_damaged_files_are_named_and_not_quoted(home: Path) -> None:
    issuer = "https://skep.example.com"
    put(home, "active.json", {"issuer": issuer, "organization": "org_1"})
    for held in ("{", "[]", '{"logins": [{"refresh_token": "skep_rt_secret"}]}', '{"logins": 5}'):
        put(home, "credentials.json", held)
        with pytest.raises(errors.CredentialError) as told:
            Client(home=home).whoami()
        assert "credentials.json" in str(told.value) and "secret" not in str(told.value)
    put(home, "active.json", '{"issuer": 5, "organization": "x"}')
    with pytest.raises(errors.CredentialError):
        Client(home=home)


class Server:
    """The part of a server that renews logins: each refresh token counts once."""

    def __init__(self, scripted: Scripted) -> None:
        self.scripted = scripted
        self.counts = 1
        self.renewals = 0
        self.mutex = threading.Lock()

    def token(self, request: Request) -> Reply:
        assert request.target == "/oauth/token"
        self.check(request, None)
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        assert form["grant_type"] == "refresh_token" and form["client_id"] == "skep-cli"
        with self.mutex:
            if form["refresh_token"] != f"skep_rt_{self.counts}":
                return 400, {"error": "invalid_grant"}, {}
            self.counts += 1
            self.renewals += 1
            tokens = {
                "access_token": f"access-{self.counts}",
                "refresh_token": f"skep_rt_{self.counts}",
                "token_type": "DPoP",
                "expires_in": 600,
            }
        return good(tokens)

    def check(self, request: Request, token: str | None) -> dict[str, Any]:
        """Holds a proof to RFC 9449."""
        head, claims, signature = request.headers["dpop"].split(".")
        header, said = json.loads(raw(head)), json.loads(raw(claims))
        assert (header["typ"], header["alg"]) == ("dpop+jwt", "EdDSA")
        public = Ed25519PublicKey.from_public_bytes(raw(header["jwk"]["x"]))
        public.verify(raw(signature), f"{head}.{claims}".encode())
        mine = Ed25519PrivateKey.from_private_bytes(bytes(range(32))).public_key()
        assert public == mine
        path = request.target.split("?")[0]
        assert (said["htm"], said["htu"]) == (request.method, self.scripted.url + path)
        if token:
            assert said["ath"] == text(hashlib.sha256(token.encode()).digest())
        return dict(said)


def raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def text(held: bytes) -> str:
    return base64.urlsafe_b64encode(held).rstrip(b"=").decode()


@pytest.fixture
def logged_in(home: Path, scripted: Scripted) -> Server:
    other = login("https://other.example.com", refresh="skep_rt_other")
    put(home, "credentials.json", {"logins": [login(scripted.url), other]})
    put(home, "active.json", {"issuer": scripted.url, "organization": "org_1"})
    return Server(scripted)


def test_a18_a_login_is_renewed_on_disk_and_proved(home: Path, logged_in: Server) -> None:
    scripted = logged_in.scripted
    nonce: Reply = (400, {"error": "use_dpop_nonce"}, {"dpop-nonce": "n1"})
    scripted.replies = [
        nonce,
        logged_in.token,
        good(WHO, **{"dpop-nonce": "n2"}),
        refused("INVALID_CREDENTIAL", 401, headers={
            "www-authenticate": 'DPoP error="use_dpop_nonce"', "dpop-nonce": "n3",
        }),
        good({"items": []}),
    ]
    with Client(home=home) as client:
        client.whoami()
        assert list(client.memories()) == []
    requests = scripted.requests
    said = [logged_in.check(request, "access-2") for request in requests[2:]]
    assert [one.get("nonce") for one in said] == ["n1", "n2", "n3"]
    assert len({one["jti"] for one in said}) == 3
    for request in requests[2:]:
        assert request.headers["authorization"] == "DPoP access-2"
        assert request.headers["x-skep-organization"] == "org_1"
    kept = json.loads((home / "credentials.json").read_text())["logins"]
    assert [one["refresh_token"] for one in kept] == ["skep_rt_other", "skep_rt_2"]
    assert kept[1]["name"] == "Mill"
    facts = (home / "credentials.json").stat()
    assert facts.st_mode & 0o777 == 0o600
    assert b"access-2" not in b"".join(file.read_bytes() for file in home.iterdir())


def test_a_token_that_is_refused_is_renewed_once(home: Path, logged_in: Server) -> None:
    scripted = logged_in.scripted
    no = refused("INVALID_CREDENTIAL", 401)
    # Nothing was done: so what changes something is sent again as well.
    body = {"memory": {}, "known": False, "redacted": 0}
    scripted.replies = [logged_in.token, no, logged_in.token, no]
    with Client(home=home) as client:
        with pytest.raises(errors.AuthenticationError):
            client.remember("x")
    assert logged_in.renewals == 2 and scripted.replies == [] and body


def test_a18_a_login_that_ended_says_so(home: Path, logged_in: Server) -> None:
    logged_in.counts = 7
    logged_in.scripted.replies = [logged_in.token]
    with Client(home=home) as client:
        with pytest.raises(errors.LoginEndedError) as told:
            client.whoami()
    assert "skep login" in told.value.hint


def test_a18_programs_that_renew_at_once_take_turns(home: Path, logged_in: Server) -> None:
    program = "from skep import Client; Client().whoami()"
    environment = {**os.environ, "SKEP_HOME": str(home)}

    def anything(request: Request) -> Reply:
        return logged_in.token(request) if request.target == "/oauth/token" else good(WHO)

    logged_in.scripted.replies = [anything] * 12
    running = [subprocess.Popen([sys.executable, "-c", program], env=environment) for _ in range(6)]
    assert [one.wait(timeout=60) for one in running] == [0] * 6
    assert logged_in.renewals == 6
