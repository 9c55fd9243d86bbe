"""Asks a daemon about a credential, with the client that Google maintains and nothing of ours: what the
service looks like comes from its own description."""

import os
import sys

import grpc
from google.protobuf import descriptor_pool, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

# Without it this client sends the path of the socket as the authority, percent signs and all, which is
# none (RFC 9113, 8.3.1).
named = [("grpc.default_authority", "localhost")]
channel = grpc.insecure_channel("unix:" + os.environ["SKEP_SOCKET"], named)
database = ProtoReflectionDescriptorDatabase(channel)
try:
    services = database.get_services()
except grpc.RpcError as error:
    # What is not switched on describes nothing.
    print(error.code().name, error.details())
    sys.exit(3 if error.code() == grpc.StatusCode.UNIMPLEMENTED else 1)

assert "skep.auth.v1.AuthService" in services, services
pool = descriptor_pool.DescriptorPool(database)
service = pool.FindServiceByName("skep.auth.v1.AuthService")
names = sorted(method.name for method in service.methods)
assert names == [
    "CreateToken",
    "ListTokens",
    "RevokeToken",
    "ValidateAgent",
    "ValidateToken",
    "WatchRevocations",
], names


def call(method, metadata=(), **fields):
    described = service.methods_by_name[method]
    question = message_factory.GetMessageClass(described.input_type)
    answer = message_factory.GetMessageClass(described.output_type)
    path = f"/{service.full_name}/{method}"
    start = channel.unary_stream if described.server_streaming else channel.unary_unary
    ask = start(path, question.SerializeToString, answer.FromString)
    return ask(question(**fields), metadata=metadata, timeout=5)


token = os.environ["SKEP_TOKEN"]
said = call("ValidateToken", token=token)
assert said.role == "operator", said
assert said.organization.startswith("org_") and said.principal.startswith("usr_"), said
assert said.permissions & 1, said

for bad in ["", "nonsense", token[:-1], token + "x" * 4096]:
    try:
        call("ValidateToken", token=bad)
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.UNAUTHENTICATED, error
        told = dict(error.trailing_metadata() or ())
        assert told["skep-code"] == "INVALID_CREDENTIAL", told
    else:
        raise AssertionError(f"{bad!r} was taken")

try:
    call("CreateToken", metadata=[("authorization", "Bearer " + token)], label="x")
except grpc.RpcError as error:
    assert error.code() == grpc.StatusCode.PERMISSION_DENIED, error
else:
    raise AssertionError("an operator made a key")

news = call("WatchRevocations")
assert next(news).what == 0
news.cancel()
