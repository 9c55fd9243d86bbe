/** Requests on their way: one try each, within its bounds. */

import * as fs from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import * as tls from "node:tls";

import { ConnectionBrokenError, ConnectionFailedError, DeadlineError, ProtocolError } from "./errors.js";
import type { Target } from "./target.js";

/** Larger answers are refused while they arrive. */
export const ANSWER_MAX = 64 << 20;
// A local connection is made at once or not at all; a name is looked up and a certificate checked.
const CONNECT_LOCAL = 2_000;
const CONNECT_DISTANT = 10_000;
const AUTHORITIES = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/** A request before it has a connection. */
export interface Outgoing {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string | undefined;
  patienceMs: number;
  signal?: AbortSignal | undefined;
}

/** An answer, whole. */
export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
}

/** The connections to one daemon. No proxy and no redirect is followed. */
export class Wire {
  readonly #target: Target;
  readonly #secure: boolean;
  readonly #agent: http.Agent;
  readonly #host: string;
  readonly #port: string;

  constructor(target: Target) {
    this.#target = target;
    this.#secure = target.url.startsWith("https://");
    const { hostname, port } = new URL(target.url);
    this.#host = hostname.replace(/^\[|\]$/g, "");
    this.#port = port;
    const options = { keepAlive: true, maxSockets: 32 };
    this.#agent = this.#secure ? new https.Agent({ ...options, ...authorities() }) : new http.Agent(options);
  }

  close(): void {
    this.#agent.destroy();
  }

  /** Sends, and takes in the whole answer. */
  async exchange(outgoing: Outgoing): Promise<Answer> {
    const { response, done } = await this.begin(outgoing, outgoing.patienceMs);
    try {
      return { status: response.statusCode ?? 0, headers: response.headers, body: await whole(response) };
    } catch (error) {
      throw this.translated(error, true);
    } finally {
      done();
    }
  }

  /** Sends, and gives the answer as it begins. `patienceMs` bounds all of it until `done` is called. */
  begin(
    outgoing: Outgoing,
    patienceMs: number,
  ): Promise<{ response: http.IncomingMessage; done: () => void }> {
    return new Promise((resolve, reject) => {
      let sent = false;
      // Not as one URL: that would read an escaped `..` as a step up.
      const request = (this.#secure ? https : http).request({
        hostname: this.#host,
        ...(this.#port ? { port: this.#port } : {}),
        path: outgoing.path,
        method: outgoing.method,
        headers: outgoing.headers,
        agent: this.#agent,
        ...(this.#target.socket ? { socketPath: this.#target.socket } : {}),
        ...(outgoing.signal ? { signal: outgoing.signal } : {}),
      });
      const connecting = this.#secure ? CONNECT_DISTANT : CONNECT_LOCAL;
      const unconnected = setTimeout(() => request.destroy(new Error("no connection in time")), connecting);
      const late = setTimeout(() => {
        request.destroy(sent ? new DeadlineError(`no answer from ${this.#name()} in time`) : undefined);
      }, patienceMs);
      const connected = (): void => {
        sent = true;
        clearTimeout(unconnected);
      };
      const done = (): void => {
        clearTimeout(unconnected);
        clearTimeout(late);
      };
      request.once("socket", (socket) => {
        if (socket.connecting) socket.once(this.#secure ? "secureConnect" : "connect", connected);
        else connected();
      });
      request.once("response", (response) => resolve({ response, done }));
      request.once("error", (error) => {
        done();
        reject(this.translated(error, sent));
      });
      request.end(outgoing.body);
    });
  }

  /** What a failure of the connection comes to. */
  translated(error: unknown, sent: boolean): unknown {
    const known = [DeadlineError, ProtocolError].some((kind) => error instanceof kind);
    if (known || (error as Error).name === "AbortError") return error;
    const why = `${this.#name()} (${(error as Error).message})`;
    return sent
      ? new ConnectionBrokenError(`the connection failed: ${why}`, { cause: error })
      : new ConnectionFailedError(`no daemon answers at ${why}`, { cause: error });
  }

  #name(): string {
    return this.#target.socket ?? this.#target.url;
  }
}

async function whole(response: http.IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > ANSWER_MAX) throw new ProtocolError("the answer is larger than 64 MiB");
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** The system's authorities, or those of `SSL_CERT_FILE`; Node would ask its own alone. */
function authorities(): { ca?: string | string[] } {
  const named = process.env["SSL_CERT_FILE"];
  if (named) return { ca: fs.readFileSync(named, "utf8") };
  const system = (tls as { getCACertificates?: (kind: string) => string[] }).getCACertificates?.("system");
  if (system?.length) return { ca: system };
  const file = AUTHORITIES.find((place) => fs.existsSync(place));
  return file ? { ca: fs.readFileSync(file, "utf8") } : {};
}
