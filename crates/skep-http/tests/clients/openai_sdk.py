"""The official client of OpenAI, unchanged but for base URL and key."""

import os
import time

import openai

BASE, KEY = os.environ["SKEP_BASE"] + "/v1", os.environ["SKEP_KEY"]
client = openai.OpenAI(base_url=BASE, api_key=KEY)


def user(text):
    return [{"role": "user", "content": text}]


def raises(kind, create=None, **call):
    quick = client.with_options(max_retries=0)
    try:
        (create(quick) if create else quick.chat.completions.create)(**call)
    except openai.OpenAIError as error:
        assert type(error) is kind, f"{type(error)} is not {kind}: {error}"
        return error
    raise AssertionError(f"{kind} was not raised")


# Chat.
answer = client.chat.completions.create(model="mock/echo", messages=user("salt and rope"))
assert answer.choices[0].message.content == "You said: salt and rope", answer
assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (3, 5), answer.usage
assert answer._request_id, "the id of the request is told"
assert "mock/echo" in [model.id for model in client.models.list()]

# Streams, without the count and with it.
stream = client.chat.completions.create(model="mock/echo", messages=user("one two"), stream=True)
chunks = list(stream)
assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "You said: one two"
assert chunks[-1].choices[0].finish_reason == "stop"
stream = client.chat.completions.create(
    model="mock/echo", messages=user("one two"), stream=True, stream_options={"include_usage": True}
)
assert list(stream)[-1].usage.completion_tokens == 4
cut = client.chat.completions.create(model="mock/echo", messages=user("a b c"), max_completion_tokens=3)
assert cut.choices[0].finish_reason == "length"

# Tools.
tools = [{"type": "function", "function": {"name": "tide", "parameters": {"type": "object"}}}]
for streamed in (False, True):
    call = dict(model="mock/echo", messages=user('call tide {"port": "Brest"}'), tools=tools)
    if streamed:
        with client.chat.completions.stream(**call) as stream:
            message = stream.get_final_completion().choices[0].message
    else:
        message = client.chat.completions.create(**call).choices[0].message
    assert message.tool_calls[0].function.name == "tide"
    assert message.tool_calls[0].function.arguments == '{"port":"Brest"}'

# A tool's answer goes back, and an answer comes of it.
talk = user('call tide {"port": "Brest"}') + [
    message.to_dict(),
    {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "high at noon"},
]
done = client.chat.completions.create(model="mock/echo", messages=talk, tools=tools)
assert done.choices[0].message.content == "You said: high at noon", done

# Responses, whole and streamed, with a tool.
response = client.responses.create(model="mock/echo", input="salt and rope", instructions="be brief")
assert (response.output_text, response.status) == ("You said: salt and rope", "completed"), response
assert (response.usage.input_tokens, response.usage.output_tokens) == (5, 5), response.usage
cut = client.responses.create(model="mock/echo", input="a b c", max_output_tokens=3)
assert cut.incomplete_details.reason == "max_output_tokens", cut
with client.responses.stream(model="mock/echo", input="one two") as stream:
    kinds = [event.type for event in stream]
    final = stream.get_final_response()
assert kinds[0] == "response.created" and kinds[-1] == "response.completed", kinds
assert (final.output_text, final.usage.output_tokens) == ("You said: one two", 4), final
tide = [{"type": "function", "name": "tide", "parameters": {"type": "object"}, "strict": False}]
talk = user('call tide {"port": "Brest"}')
call = client.responses.create(model="mock/echo", input=talk, tools=tide).output[0]
assert (call.name, call.arguments) == ("tide", '{"port":"Brest"}'), call
with client.responses.stream(model="mock/echo", input=talk, tools=tide) as stream:
    assert stream.get_final_response().output[0].arguments == call.arguments
talk += [call.to_dict(), {"type": "function_call_output", "call_id": call.call_id, "output": "high at noon"}]
assert client.responses.create(model="mock/echo", input=talk, tools=tide).output_text == "You said: high at noon"
refused = raises(
    openai.BadRequestError,
    lambda quick: quick.responses.create,
    model="mock/echo",
    input="go on",
    previous_response_id=response.id,
)
assert refused.param == "previous_response_id", refused.body

# Embeddings, in bytes as the client asks by itself, and in numbers.
texts = ["salt and rope", "tide", "salt and rope"]
vectors = client.embeddings.create(model="mock/echo", input=texts, dimensions=16)
salt, other, again = [item.embedding for item in vectors.data]
assert salt == again != other and len(salt) == 16, vectors
assert vectors.usage.prompt_tokens == 7
plain = client.embeddings.create(model="mock/echo", input="tide", dimensions=16, encoding_format="float")
assert plain.data[0].embedding == other

# A stream that is left.
with client.chat.completions.create(model="talker/m", messages=user("go"), stream=True) as stream:
    for at, chunk in enumerate(stream):
        if at == 3:
            break

# Again after 429, as long after as its answer says.
begun = time.monotonic()
answer = client.chat.completions.create(model="busy/m", messages=user("x"))
assert answer.choices[0].message.content == "at last"
assert time.monotonic() - begun >= 1, "it waited for the second that it was told"

# Errors as their own exceptions.
refused = raises(openai.NotFoundError, model="gpt-unheard-of", messages=user("x"))
assert refused.code == "NOT_FOUND" and refused.type == "invalid_request_error", refused.body
assert "gpt-unheard-of" in refused.message
assert raises(openai.BadRequestError, model="mock/echo", messages=user("x"), n=1000).param == "n"
raises(openai.PermissionDeniedError, model="few/other", messages=user("x"))
raises(openai.RateLimitError, model="mock/echo", messages=user("fail 429"))
raises(openai.InternalServerError, model="mock/echo", messages=user("fail 500"))
raises(openai.InternalServerError, model="gone/m", messages=user("x"))
unpaid = raises(openai.APIStatusError, model="dear/m", messages=user("x"))
assert (unpaid.status_code, unpaid.code) == (402, "BUDGET_EXCEEDED"), unpaid.body
for create in (lambda quick: quick.responses.create, lambda quick: quick.embeddings.create):
    raises(openai.NotFoundError, create, model="gpt-unheard-of", input="x")
    raises(openai.RateLimitError, create, model="mock/echo", input="fail 429")
try:
    openai.OpenAI(base_url=BASE, api_key="skep_sk_nonsense").models.list()
except openai.AuthenticationError as error:
    assert error.code == "INVALID_CREDENTIAL", error.body
else:
    raise AssertionError("a key that is none was let in")
try:
    list(client.chat.completions.create(model="cut/m", messages=user("x"), stream=True))
except openai.APIError as error:
    assert error.code == "UPSTREAM_ERROR", error
else:
    raise AssertionError("a stream that broke off was taken for whole")
try:
    list(client.responses.create(model="cut/m", input="x", stream=True))
except openai.APIError as error:
    assert error.code == "UPSTREAM_ERROR", error
else:
    raise AssertionError("a response that broke off was taken for whole")
