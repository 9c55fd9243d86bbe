//! The tables behind `arrows`: the architecture as data.

/// What each crate may name among our own; a `*` at the end stands for any ending.
pub(super) const ARROWS: &[(&str, &[&str])] = &[
    ("skep-domain", &[]),
    ("skep-crypto", &[]),
    ("skep-ledger", &[]),
    ("skep-simd", &[]),
    ("skep-egress", &[]),
    ("skep-exec", &["skep-crypto", "skep-domain"]),
    ("skep-limit", &["skep-crypto", "skep-domain"]),
    ("skep-llm", &[]),
    ("skep-telemetry", &["skep-egress"]),
    (
        "skep-reference",
        &["skep-crypto", "skep-domain", "skep-egress"],
    ),
    ("skep-wire", &["skep-crypto", "skep-domain", "skep-egress"]),
    ("skep-authz", &["skep-domain", "skep-crypto", "skep-jose"]),
    ("skep-jose", &["skep-domain", "skep-crypto"]),
    ("skep-memory", &["skep-domain"]),
    ("skep-vault", &["skep-domain", "skep-authz", "skep-crypto"]),
    ("skep-index", &["skep-domain", "skep-memory", "skep-simd"]),
    (
        "skep-store",
        &["skep-domain", "skep-authz", "skep-crypto", "skep-ledger"],
    ),
    (
        "skep-store-sqlite",
        &["skep-store", "skep-domain", "skep-crypto"],
    ),
    (
        "skep-store-postgres",
        &["skep-store", "skep-domain", "skep-crypto"],
    ),
    (
        "skep-app",
        &[
            "skep-domain",
            "skep-crypto",
            "skep-authz",
            "skep-egress",
            "skep-jose",
            "skep-limit",
            "skep-memory",
            "skep-index",
            "skep-ledger",
            "skep-llm",
            "skep-reference",
            "skep-store",
            "skep-vault",
            "skep-wire",
            "skep-exec",
        ],
    ),
    ("skep-api", &["skep-domain"]),
    (
        "skep-http",
        &[
            "skep-app",
            "skep-api",
            "skep-authz",
            "skep-domain",
            "skep-limit",
            "skep-mcp",
        ],
    ),
    (
        "skep-grpc",
        &[
            "skep-app",
            "skep-api",
            "skep-authz",
            "skep-crypto",
            "skep-domain",
            "skep-limit",
        ],
    ),
    ("skep-client", &["skep-api"]),
    ("skep-mcp", &["skep-api", "skep-domain", "skep-memory"]),
    (
        "skep-cli",
        &["skep-client", "skep-api", "skep-ledger", "skep-mcp"],
    ),
    (
        "skep-daemon",
        &[
            "skep-grpc",
            "skep-http",
            "skep-app",
            "skep-store-*",
            "skep-api",
            "skep-crypto",
            "skep-domain",
            "skep-authz",
            "skep-egress",
            "skep-exec",
            "skep-index",
            "skep-jose",
            "skep-limit",
            "skep-llm",
            "skep-reference",
            "skep-store",
            "skep-telemetry",
            "skep-vault",
            "skep-wire",
        ],
    ),
];

/// Crates that no program is built from: they may name any of ours, and only they and tests may
/// name them.
pub(super) const APART: &[&str] = &[
    "skep-bench",
    "skep-conformance",
    "skep-test-programs",
    "skep-test-support",
    "xtask",
];

/// Crates of others that only `may` name.
pub(super) struct Fence {
    pub(super) crates: &'static [&'static str],
    pub(super) may: &'static [&'static str],
    pub(super) reason: &'static str,
}

