/** What a call is, before it has anything in it. */

export interface Call {
  /** Such as `MemoryCreate`. */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  /** Whether doing it twice may differ from doing it once. */
  readonly mutates: boolean;
}

declare const carried: unique symbol;

/** A call that is answered with JSON. What it takes and gives is known to the compiler alone. */
export interface Operation<Body, Query, Answer> extends Call {
  readonly [carried]?: (body: Body, query: Query) => Answer;
}

/** A call that is answered with bytes, as they are made. */
export interface Stream<Body, Query> extends Call {
  readonly [carried]?: (body: Body, query: Query) => Uint8Array;
}

// These change something, but twice comes to the same as once: the daemon knows each turn by its id.
const IDEMPOTENT: ReadonlySet<string> = new Set(["Capture"]);
const MINUTE = 60_000;
// Ordinary calls answer in milliseconds; these wait for other writers, for a server elsewhere, or do
// all that is left to be done of a session.
const PATIENCE: Readonly<Record<string, number>> = {
  Capture: 2 * MINUTE,
  SourceFetch: 5 * MINUTE,
  SourceSync: 15 * MINUTE,
  SessionEnd: 15 * MINUTE,
  SessionErase: 15 * MINUTE,
  MemoryErase: 15 * MINUTE,
  Rewind: 15 * MINUTE,
  SourcePurge: 15 * MINUTE,
};

/** Whether it may be sent again when nobody knows what became of it. */
export function isSafe(call: Call): boolean {
  return !call.mutates || IDEMPOTENT.has(call.name);
}

/** How many milliseconds it may take, if that is longer than usual. */
export function patience(call: Call): number | undefined {
  return PATIENCE[call.name];
}
