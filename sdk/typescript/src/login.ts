/** A login of this home in use: renewed on disk, proved with each request (RFC 9449). */

import * as crypto from "node:crypto";

import { CredentialError, LoginEndedError, ProtocolError } from "./errors.js";
import type { Active, Home } from "./home.js";

const CLIENT = "skep-cli";
// A token is renewed so many milliseconds before it ends: a request takes time.
const EARLY = 30_000;
// What makes 32 bytes an Ed25519 key in PKCS #8.
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");

/** Sends a form to a path; gives what came back. */
export type Post = (
  path: string,
  form: Record<string, string>,
  headers: Record<string, string>,
) => Promise<{ status: number; headers: Headers; body: Buffer }>;

interface Headers {
  [name: string]: string | string[] | undefined;
}

/** An access token, in memory only, with the key that it is bound to. */
export class Login {
  readonly #home: Home;
  readonly #active: Active;
  #key: crypto.KeyObject | undefined;
  #token = "";
  #ends = 0;
  #nonce: string | undefined;
  #renewing: Promise<void> | undefined;

  constructor(home: Home, active: Active) {
    this.#home = home;
    this.#active = active;
  }

  /** Has it renewed before the next use, unless that has happened. */
  forget(shown: string): void {
    if (this.#token && shown.endsWith(this.#token)) this.#ends = 0;
  }

  /** Remembers what the next proof has to carry. */
  note(headers: Headers): void {
    const nonce = headers["dpop-nonce"];
    if (typeof nonce === "string") this.#nonce = nonce;
  }

  /** What shows the token and proves the key, for one request. */
  headers(method: string, path: string): Record<string, string> {
    return {
      authorization: `DPoP ${this.#token}`,
      dpop: this.#prove(method, path, this.#token),
      "x-skep-organization": this.#active.organization,
    };
  }

  /** Renews it if it is over; all that wait for that wait for one renewal. */
  async renew(post: Post): Promise<void> {
    if (performance.now() < this.#ends) return;
    this.#renewing ??= this.#home
      .turn(() => this.#redeem(post))
      .finally(() => (this.#renewing = undefined));
    await this.#renewing;
  }

  async #redeem(post: Post): Promise<void> {
    const logins = this.#home.logins();
    const { issuer, organization } = this.#active;
    const at = logins.findIndex((login) => login.issuer === issuer && login.organization === organization);
    const [mine] = at < 0 ? [] : logins.splice(at, 1);
    if (!mine) throw new CredentialError(`nobody is logged in at ${issuer}: skep login`);
    this.#key = key(mine.proof_key);
    const form = { grant_type: "refresh_token", client_id: CLIENT, refresh_token: mine.refresh_token };
    const tokens = await this.#ask(post, form);
    // The next refresh token is kept before this one's is used.
    this.#home.writeLogins([...logins, { ...mine, refresh_token: tokens.refresh_token }]);
    this.#token = tokens.access_token;
    this.#ends = performance.now() + tokens.expires_in * 1_000 - EARLY;
  }

  async #ask(post: Post, form: Record<string, string>): Promise<Tokens> {
    const path = "/oauth/token";
    // The second time with the nonce that the first was answered with.
    for (let time = 0; time < 2; time++) {
      const answer = await post(path, form, { dpop: this.#prove("POST", path) });
      this.note(answer.headers);
      const said = parsed(answer.body);
      if (answer.status === 200 && isTokens(said)) return said;
      if (said["error"] === "invalid_grant") {
        throw new LoginEndedError(`your login at ${this.#active.issuer} has ended`);
      }
      if (said["error"] !== "use_dpop_nonce") {
        throw new ProtocolError(`the login is not renewed: ${String(said["error"] ?? answer.status)}`);
      }
    }
    throw new ProtocolError("the server takes no nonce of its own");
  }

  #prove(method: string, path: string, token?: string): string {
    if (!this.#key) throw new CredentialError("the login was not renewed");
    const { x } = crypto.createPublicKey(this.#key).export({ format: "jwk" });
    const header = { typ: "dpop+jwt", alg: "EdDSA", jwk: { kty: "OKP", crv: "Ed25519", x } };
    const claims = {
      htm: method,
      htu: `${this.#active.issuer}${path}`,
      iat: Math.floor(Date.now() / 1_000),
      jti: crypto.randomBytes(32).toString("base64url"),
      nonce: this.#nonce,
      ath: token && crypto.createHash("sha256").update(token).digest("base64url"),
    };
    const encoded = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
    const message = encoded.join(".");
    return `${message}.${crypto.sign(null, Buffer.from(message), this.#key).toString("base64url")}`;
  }
}

interface Tokens {
  access_token: string;
  refresh_token: string;
  expires_in: number;
}

function isTokens(said: Record<string, unknown>): said is Record<string, unknown> & Tokens {
  const { access_token, refresh_token, expires_in } = said;
  return (
    typeof access_token === "string" && typeof refresh_token === "string" && typeof expires_in === "number"
  );
}

function parsed(body: Buffer): Record<string, unknown> {
  try {
    return (JSON.parse(body.toString()) ?? {}) as Record<string, unknown>;
  } catch {
    throw new ProtocolError("its answer is neither tokens nor an error of OAuth");
  }
}

function key(seed: string): crypto.KeyObject {
  const raw = Buffer.from(seed, "base64url");
  if (raw.length !== 32) throw new CredentialError("the login's key is damaged: log in again");
  return crypto.createPrivateKey({ key: Buffer.concat([PKCS8, raw]), format: "der", type: "pkcs8" });
}
