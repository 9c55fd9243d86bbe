//! Names by pattern, as shells write them: `*`, `?`, `[a-z]`, `[!a-z]`, `\` before what is meant as it is.

/// A pattern.
#[derive(Debug)]
pub(super) struct Glob(Vec<Token>);

#[derive(Debug)]
enum Token {
    Any,
    One,
    Class(bool, Vec<(char, char)>),
    Is(char),
}

impl Glob {
    /// Reads a pattern; there is none that is wrong. A `[` that nothing closes is meant as it is.
    pub(super) fn new(pattern: &str) -> Self {
        let mut tokens = Vec::new();
        let mut rest = pattern;
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            tokens.push(match c {
                '*' => Token::Any,
                '?' => Token::One,
                '\\' => match rest.chars().next() {
                    Some(next) => {
                        rest = &rest[next.len_utf8()..];
                        Token::Is(next)
                    }
                    None => Token::Is(c),
                },
                '[' => match class(rest) {
                    Some((token, after)) => {
                        rest = after;
                        token
                    }
                    None => Token::Is(c),
                },
                _ => Token::Is(c),
            });
        }
        Self(tokens)
    }

    /// Whether the whole name fits. Only the last `*` is ever tried again, so that the time is bounded by the
    /// product of the lengths.
    pub(super) fn fits(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().collect();
        let (mut token, mut at) = (0, 0);
        let mut again = None;
        while at < name.len() {
            match self.0.get(token) {
                Some(Token::Any) => {
                    again = Some((token, at));
                    token += 1;
                }
                Some(one) if one.is(name[at]) => {
                    token += 1;
                    at += 1;
                }
                _ => match again {
                    Some((star, from)) => {
                        again = Some((star, from + 1));
                        (token, at) = (star + 1, from + 1);
                    }
                    None => return false,
                },
            }
        }
        self.0[token..]
            .iter()
            .all(|token| matches!(token, Token::Any))
    }
}

impl Token {
    fn is(&self, c: char) -> bool {
        match self {
            Self::Any => false,
            Self::One => true,
            Self::Is(wanted) => *wanted == c,
            Self::Class(negated, ranges) => {
                ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)) != *negated
            }
        }
    }
}

/// What stands after a `[`, up to its `]`; the first character may be one.
fn class(rest: &str) -> Option<(Token, &str)> {
    let (negated, inside) = match rest.strip_prefix(['!', '^']) {
        Some(inside) => (true, inside),
        None => (false, rest),
    };
    let first = inside.chars().next()?.len_utf8();
    let end = first + inside[first..].find(']')?;
    let chars: Vec<char> = inside[..end].chars().collect();
    let (mut ranges, mut at) = (Vec::new(), 0);
    while at < chars.len() {
        if at + 2 < chars.len() && chars[at + 1] == '-' {
            ranges.push((chars[at], chars[at + 2]));
            at += 3;
        } else {
            ranges.push((chars[at], chars[at]));
            at += 1;
        }
    }
    Some((Token::Class(negated, ranges), &inside[end + 1..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::Glob;

    #[test]
    fn patterns_fit_as_in_a_shell() {
        for (pattern, name, fits) in [
            ("*", "", true),
            ("*", "a.md", true),
            ("*.md", "a.md", true),
            ("*.md", "a.mdx", false),
            ("use-*-not*", "use-pnpm-not-npm.mem_1.md", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]x", "]x", true),
            ("[x", "[x", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("é*", "élan", true),
            ("", "", true),
            ("", "a", false),
            ("a**b", "aXXb", true),
            ("*a*b*c", "xaybzc", true),
        ] {
            assert_eq!(
                Glob::new(pattern).fits(name),
                fits,
                "{pattern:?} on {name:?}"
            );
        }
    }

    #[test]
    fn n15_stars_without_end_take_no_time() {
        let glob = Glob::new(&"*a".repeat(128));
        assert!(!glob.fits(&"a".repeat(100).repeat(2)[..127]));
        assert!(!glob.fits(&format!("{}b", "a".repeat(200))));
    }

    proptest! {
        #[test]
        fn any_pattern_is_read(pattern in any::<String>(), name in any::<String>()) {
            Glob::new(&pattern).fits(&name);
        }
    }
}
