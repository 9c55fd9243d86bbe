/** What is tried again, who is shown, what is read from disk: against a server that answers by script. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, before, beforeEach, test } from "node:test";

import * as skep from "../src/index.js";
import { origin, resolve } from "../src/target.js";
import { wait } from "../src/retry.js";
import { type Asked, type Reply, Scripted, place, put, refused } from "./daemon.js";

const WHO = { principal: "usr_1", organization: "org_1", role: "admin" };
const QUICK = { baseMs: 2 };
const server = new Scripted();
let home: string;
let client: skep.Client;

before(() => server.start());
after(() => server.stop());
beforeEach(() => {
  home = place();
  delete process.env["SKEP_URL"];
  delete process.env["SKEP_TOKEN_FILE"];
  process.env["SKEP_HOME"] = home;
  server.replies = [];
  server.asked = [];
  client = new skep.Client({ url: server.url, tokenFile: server.key, retry: QUICK });
});

test("reads are tried again, and so are captures", async () => {
  const passing = [
    refused("OVERLOADED", 503),
    refused("RATE_LIMITED", 429),
    refused("UPSTREAM_ERROR", 502),
    refused("UPSTREAM_TIMEOUT", 504),
    null,
  ];
  // The wait that comes with a 503 is asked for by the daemon, not by this server.
  for (const reply of passing) {
    server.replies = [reply, [200, WHO]];
    assert.equal((await client.whoami()).principal, "usr_1");
  }
  server.replies = [null, [200, { items: [] }]];
  assert.deepEqual((await client.recall("x")).items, []);
  server.replies = [null, [200, { duplicates: 1 }]];
  assert.equal((await client.capture({ harness: "other", external_id: "1" }, [])).duplicates, 1);
  assert.equal(server.asked.length, 2 * (passing.length + 2));
});

test("what may have been done is not done twice", async () => {
  for (const [reply, error] of [
    [refused("OVERLOADED", 503), skep.UnavailableError],
    [refused("RATE_LIMITED", 429), skep.RateLimitedError],
    [refused("UPSTREAM_TIMEOUT", 504), skep.UpstreamError],
    [null, skep.ConnectionBrokenError],
  ] as const) {
    server.replies = [reply];
    await assert.rejects(client.remember("x"), error);
  }
  assert.equal(server.asked.length, 4);
});

test("every code is an error of its own, and what stays so is not asked again", async () => {
  const passing = [429, 502, 503, 504];
  for (const code of skep.ERROR_CODES) {
    server.asked = [];
    server.replies = Array<Reply>(3).fill(refused(code, 418));
    await assert.rejects(client.whoami(), (error: unknown) => {
      assert.ok(error instanceof skep.ApiError && error.constructor !== skep.ApiError, code);
      assert.ok(error.hint || error instanceof skep.NotFoundError, code);
      assert.deepEqual([error.code, error.requestId], [code, "req_1"]);
      const again = [skep.RateLimitedError, skep.UnavailableError, skep.UpstreamError];
      assert.equal(server.asked.length, again.some((kind) => error instanceof kind) ? 3 : 1, code);
      return true;
    });
  }
  assert.equal(passing.length, 4);
  server.replies = [refused("NEVER_HEARD_OF", 418), refused("constructor", 418)];
  for (let time = 0; time < 2; time++) {
    await assert.rejects(client.whoami(), (error: unknown) => (error as object).constructor === skep.ApiError);
  }
});

test("the daemon says when, and tries end and differ", async () => {
  const limited = (retryAfterMs: number) => new skep.RateLimitedError({ code: "RATE_LIMITED", status: 429, message: "", retryAfterMs });
  const pause = wait({}, limited(1_500), 0, true) ?? 0;
  assert.ok(pause >= 1_500 && pause <= 1_600);
  assert.equal(wait({}, limited(30_001), 0, true), undefined);
  assert.equal(wait({}, limited(5), 2, true), undefined);
  assert.equal(wait({}, limited(5), 0, false), undefined);
  const broken = new skep.ConnectionBrokenError("x");
  const pauses = [0, 1, 2, 9].map((tried) => wait({ times: 10 }, broken, tried, true) ?? 0);
  [100, 200, 400, 5_000].forEach((most, at) => assert.ok((pauses[at] ?? 0) >= most / 2 && (pauses[at] ?? 0) <= most));
  assert.notEqual(wait({}, broken, 0, true), wait({}, broken, 0, true));
  server.replies = [refused("OVERLOADED", 503, { retry_after_ms: 40 }, { "retry-after": "9" }), [200, WHO]];
  const start = performance.now();
  await client.whoami();
  assert.ok(performance.now() - start >= 40 && performance.now() - start < 5_000);
  server.replies = [refused("OVERLOADED", 503, {}, { "retry-after": "31" })];
  await assert.rejects(client.whoami(), (error: unknown) => (error as skep.ApiError).retryAfterMs === 31_000);
});

test("what never left is tried again, and nobody waits for ever", async () => {
  const nowhere = new skep.Client({ url: "http://127.0.0.1:9", tokenFile: server.key, retry: QUICK });
  await assert.rejects(nowhere.remember("x"), skep.ConnectionFailedError);
  const slow = new skep.Client({ url: server.url, tokenFile: server.key, retry: { times: 0 }, timeoutMs: 50 });
  server.replies = [() => new Promise((answer) => setTimeout(answer, 1_000, null))];
  const start = performance.now();
  await assert.rejects(slow.whoami(), skep.DeadlineError);
  assert.ok(performance.now() - start < 900);
  server.replies = [() => new Promise((answer) => setTimeout(answer, 1_000, null))];
  const signal = AbortSignal.timeout(20);
  await assert.rejects(client.recall("x", { signal }), { name: "AbortError" });
});

test("answers that are none of ours", async () => {
  for (const reply of [
    [200, "<html>"],
    [200, "5"],
    [502, "<html>bad gateway"],
    [302, "", { location: "http://127.0.0.1:9/" }],
    [400, { error: "no" }],
    [400, "null"],
  ] as Reply[]) {
    server.replies = [reply];
    await assert.rejects(client.whoami(), skep.ProtocolError);
  }
  server.replies = [[200, { items: [], next: "a" }], [200, { items: [], next: "a" }]];
  await assert.rejects(client.memories().next(), skep.ProtocolError);
});

test("keys go to the daemon alone", async () => {
  process.env["HTTP_PROXY"] = process.env["http_proxy"] = "http://127.0.0.1:9";
  server.replies = [[200, WHO]];
  await client.whoami();
  assert.equal(server.asked[0]?.headers.authorization, "Bearer skep_sk_scripted");
  assert.ok(!JSON.stringify(client).includes("skep_sk_"));
  delete process.env["HTTP_PROXY"];
  delete process.env["http_proxy"];
});

test("URLs are https or on this machine", () => {
  for (const [url, found] of [
    ["http://127.0.0.1:3850", "http://127.0.0.1:3850"],
    ["http://localhost:3850/", "http://localhost:3850"],
    ["http://[::1]:3850", "http://[::1]:3850"],
    ["https://Skep.example.com", "https://skep.example.com"],
    ["https://a.b:443", "https://a.b"],
    ["https://a.b:8443/", "https://a.b:8443"],
  ] as const) {
    assert.equal(origin(url), found);
  }
  for (const url of [
    "http://10.0.0.1:3850",
    "http://0.0.0.0:3850",
    "http://127.0.0.1",
    "http://user@127.0.0.1:3850",
    "http://localhost.example.com:3850",
    "https://user:pw@a.b",
    "https://a.b/path",
    "https://a.b//",
    "https://a.b?x=1",
    "https://a.b:0",
    "https://a.b:99999",
    "https://",
    "unix:/x",
    "skep.example.com",
  ]) {
    assert.throws(() => origin(url), skep.ConfigurationError, url);
  }
});

test("x05: what others could have read or planted is not used", () => {
  const url = "http://127.0.0.1:3850";
  const file = path.join(home, "key");
  for (const [text, mode] of [
    ["skep_sk_a", 0o640],
    ["skep_sk_a", 0o604],
    ["skep_sk_a\r\nX-Evil: 1", 0o600],
    ["skep_it_a", 0o600],
    ["", 0o600],
    ["skep_sk_" + "a".repeat(160), 0o600],
  ] as const) {
    put(file, text, mode);
    assert.throws(() => new skep.Client({ url, tokenFile: file }), skep.CredentialError, text);
  }
  put(file, "skep_sk_a");
  fs.symlinkSync(file, path.join(home, "link"));
  fs.mkdirSync(path.join(home, "folder"));
  for (const name of ["link", "folder", "missing"]) {
    assert.throws(() => new skep.Client({ url, tokenFile: path.join(home, name) }), skep.CredentialError);
  }
  fs.chmodSync(home, 0o750);
  assert.throws(() => new skep.Client({ local: true, home }), skep.ConfigurationError);
});

function login(issuer: string, refresh = "skep_rt_1"): object {
  const proof_key = Buffer.from([...Array(32).keys()]).toString("base64url");
  return { issuer, organization: "org_1", name: "Mill", refresh_token: refresh, proof_key };
}

function logIn(issuer = server.url): void {
  const logins = [login(issuer), login("https://other.example.com", "skep_rt_other")];
  put(path.join(home, "credentials.json"), JSON.stringify({ logins }));
  put(path.join(home, "active.json"), JSON.stringify({ issuer, organization: "org_1" }));
}

test("the first that is said counts", () => {
  const here = "http://127.0.0.1:3850";
  const there = "https://skep.example.com";
  const key = put(path.join(home, "a.key"), "skep_sk_a");
  put(path.join(home, "install-token"), "skep_it_1");
  assert.ok(resolve({}).socket);
  assert.equal(resolve({ url: here }).token, "skep_it_1");
  assert.equal(resolve({ tokenFile: key }).url, here);
  assert.throws(() => resolve({ url: there }), skep.ConfigurationError);
  logIn(there);
  assert.equal(resolve({}).login?.organization, "org_1");
  assert.equal(resolve({ tokenFile: key }).url, there);
  assert.ok(resolve({ local: true }).socket);
  process.env["SKEP_URL"] = here;
  assert.equal(resolve({}).token, "skep_it_1");
  process.env["SKEP_TOKEN_FILE"] = key;
  assert.equal(resolve({}).token, "skep_sk_a");
  put(path.join(home, "credentials.json"), '{"logins": [{"refresh_token": "skep_rt_secret"}]}');
  delete process.env["SKEP_TOKEN_FILE"];
  assert.throws(() => resolve({ url: "https://a.b" }), (error: Error) => {
    return error instanceof skep.CredentialError && !error.message.includes("secret");
  });
});

/** Holds a proof to RFC 9449; gives its claims. */
function proved(asked: Asked, token?: string): Record<string, unknown> {
  const [head = "", claims = "", signature = ""] = String(asked.headers["dpop"]).split(".");
  const decode = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString()) as Record<string, unknown>;
  const jwk = decode(head)["jwk"] as crypto.JsonWebKey;
  const key = crypto.createPublicKey({ key: jwk, format: "jwk" });
  assert.ok(crypto.verify(null, Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, "base64url")));
  const said = decode(claims);
  assert.deepEqual([said["htm"], said["htu"]], [asked.method, server.url + asked.target.split("?")[0]]);
  if (token) assert.equal(said["ath"], crypto.createHash("sha256").update(token).digest("base64url"));
  return said;
}

