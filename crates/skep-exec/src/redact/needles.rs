//! What is looked for: every run of eight bytes of every secret, folded, forwards and backwards.

use zeroize::{Zeroize as _, Zeroizing};

/// A run of this many bytes of a secret is hidden wherever it stands; a secret may not be shorter.
pub const SHORTEST: usize = 8;

/// The secrets as a sieve over a rolling window of [`SHORTEST`] bytes.
///
/// One look costs the same however many secrets there are. A whole secret needs no search of its
/// own: it is all of its windows, one after the other.
pub(super) struct Needles {
    /// Folded windows, sorted.
    keys: Zeroizing<Vec<u64>>,
    /// Beside each key, whose it is.
    owners: Vec<Owner>,
    /// One bit for each value of a short hash: most windows of any text end here.
    sieve: Vec<u64>,
    shift: u32,
}

/// Whose window it is, and whether it says anything by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Owner {
    /// Sorts strong ones first: a window that is weak for one secret and strong for another is kept
    /// as the strong one's.
    weak: bool,
    pub(super) secret: u16,
}

impl Owner {
    pub(super) fn is_strong(self) -> bool {
        !self.weak
    }
}

impl Needles {
    /// The windows of these secrets, in order.
    pub(super) fn new<'a>(secrets: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut found: Vec<(u64, Owner)> = Vec::new();
        for (secret, value) in (0_u16..).zip(secrets) {
            for form in forms(value) {
                add(&mut found, &form, secret);
            }
        }
        found.sort_unstable();
        found.dedup_by_key(|(key, _)| *key);
        let bits = (found.len() * 16)
            .next_power_of_two()
            .clamp(1 << 12, 1 << 22);
        let shift = u64::BITS - bits.trailing_zeros();
        let mut needles = Self {
            keys: Zeroizing::new(Vec::with_capacity(found.len())),
            owners: Vec::with_capacity(found.len()),
            sieve: vec![0; bits / 64],
            shift,
        };
        for (key, owner) in &mut found {
            let at = needles.slot(*key);
            needles.sieve[at / 64] |= 1 << (at % 64);
            needles.keys.push(*key);
            needles.owners.push(*owner);
            key.zeroize();
        }
        needles
    }

    fn slot(&self, key: u64) -> usize {
        // Fibonacci hashing: the high bits of the product depend on every byte of the window.
        (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift) as usize
    }

    /// Whose window this is, if it is one.
    pub(super) fn get(&self, key: u64) -> Option<Owner> {
        let at = self.slot(key);
        if self.sieve[at / 64] >> (at % 64) & 1 == 0 {
            return None;
        }
        let at = self.keys.binary_search(&key).ok()?;
        Some(self.owners[at])
    }
}

/// As windows are compared: capitals are as good as small letters, and a plus sign, which stands
/// for a space in forms, is one.
pub(super) const fn folded(byte: u8) -> u8 {
    match byte {
        b'+' => b' ',
        _ => byte.to_ascii_lowercase(),
    }
}

/// What a view that leaves something out would show of this secret, beside the secret itself.
fn forms(value: &[u8]) -> Vec<Zeroizing<Vec<u8>>> {
    let mut forms = vec![Zeroizing::new(value.to_vec())];
    if value.iter().any(|byte| is_blank(*byte)) {
        let dense = value.iter().copied().filter(|byte| !is_blank(*byte));
        forms.push(Zeroizing::new(dense.collect()));
    }
    if std::str::from_utf8(value).is_err() {
        // Bytes above 127 that no text is: escapes name them as the first 256 characters.
        let mut text: String = value.iter().map(|byte| char::from(*byte)).collect();
        forms.push(Zeroizing::new(text.as_bytes().to_vec()));
        text.zeroize();
    }
    forms
}

/// What [`super::decode::Decoder::Dense`] leaves out.
pub(super) const fn is_blank(byte: u8) -> bool {
    byte <= b' ' || byte == 0x7f
}

