"""A server that answers by script, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

WHO = {
    "principal": "usr_1",
    "organization": "org_1",
    "workspace": "ws_1",
    "role": "admin",
    "permissions": [],
    "credential": "key_1",
    "credential_kind": "api",
}
RECALLED = {
    "items": [],
    "degraded": False,
    "visible": 0,
    "cut": 0,
    "timing": {},
}


class Request:
    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        self.method = handler.command
        self.target = handler.path
        self.headers = {name.lower(): value for name, value in handler.headers.items()}
        self.body = handler.rfile.read(int(handler.headers.get("content-length", 0)))


Reply = tuple[int, Any, dict[str, str]] | None | Callable[[Request], "Reply"]
"""Status, body and headers; None to hang up without a word."""


def refused(code: str, status: int, **more: Any) -> Reply:
    headers = more.pop("headers", {})
    error = {"code": code, "message": f"{code}.", "request_id": "req_1", **more}
    return status, {"error": error}, headers


def good(body: Any, **headers: str) -> Reply:
    return 200, body, headers


class Scripted:
    def __init__(self, place: Path) -> None:
        self.replies: list[Reply] = []
        self.requests: list[Request] = []
        self.key = place / "scripted.key"
        self.key.touch(mode=0o600)
        self.key.write_text("skep_sk_scripted")
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                request = Request(self)
                script.requests.append(request)
                reply = script.replies.pop(0)
                while callable(reply):
                    reply = reply(request)
                if reply is None:
                    self.close_connection = True
                    return
                status, body, headers = reply
                held = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(held)))
                self.end_headers()
                self.wfile.write(held)

            do_GET = do_POST = do_PATCH = do_DELETE = answer

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
