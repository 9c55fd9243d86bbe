//! The only home of ciphers, hashes, signatures, randomness and the key hierarchy.
