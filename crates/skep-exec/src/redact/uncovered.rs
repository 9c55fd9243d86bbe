//! What redaction does not promise, as data: for the answer to whoever asked, and for the documents.

/// A way past the redaction of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uncovered {
    /// A short name, for programs.
    pub name: &'static str,
    /// What it is, for people.
    pub what: &'static str,
}

/// How far redaction goes, in one word: it is no boundary.
pub const GRADE: &str = "best-effort";

/// Ways in which a program can show a secret and still not be redacted.
///
/// Each is a program that *wants* to show it: nothing that runs with a secret can be kept from
/// that by looking at its output. What helps is not to give it the secret, or to approve the
/// program.
pub const UNCOVERED: &[Uncovered] = &[
    Uncovered {
        name: "compressed",
        what: "gzip, zstd and other compression",
    },
    Uncovered {
        name: "ciphered",
        what: "rot13, XOR, encryption, hashes",
    },
    Uncovered {
        name: "interleaved",
        what: "other letters between those of the secret, or its letters in another order",
    },
    Uncovered {
        name: "in-pieces",
        what: "pieces of fewer than eight bytes with other text between them",
    },
    Uncovered {
        name: "other-encodings",
        what: "base58, base85, octal and little-endian dumps, words for letters, pictures",
    },
    Uncovered {
        name: "nested-thrice",
        what: "three or more encodings one around the other",
    },
    Uncovered {
        name: "folded-base64",
        what: "base64 with its capitals changed, letters beyond ASCII with theirs changed",
    },
    Uncovered {
        name: "derived",
        what: "answers about a secret: its length, one letter of it, a comparison",
    },
    Uncovered {
        name: "other-ways",
        what: "exit codes, times, files that the plan lets it write, what it sends where it may",
    },
];