pub(super) const FENCES: &[Fence] = &[
    Fence {
        crates: &["rusqlite", "libsqlite3-sys"],
        may: &["skep-store-sqlite", "skep-bench"],
        reason: "SQL lives in the storage backends, and in the baselines of benches",
    },
    Fence {
        crates: &[
            "deadpool-postgres",
            "postgres-types",
            "refinery",
            "tokio-postgres",
            "tokio-postgres-rustls",
        ],
        may: &["skep-store-postgres"],
        reason: "SQL lives in the storage backends",
    },
    Fence {
        crates: &[
            "aes-gcm",
            "aes-gcm-siv",
            "argon2",
            "blake3",
            "chacha20poly1305",
            "hkdf",
            "hmac",
            "rand",
            "ring",
            "sha1",
        ],
        may: &["skep-crypto"],
        reason: "ciphers, hashes and randomness live in skep-crypto",
    },
    // What a program needs to prove that a login is its own, and no more: it may not reach
    // skep-crypto, where the keys of the store are.
    Fence {
        crates: &["getrandom"],
        may: &["skep-client", "skep-crypto"],
        reason: "randomness lives in skep-crypto; a client proves its own key",
    },
    // A verifier of logs holds no key, and is linked where skep-crypto may not be.
    Fence {
        crates: &["ed25519-dalek", "sha2"],
        may: &["skep-client", "skep-crypto", "skep-ledger"],
        reason: "signatures and hashes live in skep-crypto; a client proves its own key, and whoever verifies a log \
                 has none",
    },
    Fence {
        crates: &["jsonwebtoken"],
        may: &["skep-jose"],
        reason: "tokens are read in one place, by rules stricter than that crate's",
    },
    Fence {
        crates: &["axum", "axum-core", "tower-http"],
        may: &["skep-http"],
        reason: "only the edge knows the web framework",
    },
    Fence {
        crates: &["hyper-rustls", "lettre", "reqwest", "ureq", "webpki-roots"],
        may: &["skep-egress"],
        reason: "calls leave through skep-egress, which checks where they go",
    },
    Fence {
        crates: &["h2", "prost", "tonic", "tonic-prost", "tonic-reflection"],
        may: &["skep-grpc"],
        reason: "only that edge knows gRPC",
    },
    Fence {
        crates: &["rustls", "rustls-native-certs", "tokio-rustls"],
        may: &[
            "skep-client",
            "skep-egress",
            "skep-grpc",
            "skep-store-postgres",
            "skep-test-support",
            "skep-wire",
        ],
        reason: "the daemon's calls leave through skep-egress; a client calls its daemon and nobody else, and \
                 nodes of one installation each other and their database, at an address that whoever runs \
                 them has set; skep-wire is the server that a program's TLS ends at",
    },
    Fence {
        crates: &["fred", "redis"],
        may: &["skep-limit"],
        reason: "nothing but counts may stand in a store that is not sealed",
    },
    Fence {
        crates: &["rmcp"],
        may: &["skep-mcp"],
        reason: "one crate speaks the protocol of tools",
    },
    Fence {
        crates: &["landlock", "nix", "seccompiler"],
        may: &["skep-exec"],
        reason: "one crate builds walls around programs; `rustix` has the rest of the system",
    },
    Fence {
        crates: &["clap", "indicatif"],
        may: &["skep-bench", "skep-cli", "skep-daemon", "xtask"],
        reason: "arguments and progress bars belong to programs",
    },
    Fence {
        crates: &["anyhow", "eyre"],
        may: &[
            "skep-bench",
            "skep-cli",
            "skep-daemon",
            "skep-test-support",
            "xtask",
        ],
        reason: "a library names its errors",
    },
];

/// What may not appear anywhere in the tree of a crate.
pub(super) struct KeepOut {
    pub(super) of: &'static [&'static str],
    pub(super) out: &'static [&'static str],
    pub(super) reason: &'static str,
}

pub(super) const KEEP_OUT: &[KeepOut] = &[
    KeepOut {
        of: &["skep-cli", "skep-client", "skep-mcp"],
        out: &[
            "libsqlite3-sys",
            "rusqlite",
            "skep-app",
            "skep-authz",
            "skep-crypto",
            "skep-jose",
            "skep-store*",
        ],
        reason: "the client holds no storage and no keys: it asks the daemon",
    },
    KeepOut {
        of: &["skep-cli", "skep-client", "skep-mcp"],
        out: &["lettre", "reqwest", "skep-egress", "skep-exec"],
        reason: "the client speaks to its daemon, which makes the calls",
    },
    KeepOut {
        of: &[
            "skep-domain",
            "skep-authz",
            "skep-jose",
            "skep-ledger",
            "skep-memory",
            "skep-index",
            "skep-llm",
        ],
        out: &[
            "axum",
            "hyper",
            "libsqlite3-sys",
            "rustls",
            "rusqlite",
            "tokio",
        ],
        reason: "rules, ranking and what is said to models do no IO",
    },
];

/// Whether a name fits a pattern of the tables.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    pattern
        .strip_suffix('*')
        .map_or(pattern == name, |start| name.starts_with(start))
}
