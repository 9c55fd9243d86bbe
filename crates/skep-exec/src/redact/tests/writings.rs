//! The evasion table, class a: ways of writing a value.

use base64ct::{Base64, Base64Url, Encoding as _};

/// One way of writing a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writing {
    Raw,
    Capitals,
    Small,
    Reversed,
    /// So many bytes before it.
    Base64(usize),
    Base64Url(usize),
    Base64Lines,
    Base32(usize),
    Hex,
    HexCapitals,
    HexColons,
    HexBlanks,
    HexPrefixed,
    Percent,
    PercentCapitals,
    PercentPartly,
    Form,
    JsonAll,
    JsonPartly,
    Backslash,
    EntitiesDecimal,
    EntitiesHex,
    EntitiesNamed,
    Utf16Little,
    Utf16Big,
    Quoted,
    Decimals,
}

pub(super) const ALL: &[Writing] = &[
    Writing::Raw,
    Writing::Capitals,
    Writing::Small,
    Writing::Reversed,
    Writing::Base64(0),
    Writing::Base64(1),
    Writing::Base64(2),
    Writing::Base64Url(0),
    Writing::Base64Url(1),
    Writing::Base64Url(2),
    Writing::Base64Lines,
    Writing::Base32(0),
    Writing::Base32(3),
    Writing::Hex,
    Writing::HexCapitals,
    Writing::HexColons,
    Writing::HexBlanks,
    Writing::HexPrefixed,
    Writing::Percent,
    Writing::PercentCapitals,
    Writing::PercentPartly,
    Writing::Form,
    Writing::JsonAll,
    Writing::JsonPartly,
    Writing::Backslash,
    Writing::EntitiesDecimal,
    Writing::EntitiesHex,
    Writing::EntitiesNamed,
    Writing::Utf16Little,
    Writing::Utf16Big,
    Writing::Quoted,
    Writing::Decimals,
];

impl Writing {
    /// The value so written; nothing if it cannot be.
    pub(super) fn write(self, value: &[u8]) -> Option<Vec<u8>> {
        let before = |len: usize| [b"xyzw"[..len].to_vec(), value.to_vec()].concat();
        let units = || letters(value).encode_utf16().collect::<Vec<_>>();
        Some(match self {
            Self::Raw => value.to_vec(),
            Self::Capitals => value.to_ascii_uppercase(),
            Self::Small => value.to_ascii_lowercase(),
            Self::Reversed => value.iter().rev().copied().collect(),
            Self::Base64(len) => Base64::encode_string(&before(len)).into_bytes(),
            Self::Base64Url(len) => Base64Url::encode_string(&before(len)).into_bytes(),
            Self::Base64Lines => {
                let text = Base64::encode_string(value).into_bytes();
                text.chunks(16).collect::<Vec<_>>().join(b"\r\n".as_slice())
            }
            Self::Base32(len) => base32(&before(len)),
            Self::EntitiesNamed => named(std::str::from_utf8(value).ok()?),
            Self::Utf16Little => units().into_iter().flat_map(u16::to_le_bytes).collect(),
            Self::Utf16Big => units().into_iter().flat_map(u16::to_be_bytes).collect(),
            Self::JsonAll | Self::JsonPartly => {
                let each = units().into_iter().map(|unit| self.unit(unit));
                each.collect::<Vec<_>>().concat().into_bytes()
            }
            Self::EntitiesDecimal | Self::EntitiesHex => {
                let text = letters(value);
                let each = text.chars().map(|letter| self.letter(letter));
                each.collect::<Vec<_>>().concat().into_bytes()
            }
            _ => {
                let each = value.iter().map(|byte| self.byte(*byte));
                each.collect::<Vec<_>>().concat().into_bytes()
            }
        })
    }

