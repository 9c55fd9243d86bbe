/** The data directory: what lies in it is read with care, and replaced in one step. */

import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { ConfigurationError, CredentialError } from "./errors.js";

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
const TOKEN_MAX = 160;
const KEYS = ["skep_sk_", "skep_pat_", "skep_rk_"];

/** Which server is spoken to, and as a member of which organization. */
export interface Active {
  issuer: string;
  organization: string;
}

/** What is kept of one login. */
export interface KeptLogin extends Active {
  name?: string;
  refresh_token: string;
  proof_key: string;
}

/** The directory that one daemon owns, by default `~/.skep`. */
export class Home {
  readonly path: string;

  constructor(named: string | undefined) {
    this.path = path.resolve(named ?? (process.env["SKEP_HOME"] || path.join(os.homedir(), ".skep")));
  }

  /** The daemon's socket, if nobody else can have put it there. */
  socket(): string {
    const facts = fs.lstatSync(this.path, { throwIfNoEntry: false });
    if (!facts) throw new ConfigurationError(`${this.path} is not there: run skep setup`);
    if (!facts.isDirectory() || facts.mode & 0o077 || facts.uid !== process.geteuid?.()) {
      throw new ConfigurationError(`${this.path} is not a directory of yours alone: chmod 700`);
    }
    return path.join(this.path, "skepd.sock");
  }

  /** What this machine's own daemon wants to see over TCP. */
  installToken(): string {
    return readToken(path.join(this.path, "install-token"), ["skep_it_"], "install token");
  }

  /** The login that is active; nothing for this machine's own daemon. */
  active(): Active | undefined {
    const place = path.join(this.path, "active.json");
    const text = read(place, 4 << 10);
    if (text === undefined) return undefined;
    const kept = parsed(text) as Partial<Active> | undefined;
    if (typeof kept?.issuer !== "string" || typeof kept.organization !== "string") {
      throw new CredentialError(`${place} names no login: skep org switch`);
    }
    return { issuer: kept.issuer, organization: kept.organization };
  }

  /** Every login that is kept. */
  logins(): KeptLogin[] {
    const place = path.join(this.path, "credentials.json");
    const text = read(place, 64 << 10);
    if (text === undefined) return [];
    const logins = (parsed(text) as { logins?: unknown } | undefined)?.logins;
    const parts = ["issuer", "organization", "refresh_token", "proof_key"];
    const sound = (login: unknown): boolean =>
      parts.every((part) => typeof (login as Record<string, unknown> | null)?.[part] === "string");
    // What cannot be read is not quoted.
    if (!Array.isArray(logins) || !logins.every(sound)) {
      throw new CredentialError(`${place} holds no logins: log in again`);
    }
    return logins as KeptLogin[];
  }

  /** Puts them in the place of those that are kept, in one step. */
  writeLogins(logins: KeptLogin[]): void {
    const beside = path.join(this.path, "credentials.json.new");
    fs.rmSync(beside, { force: true });
    const made = fs.openSync(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      fs.writeFileSync(made, JSON.stringify({ logins }, null, 2));
      fs.fsyncSync(made);
    } finally {
      fs.closeSync(made);
    }
    fs.renameSync(beside, path.join(this.path, "credentials.json"));
    const folder = fs.openSync(this.path, O_RDONLY);
    try {
      fs.fsyncSync(folder);
    } finally {
      fs.closeSync(folder);
    }
  }

  /**
   * Does something while logins change for nobody else: two programs that renew one at once would end it.
   *
   * Node has no locks of files: the program `flock` holds it, for as long as its stdin is open.
   */
  async turn<T>(work: () => Promise<T>): Promise<T> {
    const place = path.join(this.path, "credentials.lock");
    fs.closeSync(fs.openSync(place, O_WRONLY | O_CREAT | O_NOFOLLOW, 0o600));
    const holder = spawn("flock", ["-x", place, "sh", "-c", "echo held; cat >/dev/null"], {
      stdio: ["pipe", "pipe", "ignore"],
      env: { PATH: process.env["PATH"] },
    });
    try {
      await held(holder);
      return await work();
    } finally {
      holder.stdin?.end();
    }
  }
}

function held(holder: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const missing = "a login is renewed under a lock, which needs the program flock (util-linux): use a key";
    holder.once("error", () => reject(new ConfigurationError(missing)));
    holder.once("exit", () => reject(new ConfigurationError("the lock of the logins cannot be held")));
    holder.stdout?.once("data", () => resolve());
  });
}

/** A key or a personal access token, from a file that is its owner's alone. */
export function readKey(file: string): string {
  return readToken(path.resolve(file), KEYS, "key of `skep key` or `skep token`");
}

function readToken(file: string, kinds: string[], what: string): string {
  const text = read(file, TOKEN_MAX + 16);
  if (text === undefined) throw new CredentialError(`${file} is not there`);
  const token = text.trim();
  const known = kinds.some((kind) => token.startsWith(kind));
  if (token.length > TOKEN_MAX || !known || !/^[!-~]+$/.test(token)) {
    throw new CredentialError(`${file} holds no ${what}`);
  }
  return token;
}

/** What a file holds; nothing if there is none. */
function read(file: string, limit: number): string | undefined {
  let opened: number;
  try {
    opened = fs.openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT") return undefined;
    throw new CredentialError(`${file} cannot be read: ${code}`);
  }
  try {
    const facts = fs.fstatSync(opened);
    if (!facts.isFile()) throw new CredentialError(`${file} is not a regular file`);
    if (facts.uid !== process.geteuid?.() || facts.mode & 0o077) {
      throw new CredentialError(`${file}: others could have read or planted it: chmod 600`);
    }
    const buffer = Buffer.alloc(limit + 1);
    const size = fs.readSync(opened, buffer, 0, buffer.length, 0);
    if (size > limit) throw new CredentialError(`${file} is larger than what is kept there`);
    return buffer.toString("utf8", 0, size);
  } finally {
    fs.closeSync(opened);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
