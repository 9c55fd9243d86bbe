/** The client. */

import { AuthenticationError, DeadlineError, ProtocolError, type SkepError, ofEnvelope } from "./errors.js";
import { Login } from "./login.js";
import type * as m from "./models.js";
import { type Call, type Operation, type Stream, isSafe, patience } from "./operation.js";
import * as operations from "./operations.js";
import { type Retry, wait } from "./retry.js";
import { type Target, type Where, resolve } from "./target.js";
import { type Answer, type Outgoing, Wire } from "./wire.js";

export const VERSION = "0.1.0";

export interface Options extends Where {
  /** Milliseconds for one try of an ordinary call; 30,000 if absent. */
  timeoutMs?: number;
  retry?: Retry;
}

/** What goes with any call. */
export interface Extras {
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** What a call takes. */
export type Given<Body, Query> = Extras & { id?: string } & (Body extends undefined ? unknown : { body: Body }) &
  (Query extends undefined ? unknown : { query?: Query });

interface Loose extends Extras {
  id?: string;
  body?: unknown;
  query?: unknown;
}

/**
 * A connection to a daemon, as whoever the home's files say.
 *
 * Without options that is the daemon of `skep login`, else this machine's own over its socket.
 */
export class Client {
  readonly #target: Target;
  readonly #wire: Wire;
  readonly #login: Login | undefined;
  readonly #retry: Retry;
  readonly #timeoutMs: number;

  /** Finds the daemon; nothing is sent yet. */
  constructor(options: Options = {}) {
    this.#target = resolve(options);
    this.#wire = new Wire(this.#target);
    this.#login = this.#target.login && new Login(this.#target.home, this.#target.login);
    this.#retry = options.retry ?? {};
    this.#timeoutMs = options.timeoutMs ?? 30_000;
  }

  /** Closes the connections. A program ends without it too. */
  close(): void {
    this.#wire.close();
  }

  // Memories

  /** Remembers a statement. `known` says that it was known already. */
  remember(text: string, more: Omit<m.RememberRequest, "text"> & Extras = {}): Promise<m.RememberResponse> {
    const [extras, rest] = apart(more);
    return this.call(operations.MemoryCreate, { body: { text, ...rest }, ...extras });
  }

  /** What is remembered about a question, best first. */
  recall(query: string, more: Omit<m.RecallRequest, "query"> & Extras = {}): Promise<m.RecallResponse> {
    const [extras, rest] = apart(more);
    return this.call(operations.Recall, { body: { query, ...rest }, ...extras });
  }

  /** One memory. */
  memory(id: string): Promise<m.Memory> {
    return this.call(operations.MemoryGet, { id });
  }

  /** Memories, newest first, fetched as they are wanted. */
  memories(query: m.MemoryQuery = {}): AsyncGenerator<m.Memory, void> {
    return this.items(operations.MemoryList, { query });
  }

  /** Puts a new version in a memory's place. */
  edit(id: string, body: m.EditRequest): Promise<m.RememberResponse> {
    return this.call(operations.MemoryEdit, { id, body });
  }

  /** Every version of a memory and what happened to it. */
  history(id: string): Promise<m.History> {
    return this.call(operations.MemoryHistory, { id });
  }

  /** Takes a memory out of recall. */
  forget(id: string, reason: string): Promise<m.Memory> {
    return this.call(operations.MemoryForget, { id, body: { reason } });
  }

  /** Deletes a memory, its vector and its history without a trace. */
  erase(id: string): Promise<m.Erased> {
    return this.call(operations.MemoryErase, { id });
  }

  // Sessions

  /** Keeps turns of a session. What was sent before is known by its id, and not kept twice. */
  capture(
    session: m.SessionRef,
    turns: m.TurnInput[],
    more: Pick<m.CaptureRequest, "origin"> = {},
  ): Promise<m.CaptureResponse> {
    return this.call(operations.Capture, { body: { session, turns, ...more } });
  }

  /** What a model is to be given at a moment of a session, in the one safe form; recorded. */
  inject(body: m.InjectRequest): Promise<m.InjectResponse> {
    return this.call(operations.Inject, { body });
  }

  /** Sessions, newest first, fetched as they are wanted. */
  sessions(query: m.PageQuery = {}): AsyncGenerator<m.Session, void> {
    return this.items(operations.SessionList, { query });
  }

  /** One session. */
  session(id: string): Promise<m.Session> {
    return this.call(operations.SessionGet, { id });
  }

  /** Turns of a session, oldest first, fetched as they are wanted. */
  turns(id: string, query: m.PageQuery = {}): AsyncGenerator<m.Turn, void> {
    return this.items(operations.SessionTurns, { id, query });
  }

  /** Ends a session and distils what is left of it. */
  endSession(id: string): Promise<m.EndResponse> {
    return this.call(operations.SessionEnd, { id });
  }

  // The daemon

  /** Who we are to the daemon, and what we may do. */
  whoami(): Promise<m.Whoami> {
    return this.call(operations.Whoami, {});
  }

  /** Whether the daemon can answer. */
  ready(): Promise<m.Probe> {
    return this.call(operations.Readyz, {});
  }

  /** What runs, and what is not as it should be. */
  health(): Promise<m.Health> {
    return this.call(operations.SystemHealth, {});
  }

  // Everything else

  /** Any call of `operations`. */
  call<Body, Query, A>(operation: Operation<Body, Query, A>, given: Given<Body, Query>): Promise<A> {
    return this.#call<A>(operation, given);
  }

  async #call<A>(operation: Call, given: Loose): Promise<A> {
    const { body } = await this.#send(operation, given);
    try {
      const answer: unknown = JSON.parse(body.toString());
      if (typeof answer === "object" && answer !== null) return answer as A;
    } catch {
      // Said below.
    }
    throw new ProtocolError("the answer is not JSON, or no object");
  }

