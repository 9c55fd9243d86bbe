/** When something is tried again, and after how long. */

import * as errors from "./errors.js";

/**
 * How often and how patiently a call is tried again.
 *
 * Only what may be sent twice is: reads, and captures, whose turns carry ids of their own. Anything is,
 * when it never left this machine.
 */
export interface Retry {
  /** Tries after the first; 0 for none, 2 if absent. */
  times?: number;
  /** Milliseconds before the first of them, about; twice as many before each other. 100 if absent. */
  baseMs?: number;
  /** The most of that; 5,000 if absent. */
  capMs?: number;
  /** If the daemon asks for a longer wait than this, its error is thrown instead; 30,000 if absent. */
  longestMs?: number;
}

/** Milliseconds to wait before the next try; nothing if there is none. */
export function wait(retry: Retry, error: unknown, tried: number, safe: boolean): number | undefined {
  const { times = 2, baseMs = 100, capMs = 5_000, longestMs = 30_000 } = retry;
  if (tried >= times || !mayPass(error, safe)) return undefined;
  const backoff = (0.5 + Math.random() / 2) * Math.min(capMs, baseMs * 2 ** tried);
  const asked = error instanceof errors.ApiError ? error.retryAfterMs : undefined;
  if (asked === undefined) return backoff;
  // Never before the time, and not all at the same one.
  return asked <= longestMs ? asked + backoff : undefined;
}

function mayPass(error: unknown, safe: boolean): boolean {
  if (error instanceof errors.ConnectionFailedError) return true;
  const passing = [
    errors.ConnectionBrokenError,
    errors.DeadlineError,
    errors.RateLimitedError,
    errors.UnavailableError,
    errors.UpstreamError,
  ];
  return safe && passing.some((kind) => error instanceof kind);
}
