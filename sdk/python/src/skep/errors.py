"""Everything that goes wrong, by what the caller can do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class SkepError(Exception):
    """Whatever this package raises."""

    hint: str = ""
    """What to do about it, if anything can be said."""


class ConfigurationError(SkepError):
    """No way to a daemon follows from what was said: a URL, a file, a login is missing or wrong."""


class CredentialError(ConfigurationError):
    """A credential on disk is missing, damaged, or not its owner's alone."""


class LoginEndedError(CredentialError):
    """The login was revoked, used by another, or is over."""

    hint = "log in again: skep login"


class ConnectionFailedError(SkepError):
    """Nobody answers. Nothing was sent."""

    hint = "is the daemon up? skep status, skep start"


class ConnectionBrokenError(SkepError):
    """The connection broke: what became of the request is unknown."""

    hint = "look whether it was done before doing it again"


class DeadlineError(SkepError):
    """No answer came in time: what became of the request is unknown."""

    hint = "look whether it was done before doing it again, or allow more time"


class ProtocolError(SkepError):
    """Whoever answered does not speak this interface."""

    hint = "compare the versions of the daemon and of this package"


class ApiError(SkepError):
    """The daemon answered, and said no."""

    def __init__(
        self,
        *,
        code: str,
        status: int,
        message: str,
        request_id: str | None = None,
        details: Sequence[Mapping[str, str]] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        """The code to match on, such as `NOT_FOUND`."""
        self.status = status
        """The status of HTTP."""
        self.message = message
        """One sentence for a person."""
        self.request_id = request_id
        """The id to quote; the daemon's log has it."""
        self.details = tuple(dict(detail) for detail in details)
        """The fields at fault: `field`, `code`, `message`."""
        self.retry_after = retry_after
        """Seconds after which it may be worth trying again."""
        self.hint = _HINTS.get(code, type(self).hint)

    def __str__(self) -> str:
        known = f" (request {self.request_id})" if self.request_id else ""
        return f"{self.code}: {self.message}{known}"


class InvalidRequestError(ApiError):
    """The request is not as it should be: `details` says where."""

    hint = "mend the request: trying again gives the same answer"


class AuthenticationError(ApiError):
    """Nobody was shown, or somebody who does not count: expired, revoked, of another server."""

    hint = "look at the credential: skep whoami, skep key list"


class ForbiddenError(ApiError):
    """This credential may not do that."""

    hint = "ask for the permission, or use another credential: skep whoami says what this one may"


class AccessRequiredError(ForbiddenError):
    """Nobody has granted it to this agent yet: a person can, when asked with a reason."""

    hint = "ask for the template, with a reason: skep access ask, or POST /api/v1/access"


class OrgMismatchError(ForbiddenError):
    """The credential is for another organization than the active one. Nothing was stored."""


class StepUpRequiredError(ForbiddenError):
    """A person has to show a second factor first, which no program can."""


class SuspendedError(ForbiddenError):
    """The organization or the agent is suspended."""


class NotFoundError(ApiError):
    """There is no such thing, or none that this credential may see."""


class ConflictError(ApiError):
    """What is there already stands against it."""

    hint = "read what is there, and decide anew"


class ConsentRequiredError(ApiError):
    """The person whom it is about has not agreed."""

    hint = "the person can agree: skep consent give"


class KeyWithdrawnError(ApiError):
    """The organization keeps the key of this itself, and has withdrawn it or cannot give it: nothing is read or
    written until it does."""

    hint = "an owner of the organization can give it back: skep org key restore; skep org key says how it stands"


class BudgetExceededError(ApiError):
    """The budget is spent."""

    hint = "raise the budget, or wait for the next one"


class RateLimitedError(ApiError):
    """Too many requests: `retry_after` says when to go on."""

    hint = "wait for retry_after seconds, and call less often"


class UnavailableError(ApiError):
    """The daemon cannot do it now, and did not."""

    hint = "try again later: skep doctor says what is wrong"


class UpstreamError(ApiError):
    """Somebody whom the daemon asked did not answer as they should."""

    hint = "look at whom the daemon asks, or try again later"


class InternalError(ApiError):
    """A fault of the daemon's: quote the request id."""

    hint = "report it with the request id: the daemon's log has the cause"


_HINTS = {
    "MISSING_CREDENTIAL": "give a token file, or log in: skep login, skep token create",
    "INVALID_CREDENTIAL": "it is expired, revoked, or of another server: skep login, or make a new key",
    "ORG_MISMATCH": "switch to the organization that is meant: skep org switch",
    "STEP_UP_REQUIRED": "do it as a person in a browser, with a second factor",
    "ORG_SUSPENDED": "whoever runs the installation can lift that: skep org",
    "AGENT_SUSPENDED": "an administrator can lift that: skep agent",
    "NOT_SERVED_HERE": "this daemon keeps no accounts: ask the one that does",
    "PAYLOAD_TOO_LARGE": "send less at a time",
    "QUEUE_FULL": "wait for retry_after seconds: the daemon is behind",
    "METHOD_NOT_ALLOWED": ProtocolError.hint,
}

BY_CODE: dict[str, type[ApiError]] = {
    "INVALID_JSON": InvalidRequestError,
    "VALIDATION_ERROR": InvalidRequestError,
    "METHOD_NOT_ALLOWED": InvalidRequestError,
    "PAYLOAD_TOO_LARGE": InvalidRequestError,
    "UNSUPPORTED_MEDIA_TYPE": InvalidRequestError,
    "UNPROCESSABLE": InvalidRequestError,
    "MISSING_CREDENTIAL": AuthenticationError,
    "INVALID_CREDENTIAL": AuthenticationError,
    "BUDGET_EXCEEDED": BudgetExceededError,
    "PERMISSION_DENIED": ForbiddenError,
    "ACCESS_REQUIRED": AccessRequiredError,
    "ORG_MISMATCH": OrgMismatchError,
    "STEP_UP_REQUIRED": StepUpRequiredError,
    "ORG_SUSPENDED": SuspendedError,
    "AGENT_SUSPENDED": SuspendedError,
    "NOT_SERVED_HERE": ForbiddenError,
    "MODEL_NOT_ALLOWED": ForbiddenError,
    "NOT_FOUND": NotFoundError,
    "CONFLICT": ConflictError,
    "IDEMPOTENCY_KEY_REUSE": ConflictError,
    "ALREADY_CLAIMED": ConflictError,
    "LEASE_LOST": ConflictError,
    "KEY_WITHDRAWN": KeyWithdrawnError,
    "CONSENT_REQUIRED": ConsentRequiredError,
    "RATE_LIMITED": RateLimitedError,
    "QUEUE_FULL": RateLimitedError,
    "INTERNAL": InternalError,
    "UPSTREAM_ERROR": UpstreamError,
    "UPSTREAM_TIMEOUT": UpstreamError,
    "AUTH_UNAVAILABLE": UnavailableError,
    "STORAGE_UNAVAILABLE": UnavailableError,
    "AUDIT_UNAVAILABLE": UnavailableError,
    "OVERLOADED": UnavailableError,
}
"""The class of each code that the daemon knows."""


def of_envelope(status: int, body: Any, retry_after: float | None) -> SkepError:
    """The error that an answer tells of."""
    error = body.get("error") if isinstance(body, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    if not isinstance(error, dict) or not isinstance(code, str):
        return ProtocolError(f"status {status} without an error envelope")
    exact = error.get("retry_after_ms")
    if isinstance(exact, (int, float)):
        retry_after = max(exact / 1000, 0.0)
    details = error.get("details")
    return BY_CODE.get(code, ApiError)(
        code=code,
        status=status,
        message=str(error.get("message", "")),
        request_id=error.get("request_id"),
        details=details if isinstance(details, list) else (),
        retry_after=retry_after,
    )
