"""The official client of Anthropic, unchanged but for base URL and key."""

import os
import time

import anthropic

BASE, KEY = os.environ["SKEP_BASE"], os.environ["SKEP_KEY"]
client = anthropic.Anthropic(base_url=BASE, api_key=KEY)


def call(text, model="mock/echo", **more):
    return dict(model=model, max_tokens=64, messages=[{"role": "user", "content": text}], **more)


def raises(kind, request):
    try:
        client.with_options(max_retries=0).messages.create(**request)
    except anthropic.AnthropicError as error:
        assert type(error) is kind, f"{type(error)} is not {kind}: {error}"
        return error
    raise AssertionError(f"{kind} was not raised")


# Messages.
answer = client.messages.create(**call("salt and rope"))
assert answer.content[0].text == "You said: salt and rope", answer
assert (answer.usage.input_tokens, answer.usage.output_tokens) == (3, 5), answer.usage
assert answer._request_id, "the id of the request is told"
assert "mock/echo" in [model.id for model in client.models.list()]

# Streams.
with client.messages.stream(**call("one two")) as stream:
    assert "".join(stream.text_stream) == "You said: one two"
    final = stream.get_final_message()
assert (final.stop_reason, final.usage.output_tokens) == ("end_turn", 4), final

# Tools.
tools = [{"name": "tide", "input_schema": {"type": "object"}}]
request = call('call tide {"port": "Brest"}', tools=tools)
block = client.messages.create(**request).content[0]
assert (block.type, block.name, block.input) == ("tool_use", "tide", {"port": "Brest"}), block
with client.messages.stream(**request) as stream:
    block = stream.get_final_message().content[0]
assert (block.type, block.input) == ("tool_use", {"port": "Brest"}), block

# A tool's answer goes back, and an answer comes of it.
talk = request["messages"] + [
    {"role": "assistant", "content": [block.to_dict()]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": block.id, "content": "high at noon"}]},
]
done = client.messages.create(model="mock/echo", max_tokens=64, messages=talk, tools=tools)
assert done.content[0].text == "You said: high at noon", done

# Counts.
counted = client.messages.count_tokens(model="mock/echo", messages=request["messages"], system="be brief")
assert counted.input_tokens == 4, counted

# A stream that is left.
with client.messages.create(**call("go", model="talker-a/m"), stream=True) as stream:
    for at, event in enumerate(stream):
        if at == 3:
            break

# A token in the other header is a key too.
other = anthropic.Anthropic(base_url=BASE, auth_token=KEY, api_key=None)
assert other.messages.create(**call("x")).stop_reason == "end_turn"

# Again after 429, as long after as its answer says.
begun = time.monotonic()
assert client.messages.create(**call("x", model="busy-a/m")).content[0].text == "at last"
assert time.monotonic() - begun >= 1, "it waited for the second that it was told"

# Errors as their own exceptions.
error = raises(anthropic.NotFoundError, call("x", model="claude-unheard-of"))
assert error.body["error"]["type"] == "not_found_error" and error.request_id, error.body
raises(anthropic.RateLimitError, call("fail 429"))
raises(anthropic.InternalServerError, call("fail 500"))
raises(anthropic.BadRequestError, dict(call("x"), messages="none"))
unpaid = raises(anthropic.PaymentRequiredError, call("x", model="dear/m"))
assert (unpaid.status_code, unpaid.body["error"]["type"]) == (402, "billing_error"), unpaid.body
raises(anthropic.PermissionDeniedError, call("x", model="few/other"))
try:
    anthropic.Anthropic(base_url=BASE, api_key="skep_sk_nonsense").messages.create(**call("x"))
except anthropic.AuthenticationError as error:
    assert error.body["error"]["type"] == "authentication_error", error.body
else:
    raise AssertionError("a key that is none was let in")
try:
    list(client.messages.create(**call("x", model="cut-a/m"), stream=True))
except anthropic.APIStatusError as error:
    assert error.body["error"]["code"] == "UPSTREAM_ERROR", error.body
else:
    raise AssertionError("a stream that broke off was taken for whole")
