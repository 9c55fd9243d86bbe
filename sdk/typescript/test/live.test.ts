/** The client and its adapters against a real daemon. */

import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, before, test } from "node:test";

import { generateText, isStepCount } from "ai";
import { MockLanguageModelV4 } from "ai/test";

import * as anthropic from "../src/adapters/anthropic.js";
import * as openai from "../src/adapters/openai.js";
import { memoryTools } from "../src/adapters/vercel.js";
import * as skep from "../src/index.js";
import { TOOLS } from "../src/tools.js";
import { Daemon } from "./daemon.js";

const daemon = new Daemon();
let client: skep.Client;

before(async () => {
  await daemon.start();
  client = new skep.Client({ local: true, home: daemon.home });
});
after(() => daemon.stop());

async function all<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const got: T[] = [];
  for await (const row of rows) got.push(row);
  return got;
}

test("what is remembered is recalled, edited, forgotten and erased", async () => {
  const kept = await client.remember("Deploys of the mill go out on Tuesdays.", { kind: "decision", project: "mill" });
  assert.equal(kept.known, false);
  assert.equal((await client.remember("Deploys of the mill go out on Tuesdays.", { project: "mill" })).known, true);
  const found = await client.recall("when do deploys of the mill go out?", { k: 5, project: "mill", deadline_ms: 20_000 });
  assert.deepEqual(found.items.map((item) => item.memory.id), [kept.memory.id]);
  const edited = await client.edit(kept.memory.id, { text: "Deploys of the mill go out on Wednesdays." });
  assert.match((await client.memory(edited.memory.id)).text, /Wednesdays/);
  assert.equal((await client.history(edited.memory.id)).versions?.length, 2);
  assert.equal((await client.forget(edited.memory.id, "over")).state, "forgotten");
  await client.erase(edited.memory.id);
  await assert.rejects(client.memory(edited.memory.id), (error: unknown) => {
    assert.ok(error instanceof skep.NotFoundError);
    assert.deepEqual([error.code, error.status], ["NOT_FOUND", 404]);
    return error.requestId !== undefined;
  });
});

test("pages are walked as they are wanted", async () => {
  for (let number = 0; number < 7; number++) {
    await client.remember(`Shelf ${number} of the pantry holds ${number * 3} jars.`, { kind: "reference" });
  }
  const walked = await all(client.memories({ kind: "reference", limit: 3 }));
  assert.equal(new Set(walked.map((memory) => memory.id)).size, 7);
});

test("turns are captured once and come back in order", async () => {
  const session = { harness: "other", external_id: "sdk-1", title: "A session" };
  const turns = [0, 1, 2, 3].map((number) => ({
    client_event_id: `event-${number}`,
    role: "user",
    at: `2026-01-01T12:0${number}:00Z`,
    text: `message ${number}`,
  }));
  const first = await client.capture(session, turns, { origin: "import" });
  assert.equal(first.stored, 4);
  assert.equal((await client.capture(session, turns, { origin: "import" })).duplicates, 4);
  const read = await all(client.turns(first.session ?? "", { limit: 2 }));
  assert.deepEqual(read.map((turn) => turn.text), turns.map((turn) => turn.text));
  assert.equal((await client.endSession(first.session ?? "")).session.state, "ended");
});

test("every way of being somebody", async () => {
  const { file } = daemon.key("ways");
  for (const [options, kind] of [
    [{ home: daemon.home }, "socket"],
    [{ url: daemon.url, home: daemon.home }, "install"],
    [{ url: daemon.url, tokenFile: file }, "api"],
  ] as const) {
    assert.equal((await new skep.Client(options).whoami()).credential_kind, kind);
  }
});

test("a09: a revoked key is nobody at once", async () => {
  const { file, id } = daemon.key("revoked");
  const keyed = new skep.Client({ url: daemon.url, tokenFile: file });
  assert.equal((await keyed.whoami()).credential, id);
  daemon.skep("key", "revoke", id);
  await assert.rejects(keyed.whoami(), (error: unknown) => {
    assert.ok(error instanceof skep.AuthenticationError);
    assert.equal(error.code, "INVALID_CREDENTIAL");
    assert.match(error.hint, /revoked/);
    return !JSON.stringify(error).includes(fs.readFileSync(file, "utf8"));
  });
});

test("a key does what it is for and no more", async () => {
  const { file } = daemon.key("reader", "--permission", "memory:read");
  const reader = new skep.Client({ url: daemon.url, tokenFile: file });
  await reader.recall("anything");
  await assert.rejects(reader.remember("Nobody asked."), skep.ForbiddenError);
});

