//! Vectors of the mock's: of the words of a text, so that equal texts are equal and alike ones near.

use base64ct::{Base64, Encoding};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::relay::Ask;

/// Numbers of a vector, where the request does not say.
const DIMENSIONS: usize = 64;
/// As many as may be asked for.
const MOST: usize = 3_072;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Told {
    input: Value,
    dimensions: Option<usize>,
    encoding_format: Option<String>,
}

pub(super) fn whole(ask: &Ask, body: &[u8]) -> Value {
    let told: Told = serde_json::from_slice(body).unwrap_or_default();
    let dimensions = told.dimensions.unwrap_or(DIMENSIONS).clamp(1, MOST);
    let in_bytes = told.encoding_format.as_deref() == Some("base64");
    let texts: Vec<Vec<String>> = match &told.input {
        Value::Array(all) if all.iter().all(Value::is_number) => vec![tokens(&told.input)],
        Value::Array(all) => all.iter().map(tokens).collect(),
        one => vec![tokens(one)],
    };
    let data: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(index, tokens)| {
            let vector = vector(tokens, dimensions);
            let embedding = if in_bytes {
                let bytes: Vec<u8> = vector.iter().flat_map(|part| part.to_le_bytes()).collect();
                json!(Base64::encode_string(&bytes))
            } else {
                json!(vector)
            };
            json!({ "object": "embedding", "index": index, "embedding": embedding })
        })
        .collect();
    let read: usize = texts.iter().map(Vec::len).sum();
    json!({
        "object": "list", "model": ask.model, "data": data,
        "usage": { "prompt_tokens": read, "total_tokens": read },
    })
}

/// The words of a text, or the numbers of tokens.
fn tokens(one: &Value) -> Vec<String> {
    match one {
        Value::String(text) => text.split_whitespace().map(str::to_lowercase).collect(),
        Value::Array(numbers) => numbers.iter().map(Value::to_string).collect(),
        _ => Vec::new(),
    }
}

/// Each token adds one to a place of its own; the whole has length one.
fn vector(tokens: &[String], dimensions: usize) -> Vec<f32> {
    let mut vector = vec![0.0_f32; dimensions];
    for token in tokens {
        let at = usize::try_from(fnv(token.as_bytes()) % dimensions as u64).unwrap_or_default();
        vector[at] += 1.0;
    }
    let length = vector.iter().map(|part| part * part).sum::<f32>().sqrt();
    if length > 0.0 {
        for part in &mut vector {
            *part /= length;
        }
    }
    vector
}

/// FNV-1a.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