/** A server on which each refresh token counts once. */
function renewing(): { reply: (asked: Asked) => Reply; renewals: () => number } {
  let counts = 1;
  const reply = (asked: Asked): Reply => {
    proved(asked);
    if (new URLSearchParams(asked.body).get("refresh_token") !== `skep_rt_${counts}`) {
      return [400, { error: "invalid_grant" }];
    }
    counts += 1;
    return [200, { access_token: `access-${counts}`, refresh_token: `skep_rt_${counts}`, expires_in: 600 }];
  };
  return { reply, renewals: () => counts - 1 };
}

test("a18: a login is renewed on disk and proved", async () => {
  logIn();
  const { reply } = renewing();
  const challenge = { "www-authenticate": 'DPoP error="use_dpop_nonce"', "dpop-nonce": "n3" };
  server.replies = [
    [400, { error: "use_dpop_nonce" }, { "dpop-nonce": "n1" }],
    reply,
    [200, WHO, { "dpop-nonce": "n2" }],
    refused("INVALID_CREDENTIAL", 401, {}, challenge),
    [200, { known: false }],
  ];
  const mine = new skep.Client({ home });
  await mine.whoami();
  assert.equal((await mine.remember("x")).known, false);
  const said = server.asked.slice(2).map((asked) => proved(asked, "access-2"));
  assert.deepEqual(said.map((one) => one["nonce"]), ["n1", "n2", "n3"]);
  assert.equal(new Set(said.map((one) => one["jti"])).size, 3);
  assert.equal(server.asked[2]?.headers["x-skep-organization"], "org_1");
  const kept = JSON.parse(fs.readFileSync(path.join(home, "credentials.json"), "utf8")) as {
    logins: { refresh_token: string; name: string }[];
  };
  assert.deepEqual(kept.logins.map((one) => one.refresh_token), ["skep_rt_other", "skep_rt_2"]);
  assert.equal(fs.statSync(path.join(home, "credentials.json")).mode & 0o777, 0o600);
});

