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

// A stream that is left.
const endless = await client.chat.completions.create({ model: "talker/m", messages: user("go"), stream: true });
let heard = 0;
for await (const _ of endless) if (++heard === 3) break;

// Again after 429, as its answer says.
const late = await client.chat.completions.create({ model: "busy-n/m", messages: user("x") });
assert.equal(late.choices[0].message.content, "at last");

const fails = (kind, request, options = {}) =>
  assert.rejects(client.chat.completions.create(request, { maxRetries: 0, ...options }), (error) => {
    assert.ok(error instanceof kind, `${error.constructor.name}: ${error.message}`);
    return true;
  });
await fails(OpenAI.NotFoundError, { model: "gpt-unheard-of", messages: user("x") });
await fails(OpenAI.RateLimitError, { model: "mock/echo", messages: user("fail 429") });
await fails(OpenAI.BadRequestError, { model: "mock/echo", messages: user("x"), n: 1000 });
await fails(OpenAI.InternalServerError, { model: "gone/m", messages: user("x") });
const stranger = new OpenAI({ baseURL: client.baseURL, apiKey: "skep_sk_nonsense" });
await assert.rejects(stranger.models.list(), OpenAI.AuthenticationError);
