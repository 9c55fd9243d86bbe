"""The official client of OpenAI, unchanged but for base URL and key."""

import os

import openai

BASE, KEY = os.environ["SKEP_BASE"] + "/v1", os.environ["SKEP_KEY"]
client = openai.OpenAI(base_url=BASE, api_key=KEY)


def user(text):
    return [{"role": "user", "content": text}]


def raises(kind, **call):
    try:
        client.with_options(max_retries=0).chat.completions.create(**call)
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

# A stream that is left.
with client.chat.completions.create(model="talker/m", messages=user("go"), stream=True) as stream:
    for at, chunk in enumerate(stream):
        if at == 3:
            break

# Again after 429, as its answer says.
answer = client.chat.completions.create(model="busy/m", messages=user("x"))
assert answer.choices[0].message.content == "at last"

# Errors as their own exceptions.
refused = raises(openai.NotFoundError, model="gpt-unheard-of", messages=user("x"))
assert refused.code == "NOT_FOUND" and refused.type == "invalid_request_error", refused.body
assert "gpt-unheard-of" in refused.message
assert raises(openai.BadRequestError, model="mock/echo", messages=user("x"), n=1000).param == "n"
raises(openai.PermissionDeniedError, model="few/other", messages=user("x"))
raises(openai.RateLimitError, model="mock/echo", messages=user("fail 429"))
raises(openai.InternalServerError, model="mock/echo", messages=user("fail 500"))
raises(openai.InternalServerError, model="gone/m", messages=user("x"))
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
