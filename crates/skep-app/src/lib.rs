//! Use cases: capture, memory, recall, import; no HTTP.