test("a18: a token that is refused is renewed once, a login that ended says so", async () => {
  logIn();
  const { reply, renewals } = renewing();
  const no = refused("INVALID_CREDENTIAL", 401);
  server.replies = [reply, no, reply, no];
  await assert.rejects(new skep.Client({ home }).remember("x"), skep.AuthenticationError);
  assert.equal(renewals(), 2);
  server.replies = [[400, { error: "invalid_grant" }]];
  await assert.rejects(new skep.Client({ home }).whoami(), skep.LoginEndedError);
});

test("a18: programs that renew at once take turns, and calls of one share a renewal", async () => {
  logIn();
  const { reply, renewals } = renewing();
  const anything = (asked: Asked): Reply => (asked.target === "/oauth/token" ? reply(asked) : [200, WHO]);
  server.replies = Array<typeof anything>(40).fill(anything);
  const mine = new skep.Client({ home });
  await Promise.all([1, 2, 3, 4].map(() => mine.whoami()));
  assert.equal(renewals(), 1);
  const program = `import { Client } from ${JSON.stringify(new URL("../src/index.js", import.meta.url))}; await new Client().whoami();`;
  const running = [1, 2, 3, 4].map(
    () =>
      new Promise((ended) => {
        spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: "inherit" }).once("exit", ended);
      }),
  );
  assert.deepEqual(await Promise.all(running), [0, 0, 0, 0]);
  assert.equal(renewals(), 5);
});