fn add(found: &mut Vec<(u64, Owner)>, form: &[u8], secret: u16) {
    let said = armour(form);
    let weak: Vec<bool> = form
        .windows(SHORTEST)
        .enumerate()
        .map(|(at, window)| said.iter().any(|part| part.contains(&at)) || says_little(window))
        .collect();
    // A secret that is nothing but words and repetitions has to be found all the same.
    let all = weak.iter().all(|weak| *weak);
    for (window, weak) in form.windows(SHORTEST).zip(weak) {
        let owner = Owner {
            weak: weak && !all,
            secret,
        };
        let key = |bytes: &mut dyn Iterator<Item = &u8>| {
            bytes.fold(0_u64, |key, byte| key << 8 | u64::from(folded(*byte)))
        };
        found.push((key(&mut window.iter()), owner));
        found.push((key(&mut window.iter().rev()), owner));
    }
}

/// The starts of windows that lie in a line such as `-----BEGIN PRIVATE KEY-----`, which stands in
/// certificates too, but for two bytes at most: a line end, and what stands beside it.
fn armour(form: &[u8]) -> Vec<std::ops::Range<usize>> {
    const DASHES: &[u8] = b"-----";
    let mut lines = Vec::new();
    let mut from = 0;
    while let Some(open) = find(form, DASHES, from) {
        let inner = open + DASHES.len();
        let Some(close) = find(form, DASHES, inner) else {
            break;
        };
        let named = &form[inner..close];
        if named.len() <= 64 && (named.starts_with(b"BEGIN") || named.starts_with(b"END")) {
            let end = close + DASHES.len();
            lines.push(open.saturating_sub(2)..(end + 3).saturating_sub(SHORTEST).max(open));
            from = end;
        } else {
            from = close;
        }
    }
    lines
}

fn find(text: &[u8], what: &[u8], from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    rest.windows(what.len())
        .position(|window| window == what)
        .map(|at| at + from)
}

/// A window that stands in other texts as well: part of a word, or hardly more than one byte over
/// and over.
fn says_little(window: &[u8]) -> bool {
    let mut seen = window.to_vec();
    seen.sort_unstable();
    seen.dedup();
    let few = seen.len() <= 3;
    seen.zeroize();
    let small = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_lowercase);
    let capitals = window.iter().all(u8::is_ascii_uppercase);
    let word = small(window) || capitals || (window[0].is_ascii_uppercase() && small(&window[1..]));
    few || word
}

#[cfg(test)]
mod tests {
    use super::{Needles, folded};

    fn get(needles: &Needles, window: [u8; 8]) -> Option<bool> {
        let key = window
            .iter()
            .fold(0, |key, byte| key << 8 | u64::from(folded(*byte)));
        needles.get(key).map(super::Owner::is_strong)
    }

    #[test]
    fn words_of_a_secret_are_weak_unless_there_is_nothing_else() {
        let needles = Needles::new([b"password1234".as_slice()]);
        assert_eq!(get(&needles, *b"password"), Some(false));
        assert_eq!(get(&needles, *b"sword123"), Some(true));
        assert_eq!(get(&needles, *b"321drows"), Some(true), "backwards");
        assert_eq!(get(&needles, *b"passport"), None);
        let words = Needles::new([b"passwordpassword".as_slice()]);
        assert_eq!(get(&words, *b"password"), Some(true));
    }

    #[test]
    fn the_armour_of_a_key_is_weak_and_its_body_is_not() {
        let key = b"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg7\n-----END PRIVATE KEY-----\n";
        let needles = Needles::new([key.as_slice()]);
        assert_eq!(get(&needles, *b"-----BEG"), Some(false));
        assert_eq!(get(&needles, *b"KEY-----"), Some(false));
        assert_eq!(get(&needles, *b"\n-----EN"), Some(false));
        assert_eq!(get(&needles, *b"-----\nMI"), Some(true));
        assert_eq!(get(&needles, *b"MIIEvQIB"), Some(true));
    }
}
