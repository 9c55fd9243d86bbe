//! Tables of what is read, and of what is refused.

use proptest::prelude::{ProptestConfig, proptest};

use super::{Odd, parse};

fn read(text: &str) -> Result<Vec<(String, String)>, Odd> {
    let entries = parse(text)?.into_iter();
    Ok(entries
        .map(|entry| (entry.name, entry.value.expose().to_owned()))
        .collect())
}

#[test]
fn entries_are_read_as_the_programs_that_wrote_them_read_them() {
    for (text, expected) in [
        ("", &[][..]),
        ("# nothing\n\n; either\r\n", &[]),
        ("A=b", &[("A", "b")]),
        ("A=b\r\nB = c \r\n", &[("A", "b"), ("B", "c")]),
        ("export A=b\nexport  B=c", &[("A", "b"), ("B", "c")]),
        ("\u{feff}A=b", &[("A", "b")]),
        ("A=\nB=''\nC=\"\"", &[("A", ""), ("B", ""), ("C", "")]),
        ("A=b=c==", &[("A", "b=c==")]),
        ("A=b # said\nB=c#d", &[("A", "b"), ("B", "c#d")]),
        ("A='b # c' # d", &[("A", "b # c")]),
        (r#"A="b\n\"c\"\\ \$d""#, &[("A", "b\n\"c\"\\ $d")]),
        (r"A='b\n'", &[("A", r"b\n")]),
        (r"A=b\n", &[("A", r"b\n")]),
        ("A=$HOME/`id`${B}", &[("A", "$HOME/`id`${B}")]),
        (
            "A=\"-----BEGIN\nx\n-----END\"\nB=c",
            &[("A", "-----BEGIN\nx\n-----END"), ("B", "c")],
        ),
        ("A='b\nc=d\n'\nB=c", &[("A", "b\nc=d\n"), ("B", "c")]),
        (
            "[default]\naws_secret_access_key = a/b+c=\n[profile two]\nkey=d",
            &[
                ("default.aws_secret_access_key", "a/b+c="),
                ("profile two.key", "d"),
            ],
        ),
        (
            r#"{"a":"b","c":{"d":"\u00e9","n":1},"l":["x"],"t":true,"z":null}"#,
            &[("a", "b"), ("c.d", "é")],
        ),
    ] {
        let expected: Vec<_> = expected
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        assert_eq!(read(text), Ok(expected), "{text:?}");
    }
}

#[test]
fn what_is_odd_is_told_by_its_line_and_not_by_what_stands_there() {
    for (text, line) in [
        ("A=b\nhunter2", 2),
        ("A=b\n=hunter2", 2),
        ("A B=hunter2", 1),
        ("A=b\n\nB='hunter2\n", 3),
        ("A=\"hunter2\\\"", 1),
        ("A='b' hunter2", 1),
        ("A='b\nc' hunter2", 2),
        ("[section\nA=hunter2", 1),
        ("[]", 1),
        ("{\"a\":\n\"hunter2}", 2),
        ("{\"a\":\"hunter2\"} x", 1),
    ] {
        let odd = read(text).unwrap_err();
        assert_eq!(odd.line, line, "{text:?}: {odd:?}");
        assert!(!format!("{odd:?}").contains("hunter2"), "{odd:?}");
    }
    let deep = format!("{}\"a\":\"b\"{}", "{\"x\":".repeat(9) + "{", "}".repeat(10));
    assert!(read(&deep).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn x07_whatever_a_file_has_in_it_is_read_or_refused(text in "[ -~\n\r\t'\"\\\\=#\\[\\]{}é\u{feff}]{0,200}") {
        let _ = read(&text);
    }

    #[test]
    fn x07_what_is_written_between_quotes_is_read_back(values in proptest::collection::vec("[^'\u{0}]{0,40}", 0..5)) {
        let lines = values.iter().enumerate().map(|(at, value)| format!("K{at}='{value}'"));
        let text = lines.collect::<Vec<_>>().join("\n");
        let found: Vec<String> = read(&text).unwrap().into_iter().map(|(_, value)| value).collect();
        assert_eq!(found, values);
    }
}
