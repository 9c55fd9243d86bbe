/** Everything that goes wrong, by what the caller can do about it. */

import type { ErrorCode, FieldError } from "./models.js";

/** Whatever this package throws. */
export class SkepError extends Error {
  /** What to do about it, if anything can be said. */
  readonly hint: string = "";

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** No way to a daemon follows from what was said: a URL, a file, a login is missing or wrong. */
export class ConfigurationError extends SkepError {}

/** A credential on disk is missing, damaged, or not its owner's alone. */
export class CredentialError extends ConfigurationError {}

/** The login was revoked, used by another, or is over. */
export class LoginEndedError extends CredentialError {
  override readonly hint = "log in again: skep login";
}

/** Nobody answers. Nothing was sent. */
export class ConnectionFailedError extends SkepError {
  override readonly hint = "is the daemon up? skep status, skep start";
}

/** The connection broke: what became of the request is unknown. */
export class ConnectionBrokenError extends SkepError {
  override readonly hint: string = "look whether it was done before doing it again";
}

/** No answer came in time: what became of the request is unknown. */
export class DeadlineError extends SkepError {
  override readonly hint = "look whether it was done before doing it again, or allow more time";
}

/** Whoever answered does not speak this interface. */
export class ProtocolError extends SkepError {
  override readonly hint = "compare the versions of the daemon and of this package";
}

/** What an answer says went wrong. */
export interface Refusal {
  /** The code to match on; a newer daemon may have others. */
  code: ErrorCode | (string & {});
  status: number;
  message: string;
  requestId?: string | undefined;
  details?: FieldError[] | undefined;
  /** Milliseconds after which it may be worth trying again. */
  retryAfterMs?: number | undefined;
}

/** The daemon answered, and said no. */
export class ApiError extends SkepError {
  readonly code: ErrorCode | (string & {});
  /** The status of HTTP. */
  readonly status: number;
  /** The id to quote; the daemon's log has it. */
  readonly requestId: string | undefined;
  /** The fields at fault. */
  readonly details: readonly FieldError[];
  /** Milliseconds after which it may be worth trying again. */
  readonly retryAfterMs: number | undefined;
  override readonly hint: string;