test("a01: what belongs to another tenant is not given", async () => {
  const { id } = (await client.remember("Only this workspace knows of the copper kettle.")).memory;
  const foreign = id.slice(0, 8) + (id[8] === "2" ? "3" : "2") + id.slice(9);
  await assert.rejects(client.memory(foreign), skep.ForbiddenError);
  for (const odd of ["..", "../sessions", "a/b?c=d", "%2e%2e", "é\n"]) {
    await assert.rejects(client.memory(odd), skep.InvalidRequestError, odd);
  }
});

test("a backup comes as it is made", async () => {
  const body = { passphrase: "correct horse battery" };
  const parts = await all(client.stream(skep.operations.Backup, { body }));
  assert.ok(parts.reduce((sum, part) => sum + part.length, 0) > 1_000);
  const short = client.stream(skep.operations.Backup, { body: { passphrase: "short" } });
  await assert.rejects(all(short), skep.InvalidRequestError);
});

test("every schema is closed and complete", () => {
  for (const { parameters } of Object.values(TOOLS)) {
    assert.equal(parameters.additionalProperties, false);
    assert.deepEqual(parameters.required, Object.keys(parameters.properties));
  }
});

test("OpenAI calls tools", async () => {
  assert.deepEqual(
    openai.tools().map((tool) => tool.function.name),
    ["memory_search", "memory_get", "memory_store"],
  );
  assert.equal(openai.responsesTools()[0]?.name, "memory_search");
  const given = JSON.stringify({ text: "The harbour master takes tea at four.", kind: null, project: null });
  const chat = { id: "call_1", type: "function", function: { name: "memory_store", arguments: given } };
  const message = await openai.run(client, chat);
  assert.equal(message.tool_call_id, "call_1");
  const { id } = JSON.parse(message.content) as { id: string };
  const item = {
    type: "function_call" as const,
    call_id: "call_2",
    name: "memory_search",
    arguments: '{"query": "when does the harbour master take tea?", "k": 3, "project": null}',
  };
  const { output } = await openai.run(client, item);
  assert.equal((JSON.parse(output) as { memories: { id: string }[] }).memories[0]?.id, id);
});

test("Anthropic calls tools, and what goes wrong is told to the model", async () => {
  const input = { text: "The bell tower is closed in winter." };
  const result = await anthropic.run(client, { id: "toolu_1", name: "memory_store", input });
  assert.deepEqual([result.tool_use_id, result.is_error], ["toolu_1", false]);
  for (const [name, given, told] of [
    ["memory_get", { id: "mem_no" }, "VALIDATION_ERROR"],
    ["memory_get", {}, "id has to be string"],
    ["memory_get", { id: "a", b: 1 }, "no argument"],
    ["memory_search", { query: 5 }, "query has to be string"],
    ["memory_search", { query: "x", k: 1.5 }, "k has to be integer or null"],
    ["rm", {}, "no tool"],
    ["constructor", {}, "no tool"],
    ["memory_search", "{", "JSON"],
    ["memory_search", [], "no object"],
  ] as const) {
    const wrong = await anthropic.run(client, { id: "1", name, input: given });
    assert.ok(wrong.is_error && wrong.content.includes(told), wrong.content);
  }
});

test("Vercel's AI SDK calls tools", async () => {
  const usage = {
    inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
    outputTokens: { total: 1, text: 1, reasoning: 0 },
  };
  const input = '{"text": "The lock keeper sleeps at noon.", "kind": null, "project": null}';
  const call = { type: "tool-call" as const, toolCallId: "1", toolName: "memory_store", input };
  const said = [
    { content: [call], finishReason: { unified: "tool-calls" as const, raw: undefined }, usage, warnings: [] },
    {
      content: [{ type: "text" as const, text: "Noted." }],
      finishReason: { unified: "stop" as const, raw: undefined },
      usage,
      warnings: [],
    },
  ];
  const model = new MockLanguageModelV4({ doGenerate: said });
  const answer = await generateText({ model, prompt: "x", tools: memoryTools(client), stopWhen: isStepCount(3) });
  assert.equal(answer.text, "Noted.");
  const offered = model.doGenerateCalls[0]?.tools?.map((tool) => tool.name);
  assert.deepEqual(offered, ["memory_search", "memory_get", "memory_store"]);
  assert.equal((await client.remember("The lock keeper sleeps at noon.")).known, true);
});
