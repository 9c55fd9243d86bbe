//! Per-workspace search in memory: lexical and vector channels to ids, fusion, embedder, snapshot.
