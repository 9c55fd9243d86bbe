//! Wire types, the route table, error codes, the text form of ids, OpenAPI.
