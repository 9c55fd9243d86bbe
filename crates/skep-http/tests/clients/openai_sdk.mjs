// The official client of OpenAI for Node, unchanged but for base URL and key.

import assert from "node:assert/strict";
import OpenAI from "openai";

const client = new OpenAI({ baseURL: `${process.env.SKEP_BASE}/v1`, apiKey: process.env.SKEP_KEY });
const user = (content) => [{ role: "user", content }];

const answer = await client.chat.completions.create({ model: "mock/echo", messages: user("salt and rope") });
assert.equal(answer.choices[0].message.content, "You said: salt and rope");
assert.equal(answer.usage.completion_tokens, 5);

let text = "";
const stream = await client.chat.completions.create({ model: "mock/echo", messages: user("one two"), stream: true });
for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? "";
assert.equal(text, "You said: one two");

const tools = [{ type: "function", function: { name: "tide", parameters: { type: "object" } } }];
const call = await client.chat.completions.create({ model: "mock/echo", messages: user('call tide {"port":"Brest"}'), tools });
assert.deepEqual(JSON.parse(call.choices[0].message.tool_calls[0].function.arguments), { port: "Brest" });

// A tool's answer goes back, and an answer comes of it.
const { message } = call.choices[0];
const result = { role: "tool", tool_call_id: message.tool_calls[0].id, content: "high at noon" };
const done = await client.chat.completions.create({ model: "mock/echo", messages: [...user("call tide {}"), message, result], tools });
assert.equal(done.choices[0].message.content, "You said: high at noon");

// Responses, whole and streamed, with a tool.
const response = await client.responses.create({ model: "mock/echo", input: "salt and rope" });
assert.equal(response.output_text, "You said: salt and rope");
const spoken = client.responses.stream({ model: "mock/echo", input: "one two" });
const kinds = [];
for await (const event of spoken) kinds.push(event.type);
assert.equal(kinds.at(-1), "response.completed");
assert.equal((await spoken.finalResponse()).output_text, "You said: one two");
const tide = [{ type: "function", name: "tide", parameters: { type: "object" }, strict: false }];
const talk = user('call tide {"port":"Brest"}');
const asked = (await client.responses.create({ model: "mock/echo", input: talk, tools: tide })).output[0];
assert.deepEqual(JSON.parse(asked.arguments), { port: "Brest" });
const output = { type: "function_call_output", call_id: asked.call_id, output: "high at noon" };
const last = await client.responses.create({ model: "mock/echo", input: [...talk, asked, output], tools: tide });
assert.equal(last.output_text, "You said: high at noon");

// Embeddings, in bytes as the client asks by itself, and in numbers.
const texts = ["salt and rope", "tide", "salt and rope"];
const [salt, other, again] = (await client.embeddings.create({ model: "mock/echo", input: texts, dimensions: 16 })).data;
assert.deepEqual([...salt.embedding], [...again.embedding]);
assert.notDeepEqual([...salt.embedding], [...other.embedding]);
const plain = await client.embeddings.create({ model: "mock/echo", input: "tide", dimensions: 16, encoding_format: "float" });
assert.deepEqual([...plain.data[0].embedding], [...other.embedding]);

// A stream that is left.
const endless = await client.chat.completions.create({ model: "talker/m", messages: user("go"), stream: true });
let heard = 0;
for await (const _ of endless) if (++heard === 3) break;

// Again after 429, as long after as its answer says.
const begun = performance.now();
const late = await client.chat.completions.create({ model: "busy-n/m", messages: user("x") });
assert.equal(late.choices[0].message.content, "at last");
assert.ok(performance.now() - begun >= 1000, "it waited for the second that it was told");

const fails = (kind, request, options = {}) =>
  assert.rejects(client.chat.completions.create(request, { maxRetries: 0, ...options }), (error) => {
    assert.ok(error instanceof kind, `${error.constructor.name}: ${error.message}`);
    return true;
  });
await fails(OpenAI.NotFoundError, { model: "gpt-unheard-of", messages: user("x") });
await fails(OpenAI.RateLimitError, { model: "mock/echo", messages: user("fail 429") });
await fails(OpenAI.BadRequestError, { model: "mock/echo", messages: user("x"), n: 1000 });
await fails(OpenAI.InternalServerError, { model: "gone/m", messages: user("x") });
await fails(OpenAI.PermissionDeniedError, { model: "few/other", messages: user("x") });
await assert.rejects(client.chat.completions.create({ model: "dear/m", messages: user("x") }), { status: 402, code: "BUDGET_EXCEEDED" });
await assert.rejects(client.responses.create({ model: "mock/echo", input: "x", store: true }), (error) => {
  assert.ok(error instanceof OpenAI.BadRequestError && error.param === "store", String(error));
  return true;
});
await assert.rejects(async () => {
  for await (const _ of await client.responses.create({ model: "cut/m", input: "x", stream: true }));
}, { code: "UPSTREAM_ERROR" });
const stranger = new OpenAI({ baseURL: client.baseURL, apiKey: "skep_sk_nonsense" });
await assert.rejects(stranger.models.list(), OpenAI.AuthenticationError);
