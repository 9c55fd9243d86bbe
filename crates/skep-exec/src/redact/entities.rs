//! The named character references of HTML that stand for ASCII and for Latin letters.

/// The letter that a reference at the head of `tail`, after its ampersand, stands for, and its
/// length with the semicolon. Capitals do not matter for names that mean the same either way.
pub(super) fn named(tail: &[u8]) -> Option<(char, usize)> {
    let end = tail
        .iter()
        .take(LONGEST + 1)
        .position(|byte| *byte == b';')?;
    let name = std::str::from_utf8(&tail[..end]).ok()?;
    let ascii =
        |(known, letter): &(&str, char)| known.eq_ignore_ascii_case(name).then_some(*letter);
    let letter = ASCII.iter().find_map(ascii).or_else(|| latin(name))?;
    Some((letter, end + 1))
}

const LONGEST: usize = 16;

const ASCII: &[(&str, char)] = &[
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("plus", '+'),
    ("equals", '='),
    ("sol", '/'),
    ("bsol", '\\'),
    ("colon", ':'),
    ("semi", ';'),
    ("comma", ','),
    ("period", '.'),
    ("excl", '!'),
    ("quest", '?'),
    ("num", '#'),
    ("dollar", '$'),
    ("percnt", '%'),
    ("lpar", '('),
    ("rpar", ')'),
    ("ast", '*'),
    ("midast", '*'),
    ("commat", '@'),
    ("lsqb", '['),
    ("lbrack", '['),
    ("rsqb", ']'),
    ("rbrack", ']'),
    ("lcub", '{'),
    ("lbrace", '{'),
    ("rcub", '}'),
    ("rbrace", '}'),
    ("vert", '|'),
    ("verbar", '|'),
    ("VerticalLine", '|'),
    ("hat", '^'),
    ("lowbar", '_'),
    ("UnderBar", '_'),
    ("grave", '`'),
    ("DiacriticalGrave", '`'),
    ("tilde", '~'),
    ("dash", '-'),
    ("hyphen", '-'),
    ("Tab", '\t'),
    ("NewLine", '\n'),
    ("nbsp", '\u{a0}'),
];

/// Those of ISO 8859-1 from U+00C0 on, in order, as HTML has had them from its beginning.
const LATIN: [&str; 64] = [
    "Agrave", "Aacute", "Acirc", "Atilde", "Auml", "Aring", "AElig", "Ccedil", "Egrave", "Eacute",
    "Ecirc", "Euml", "Igrave", "Iacute", "Icirc", "Iuml", "ETH", "Ntilde", "Ograve", "Oacute",
    "Ocirc", "Otilde", "Ouml", "times", "Oslash", "Ugrave", "Uacute", "Ucirc", "Uuml", "Yacute",
    "THORN", "szlig", "agrave", "aacute", "acirc", "atilde", "auml", "aring", "aelig", "ccedil",
    "egrave", "eacute", "ecirc", "euml", "igrave", "iacute", "icirc", "iuml", "eth", "ntilde",
    "ograve", "oacute", "ocirc", "otilde", "ouml", "divide", "oslash", "ugrave", "uacute", "ucirc",
    "uuml", "yacute", "thorn", "yuml",
];

const SIGNS: [&str; 31] = [
    "iexcl", "cent", "pound", "curren", "yen", "brvbar", "sect", "uml", "copy", "ordf", "laquo",
    "not", "shy", "reg", "macr", "deg", "plusmn", "sup2", "sup3", "acute", "micro", "para",
    "middot", "cedil", "sup1", "ordm", "raquo", "frac14", "frac12", "frac34", "iquest",
];

fn latin(name: &str) -> Option<char> {
    let at = |names: &[&str], first: u32| {
        let place = names.iter().position(|known| *known == name)?;
        char::from_u32(first + place as u32)
    };
    at(&LATIN, 0xc0).or_else(|| at(&SIGNS, 0xa1))
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn names_end_with_their_semicolon() {
        assert_eq!(named(b"amp;x"), Some(('&', 4)));
        assert_eq!(named(b"AMP;"), Some(('&', 4)));
        assert_eq!(named(b"eacute;"), Some(('\u{e9}', 7)));
        assert_eq!(named(b"yuml;"), Some(('\u{ff}', 5)));
        assert_eq!(named(b"iquest;"), Some(('\u{bf}', 7)));
        assert_eq!(named(b"amp"), None);
        assert_eq!(named(b"nonsense;"), None);
    }
}
