/** A daemon of one's own, and a server that answers by script. */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";

import { Client } from "../src/index.js";

const PROGRAMS = path.resolve(process.env["SKEP_PROGRAMS"] ?? "../../target/debug");

export function place(): string {
  return fs.mkdtempSync(path.join(os.tmpdir(), "skep-sdk-"));
}

export function put(file: string, text: string, mode = 0o600): string {
  fs.rmSync(file, { force: true });
  fs.writeFileSync(file, text, { mode: 0o600 });
  fs.chmodSync(file, mode);
  return file;
}

export class Daemon {
  readonly folder = place();
  readonly home = path.join(this.folder, "home");
  url = "";
  #served: ChildProcess | undefined;

  async start(): Promise<void> {
    fs.mkdirSync(this.home, { mode: 0o700 });
    const address = `127.0.0.1:${await freePort()}`;
    this.url = `http://${address}`;
    this.#served = spawn(path.join(PROGRAMS, "skepd"), ["--home", this.home, "serve"], {
      env: { ...process.env, SKEP_SERVER__TCP: address },
      stdio: "ignore",
    });
    const client = new Client({ local: true, home: this.home, retry: { times: 100, capMs: 200 } });
    await client.ready();
    client.close();
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#served?.once("exit", resolve));
    this.#served?.kill("SIGTERM");
    await ended;
    fs.rmSync(this.folder, { recursive: true });
  }

  skep(...verb: string[]): Record<string, unknown> {
    const given = ["--home", this.home, "--local", "--json", ...verb];
    const said = execFileSync(path.join(PROGRAMS, "skep"), given, { encoding: "utf8" });
    return JSON.parse(said || "{}") as Record<string, unknown>;
  }

  /** A file with a fresh key, and the key's id. */
  key(label: string, ...more: string[]): { file: string; id: string } {
    const made = this.skep("key", "create", label, ...more);
    const file = put(path.join(this.folder, `${label}.key`), made["secret"] as string);
    return { file, id: (made["key"] as { id: string }).id };
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const free = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = free.address() as net.AddressInfo;
      free.close(() => resolve(port));
    });
  });
}

export interface Asked {
  method: string;
  target: string;
  headers: http.IncomingHttpHeaders;
  body: string;
}

/** Status, body and headers; `null` to hang up without a word. */
export type Reply = [number, unknown, Record<string, string>?] | null;

export function refused(code: string, status: number, more: object = {}, headers = {}): Reply {
  return [status, { error: { code, message: `${code}.`, request_id: "req_1", ...more } }, headers];
}

export class Scripted {
  readonly folder = place();
  readonly key = put(path.join(this.folder, "key"), "skep_sk_scripted");
  replies: (Reply | ((asked: Asked) => Reply | Promise<Reply>))[] = [];
  asked: Asked[] = [];
  url = "";
  readonly #server = http.createServer((request, response) => void this.#answer(request, response));

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as net.AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
    fs.rmSync(this.folder, { recursive: true });
  }

  async #answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
    const { method = "", url = "", headers } = request;
    const asked = { method, target: url, headers, body: Buffer.concat(parts).toString() };
    this.asked.push(asked);
    const next = this.replies.shift() ?? null;
    const reply = typeof next === "function" ? await next(asked) : next;
    if (!reply) {
      request.socket.destroy();
      return;
    }
    const [status, body, more] = reply;
    response.writeHead(status, more).end(typeof body === "string" ? body : JSON.stringify(body));
  }
}