  constructor(refusal: Refusal) {
    super(`${refusal.code}: ${refusal.message}`);
    this.code = refusal.code;
    this.status = refusal.status;
    this.requestId = refusal.requestId;
    this.details = refusal.details ?? [];
    this.retryAfterMs = refusal.retryAfterMs;
    this.hint = KNOWN[refusal.code as ErrorCode]?.[1] ?? "";
  }
}

/** The request is not as it should be: `details` says where. */
export class InvalidRequestError extends ApiError {}
/** Nobody was shown, or somebody who does not count: expired, revoked, of another server. */
export class AuthenticationError extends ApiError {}
/** This credential may not do that. */
export class ForbiddenError extends ApiError {}
/** Nobody has granted it to this agent yet: a person can, when asked with a reason. */
export class AccessRequiredError extends ForbiddenError {}
/** The credential is for another organization than the active one. Nothing was stored. */
export class OrgMismatchError extends ForbiddenError {}
/** A person has to show a second factor first, which no program can. */
export class StepUpRequiredError extends ForbiddenError {}
/** The organization or the agent is suspended. */
export class SuspendedError extends ForbiddenError {}
/** There is no such thing, or none that this credential may see. */
export class NotFoundError extends ApiError {}
/** What is there already stands against it. */
export class ConflictError extends ApiError {}
/** The person whom it is about has not agreed. */
export class ConsentRequiredError extends ApiError {}
/** The organization keeps the key of this itself, and has withdrawn it or cannot give it: nothing is read or written until it does. */
export class KeyWithdrawnError extends ApiError {}
/** The budget is spent. */
export class BudgetExceededError extends ApiError {}
/** Too many requests: `retryAfterMs` says when to go on. */
export class RateLimitedError extends ApiError {}
/** The daemon cannot do it now, and did not. */
export class UnavailableError extends ApiError {}
/** Somebody whom the daemon asked did not answer as they should. */
export class UpstreamError extends ApiError {}
/** A fault of the daemon's: quote the request id. */
export class InternalError extends ApiError {}

const MEND = "mend the request: trying again gives the same answer";
const ASK = "ask for the permission, or use another credential: skep whoami says what this one may";
const READ = "read what is there, and decide anew";
const LATER = "try again later: skep doctor says what is wrong";
const THEIRS = "look at whom the daemon asks, or try again later";

// A code that the daemon knows and this does not have is an error of the compiler.
const KNOWN: Record<ErrorCode, [new (refusal: Refusal) => ApiError, string]> = {
  INVALID_JSON: [InvalidRequestError, MEND],
  VALIDATION_ERROR: [InvalidRequestError, MEND],
  METHOD_NOT_ALLOWED: [InvalidRequestError, "compare the versions of the daemon and of this package"],
  PAYLOAD_TOO_LARGE: [InvalidRequestError, "send less at a time"],
  UNSUPPORTED_MEDIA_TYPE: [InvalidRequestError, MEND],
  UNPROCESSABLE: [InvalidRequestError, MEND],
  MISSING_CREDENTIAL: [AuthenticationError, "give a tokenFile, or log in: skep login, skep token create"],
  INVALID_CREDENTIAL: [
    AuthenticationError,
    "it is expired, revoked, or of another server: skep login, or make a new key",
  ],
  BUDGET_EXCEEDED: [BudgetExceededError, "raise the budget, or wait for the next one"],
  PERMISSION_DENIED: [ForbiddenError, ASK],
  ACCESS_REQUIRED: [AccessRequiredError, "ask for the template, with a reason: skep access ask, or POST /api/v1/access"],
  ORG_MISMATCH: [OrgMismatchError, "switch to the organization that is meant: skep org switch"],
  STEP_UP_REQUIRED: [StepUpRequiredError, "do it as a person in a browser, with a second factor"],
  ORG_SUSPENDED: [SuspendedError, "whoever runs the installation can lift that: skep org"],
  AGENT_SUSPENDED: [SuspendedError, "an administrator can lift that: skep agent"],
  NOT_SERVED_HERE: [ForbiddenError, "this daemon keeps no accounts: ask the one that does"],
  MODEL_NOT_ALLOWED: [ForbiddenError, ASK],
  NOT_FOUND: [NotFoundError, ""],
  CONFLICT: [ConflictError, READ],
  IDEMPOTENCY_KEY_REUSE: [ConflictError, READ],
  ALREADY_CLAIMED: [ConflictError, READ],
  LEASE_LOST: [ConflictError, READ],
  KEY_WITHDRAWN: [
    KeyWithdrawnError,
    "an owner of the organization can give it back: skep org key restore; skep org key says how it stands",
  ],
  CONSENT_REQUIRED: [ConsentRequiredError, "the person can agree: skep consent give"],
  RATE_LIMITED: [RateLimitedError, "wait for retryAfterMs, and call less often"],
  QUEUE_FULL: [RateLimitedError, "wait for retryAfterMs: the daemon is behind"],
  INTERNAL: [InternalError, "report it with the request id: the daemon's log has the cause"],
  UPSTREAM_ERROR: [UpstreamError, THEIRS],
  UPSTREAM_TIMEOUT: [UpstreamError, THEIRS],
  AUTH_UNAVAILABLE: [UnavailableError, LATER],
  STORAGE_UNAVAILABLE: [UnavailableError, LATER],
  AUDIT_UNAVAILABLE: [UnavailableError, LATER],
  OVERLOADED: [UnavailableError, LATER],
};

/** Every code that the daemon knows. */
export const ERROR_CODES = Object.keys(KNOWN) as readonly ErrorCode[];

/** The error that an answer tells of. */
export function ofEnvelope(status: number, body: unknown, retryAfterMs: number | undefined): SkepError {
  const error = (body as { error?: Record<string, unknown> } | null | undefined)?.error;
  const code = error?.["code"];
  if (typeof code !== "string") {
    return new ProtocolError(`status ${status} without an error envelope`);
  }
  const exact = error?.["retry_after_ms"];
  const id = error?.["request_id"];
  const details = error?.["details"];
  const kind = Object.hasOwn(KNOWN, code) ? KNOWN[code as ErrorCode][0] : ApiError;
  return new kind({
    code,
    status,
    message: String(error?.["message"] ?? ""),
    requestId: typeof id === "string" ? id : undefined,
    details: Array.isArray(details) ? (details as FieldError[]) : [],
    retryAfterMs: typeof exact === "number" ? Math.max(exact, 0) : retryAfterMs,
  });
}
