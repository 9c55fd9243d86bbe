//! What may be filled in, and where it ends up.

use super::super::fill::parts;
use super::super::{Arguments, Kind, Template};
use super::{checked, good, of_program, parameter, text, values};

#[test]
fn values_are_filled_in_where_they_belong_and_nowhere_else() {
    let template = checked(good());
    let filled = template.fill(&values(&[
        ("version", "1.2"),
        ("title", "A {version} of it"),
    ]));
    assert!(filled.is_err(), "a brace is no letter of the pattern");
    let filled = template.fill(&values(&[("version", "1.2"), ("title", "First of all")]));
    let wanted = ["release", "create", "v1.2", "--title=First of all", "{raw}"];
    assert_eq!(filled.unwrap(), wanted);
}

fn with(kind: Kind) -> Template {
    checked(of_program(|program| {
        program.arguments = vec!["{value}".into(), "end".into()];
        program.parameters = vec![parameter("value", kind)];
    }))
}

#[test]
fn x03_a_value_is_one_argument_and_never_an_option() {
    let anything = with(text("(?s).*"));
    for bad in [
        "",
        "-rf",
        "--output=/etc/passwd",
        "a\nb",
        "a\0b",
        "a\u{7f}",
        &"x".repeat(4097),
    ] {
        assert!(
            anything.fill(&values(&[("value", bad)])).is_err(),
            "{bad:?}"
        );
    }
    for odd in [
        "a b", "$(id)", "a;b", "'", "\"", "{value}", "*", "ü", " -rf",
    ] {
        let filled = anything.fill(&values(&[("value", odd)])).unwrap();
        assert_eq!(filled, [odd, "end"]);
    }
    // The pattern matches all of a value or nothing, whatever it says itself.
    for (pattern, value, fits) in [
        ("a", "a", true),
        ("a", "ab", false),
        ("a|b", "ab", false),
        ("a|b", "b", true),
        ("(?m)^a$", "a", true),
        ("[a-z]+", "abc1", false),
        ("^a", "ab", false),
    ] {
        let filled = with(text(pattern)).fill(&values(&[("value", value)]));
        assert_eq!(filled.is_ok(), fits, "{pattern} {value}");
    }
}

#[test]
fn x03_numbers_and_choices_are_what_they_say() {
    let number = with(Kind::Number {
        least: -2,
        most: 10,
    });
    for (value, fits) in [
        ("10", true),
        ("-2", true),
        ("0", true),
        ("11", false),
        ("-3", false),
        ("01", false),
        ("+1", false),
        ("1.0", false),
        (" 1", false),
        ("1e1", false),
        ("-0", false),
        ("٣", false),
    ] {
        assert_eq!(
            number.fill(&values(&[("value", value)])).is_ok(),
            fits,
            "{value}"
        );
    }
    let choice = with(Kind::Choice {
        of: vec!["main".into(), "next".into()],
    });
    for (value, fits) in [("main", true), ("Main", false), ("main ", false)] {
        assert_eq!(
            choice.fill(&values(&[("value", value)])).is_ok(),
            fits,
            "{value}"
        );
    }
    // Neither one too few nor one too many.
    assert!(choice.fill(&Arguments::new()).is_err());
    assert!(
        choice
            .fill(&values(&[("value", "main"), ("other", "x")]))
            .is_err()
    );
}

#[test]
fn a_refused_value_is_not_told_again() {
    let template = checked(good());
    let error = template.fill(&values(&[("version", "hunter2"), ("title", "x")]));
    assert!(!error.unwrap_err().to_string().contains("hunter2"));
}

#[test]
fn braces_are_read_in_one_way() {
    for (argument, is_read) in [
        ("", true),
        ("a", true),
        ("{a}", true),
        ("{{a}}", true),
        ("{{{a}}}", true),
        ("{a}{b}", true),
        ("{", false),
        ("}", false),
        ("{a", false),
        ("a}", false),
        ("{a{b}}", false),
        ("{{a}", false),
    ] {
        assert_eq!(parts(argument).is_some(), is_read, "{argument}");
    }
    assert_eq!(parts("").unwrap().len(), 1, "an empty argument is one");
}