  /** The rows of all pages, fetched as they are wanted. */
  async *items<Query extends { cursor?: string | null }, Row>(
    operation: Operation<undefined, Query, m.Page<Row>>,
    given: Extras & { id?: string; query: Query },
  ): AsyncGenerator<Row, void> {
    const seen = new Set<string>();
    let query = given.query;
    for (;;) {
      const page: m.Page<Row> = await this.#call(operation, { ...given, query });
      if (!Array.isArray(page.items)) throw new ProtocolError("the answer is no page");
      yield* page.items;
      if (page.next === undefined || page.next === null) return;
      if (seen.has(page.next)) throw new ProtocolError("the pages go round in circles");
      seen.add(page.next);
      query = { ...query, cursor: page.next };
    }
  }

  /** Bytes as the daemon makes them; `timeoutMs` is the longest silence between two parts. */
  async *stream<Body, Query>(operation: Stream<Body, Query>, given: Given<Body, Query>): AsyncGenerator<Uint8Array, void> {
    await this.#login?.renew((path, form, headers) => this.#post(path, form, headers));
    const outgoing = this.#outgoing(operation, given);
    const { response, done } = await this.#wire.begin(outgoing, outgoing.patienceMs);
    done();
    response.setTimeout(outgoing.patienceMs, () => response.destroy(new DeadlineError("the answer stopped")));
    if (!isGood(response.statusCode ?? 0)) {
      const parts: Buffer[] = [];
      for await (const part of response as AsyncIterable<Buffer>) parts.push(part);
      throw refusal({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) });
    }
    try {
      yield* response as AsyncIterable<Uint8Array>;
    } catch (error) {
      throw this.#wire.translated(error, true);
    }
  }

  async #send(call: Call, given: Loose): Promise<Answer> {
    let [tried, toldNonce, renewed] = [0, false, false];
    for (;;) {
      let error: unknown;
      try {
        await this.#login?.renew((path, form, headers) => this.#post(path, form, headers));
        const outgoing = this.#outgoing(call, given);
        const answer = await this.#wire.exchange(outgoing);
        this.#login?.note(answer.headers);
        if (isGood(answer.status)) return answer;
        error = refusal(answer);
        if (this.#login && error instanceof AuthenticationError) {
          // A login is refused for something that we can mend, once each. Nothing was done.
          const nonce = answer.headers["www-authenticate"]?.includes("use_dpop_nonce") ?? false;
          if (!nonce) this.#login.forget(outgoing.headers["authorization"] ?? "");
          const mended = nonce ? toldNonce : renewed;
          if (nonce) toldNonce = true;
          else renewed = true;
          if (!mended) continue;
        }
      } catch (thrown) {
        error = thrown;
      }
      const pause = wait(this.#retry, error, tried, isSafe(call));
      if (pause === undefined) throw error;
      tried += 1;
      await slept(pause, given.signal);
    }
  }

  #outgoing(call: Call, given: Loose): Outgoing {
    const path = call.path.replace(/\{[^}]*\}/, () => segment(given.id, call.name));
    const asked = Object.entries(given.query ?? {}).filter(([, value]) => value !== undefined && value !== null);
    const query = new URLSearchParams(asked.map(([name, value]): [string, string] => [name, String(value)])).toString();
    const body = given.body === undefined ? undefined : JSON.stringify(given.body);
    return {
      method: call.method,
      path: query ? `${path}?${query}` : path,
      headers: {
        accept: "application/json",
        "user-agent": `skep-typescript/${VERSION}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        "content-length": String(Buffer.byteLength(body ?? "")),
        ...(this.#target.token ? { authorization: `Bearer ${this.#target.token}` } : {}),
        ...this.#login?.headers(call.method, path),
      },
      body,
      patienceMs: given.timeoutMs ?? patience(call) ?? this.#timeoutMs,
      signal: given.signal,
    };
  }

  #post(path: string, form: Record<string, string>, headers: Record<string, string>): Promise<Answer> {
    const body = new URLSearchParams(form).toString();
    const kind = { "content-type": "application/x-www-form-urlencoded", "content-length": String(body.length) };
    return this.#wire.exchange({
      method: "POST",
      path,
      headers: { ...headers, ...kind },
      body,
      patienceMs: this.#timeoutMs,
    });
  }
}

function apart<T extends Extras>(more: T): [Extras, Omit<T, keyof Extras>] {
  const { timeoutMs, signal, ...rest } = more;
  return [{ ...(timeoutMs === undefined ? {} : { timeoutMs }), ...(signal ? { signal } : {}) }, rest];
}

/** No text becomes a second segment, `..`, or a query. */
function segment(id: string | undefined, name: string): string {
  if (!id) throw new TypeError(`${name} needs an id`);
  return encodeURIComponent(id).replace(/[.!~*'()]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
}

function isGood(status: number): boolean {
  return status >= 200 && status < 300;
}

function refusal(answer: Answer): SkepError {
  let envelope: unknown;
  try {
    envelope = JSON.parse(answer.body.toString());
  } catch {
    envelope = undefined;
  }
  return ofEnvelope(answer.status, envelope, retryAfterMs(answer.headers["retry-after"]));
}

function retryAfterMs(said: string | undefined): number | undefined {
  if (said === undefined) return undefined;
  if (/^\d+$/.test(said)) return Number(said) * 1_000;
  const at = Date.parse(said);
  return Number.isNaN(at) ? undefined : Math.max(at - Date.now(), 0);
}

function slept(pause: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, pause);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
