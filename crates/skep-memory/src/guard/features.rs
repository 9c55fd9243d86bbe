//! What the linear model looks at: words, pairs and triples of words, and runs of characters,
//! hashed into a fixed number of buckets.

/// Buckets; a power of two.
pub const BUCKETS: usize = 1 << 14;

/// Words looked at; the rest of a longer text says little that these do not.
const WORDS: usize = 1_500;

/// Sentences looked at of one text.
const SENTENCES: usize = 300;
/// Letters of the shortest sentence that says anything.
const SHORTEST: usize = 12;

/// The sentences of a text, for the model: what stands between ends of sentences or lines.
pub fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split(['.', '!', '?', '\n', '。', '！', '？', ';'])
        .map(str::trim)
        .filter(|sentence| sentence.len() >= SHORTEST)
        .take(SENTENCES)
}

/// The buckets of a text in lower case, ascending, each once.
#[must_use]
pub fn features(text: &str) -> Vec<u32> {
    let words: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|word| !word.is_empty())
        .take(WORDS)
        .collect();
    let mut buckets: Vec<u32> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        buckets.push(bucket(b'1', &[word]));
        if let Some(next) = words.get(at + 1) {
            buckets.push(bucket(b'2', &[word, next]));
            if let Some(third) = words.get(at + 2) {
                buckets.push(bucket(b'3', &[word, next, third]));
            }
        }
        let letters: Vec<char> = word.chars().take(24).collect();
        for four in letters.windows(4) {
            let four: String = four.iter().collect();
            buckets.push(bucket(b'c', &[&four]));
        }
    }
    // Where a text begins tells an order from a report.
    for (count, tag) in [(1, b'a'), (2, b'b')] {
        if words.len() >= count {
            buckets.push(bucket(tag, &words[..count]));
        }
    }
    buckets.sort_unstable();
    buckets.dedup();
    buckets
}

/// FNV-1a (Fowler, Noll, Vo) over the parts, folded into the buckets.
fn bucket(kind: u8, parts: &[&str]) -> u32 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    add(kind);
    for part in parts {
        part.bytes().for_each(&mut add);
        add(0);
    }
    ((hash >> 40 ^ hash) & (BUCKETS as u64 - 1)) as u32
}