    fn byte(self, byte: u8) -> String {
        let word = byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        match self {
            Self::PercentPartly if word || byte == b'~' => char::from(byte).to_string(),
            Self::Form if word || byte == b'*' => char::from(byte).to_string(),
            Self::Form if byte == b' ' => "+".to_owned(),
            Self::Hex => format!("{byte:02x}"),
            Self::HexCapitals => format!("{byte:02X}"),
            Self::HexColons => format!("{byte:02x}:"),
            Self::HexBlanks => format!("{byte:02x} "),
            Self::HexPrefixed => format!("0x{byte:02x}, "),
            Self::Percent => format!("%{byte:02x}"),
            Self::Backslash => format!("\\x{byte:02x}"),
            Self::Quoted => format!("={byte:02X}"),
            Self::Decimals => format!("{byte}, "),
            _ => format!("%{byte:02X}"),
        }
    }

    fn letter(self, letter: char) -> String {
        let number = u32::from(letter);
        if self == Self::EntitiesDecimal {
            format!("&#{number};")
        } else {
            format!("&#x{number:x};")
        }
    }

    fn unit(self, unit: u16) -> String {
        let plain = (0x20..0x7f).contains(&unit) && unit != 0x22 && unit != 0x5c;
        if self == Self::JsonPartly && plain {
            char::from(unit as u8).to_string()
        } else {
            format!("\\u{unit:04x}")
        }
    }

    /// What was written once, written again. As text there are no bytes beyond it.
    pub(super) fn write_again(self, once: &[u8]) -> Option<Vec<u8>> {
        let of_text = matches!(
            self,
            Self::JsonAll
                | Self::JsonPartly
                | Self::EntitiesDecimal
                | Self::EntitiesHex
                | Self::Utf16Little
                | Self::Utf16Big
        );
        if of_text && std::str::from_utf8(once).is_err() {
            return None;
        }
        self.write(once)
    }

    /// Whether `outer` takes something from this writing that cannot be brought back.
    pub(super) fn is_lost_in(self, outer: Self) -> bool {
        let exact = matches!(
            self,
            Self::Base64(_) | Self::Base64Url(_) | Self::Base64Lines
        );
        let named = self == Self::EntitiesNamed;
        (exact || named) && matches!(outer, Self::Capitals | Self::Small)
    }
}

/// As text; bytes that are none as the first 256 characters.
fn letters(value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(text) => text.to_owned(),
        Err(_) => value.iter().map(|byte| char::from(*byte)).collect(),
    }
}

fn named(text: &str) -> Vec<u8> {
    const NAMES: [(char, &str); 6] = [
        ('&', "&amp;"),
        ('<', "&lt;"),
        ('>', "&gt;"),
        ('"', "&quot;"),
        ('\'', "&apos;"),
        ('ä', "&auml;"),
    ];
    let replace = |text: String, (letter, name): &(char, &str)| text.replace(*letter, name);
    NAMES.iter().fold(text.to_owned(), replace).into_bytes()
}

fn base32(value: &[u8]) -> Vec<u8> {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut out = Vec::new();
    for group in value.chunks(5) {
        let mut padded = [0; 8];
        padded[3..3 + group.len()].copy_from_slice(group);
        let bits = u64::from_be_bytes(padded);
        let digits = (group.len() * 8).div_ceil(5);
        out.extend((0..digits).map(|at| LETTERS[(bits >> (35 - 5 * at) & 31) as usize]));
        out.extend(std::iter::repeat_n(b'=', 8 - digits));
    }
    out
}

/// Repeatable noise of these letters.
pub(super) fn noise(len: usize, letters: &[u8]) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        letters[(state >> 33) as usize % letters.len()]
    };
    std::iter::repeat_with(next).take(len).collect()
}

/// Number `seed` of some secrets of 40 letters.
pub(super) fn random_secret(seed: u64) -> (String, Vec<u8>) {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        LETTERS[(state >> 33) as usize % LETTERS.len()]
    };
    (
        format!("secret-{seed}"),
        std::iter::repeat_with(next).take(40).collect(),
    )
}
