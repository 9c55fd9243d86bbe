//! Templates: what may be approved, what may be filled in, and that approving one approves no other.

use std::collections::BTreeSet;

use super::fill::parts;
use super::{Arguments, Draft, Into, Kind, Owner, Parameter, SecretIn, Template};

fn text(pattern: &str) -> Kind {
    Kind::Text {
        pattern: pattern.into(),
    }
}

fn parameter(name: &str, kind: Kind) -> Parameter {
    Parameter {
        name: name.into(),
        kind,
    }
}

fn good() -> Draft {
    Draft {
        name: "release".into(),
        purpose: "Publish a release of this repository.".into(),
        program: "/usr/bin/gh".into(),
        arguments: [
            "release",
            "create",
            "v{version}",
            "--title={title}",
            "{{raw}}",
        ]
        .map(str::to_owned)
        .into(),
        parameters: vec![
            parameter("version", text(r"[0-9]+\.[0-9]+")),
            parameter("title", text("[A-Za-z ]{1,40}")),
        ],
        secrets: vec![SecretIn {
            owner: Owner::Workspace,
            name: "GITHUB_TOKEN".into(),
            into: Into::Variable("GH_TOKEN".into()),
        }],
        variables: vec![("GH_PAGER".into(), "cat".into())],
        directory: "/srv/work".into(),
        readable: vec!["/srv/work".into()],
        writable: vec!["/srv/out".into()],
        hosts: vec!["api.github.com".into(), "*.example.com:8443".into()],
        seconds: 60,
        output: 1 << 16,
    }
}

fn checked(draft: Draft) -> Template {
    draft.check().unwrap()
}

fn values(pairs: &[(&str, &str)]) -> Arguments {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(own).collect()
}

type Change = fn(&mut Draft);

/// One change to each field, and to each part of one.
const CHANGES: [(&str, Change); 26] = [
    ("name", |draft| draft.name = "Release".into()),
    ("purpose", |draft| draft.purpose.push('!')),
    ("program", |draft| draft.program = "/usr/bin/hg".into()),
    ("argument", |draft| draft.arguments[0] = "releases".into()),
    ("order", |draft| draft.arguments.swap(0, 1)),
    ("joined", |draft| {
        draft.arguments.splice(0..2, ["releasecreate".to_owned()]);
    }),
    ("more", |draft| draft.arguments.push(String::new())),
    ("pattern", |draft| {
        draft.parameters[0].kind = text("[0-9]+.[0-9]+");
    }),
    ("kind", |draft| {
        draft.parameters[0].kind = Kind::Number { least: 1, most: 9 };
    }),
    ("least", |draft| {
        draft.parameters[0].kind = Kind::Number { least: 0, most: 9 };
    }),
    ("choice", |draft| {
        draft.parameters[0].kind = Kind::Choice {
            of: vec!["1".into(), "2".into()],
        };
    }),
    ("choices", |draft| {
        draft.parameters[0].kind = Kind::Choice {
            of: vec!["12".into()],
        };
    }),
    ("parameters", |draft| draft.parameters.swap(0, 1)),
    ("owner", |draft| {
        draft.secrets[0].owner = Owner::Organization;
    }),
    ("agent", |draft| draft.secrets[0].owner = Owner::Agent),
    ("secret", |draft| {
        draft.secrets[0].name = "GITLAB_TOKEN".into();
    }),
    ("into", |draft| {
        draft.secrets[0].into = Into::Variable("TOKEN".into());
    }),
    ("descriptor", |draft| {
        draft.secrets[0].into = Into::Descriptor(3);
    }),
    ("input", |draft| draft.secrets[0].into = Into::Input),
    ("variable", |draft| draft.variables[0].1 = "less".into()),
    ("directory", |draft| draft.directory.clear()),
    ("readable", |draft| draft.readable.clear()),
    ("writable", |draft| {
        let path = draft.writable.remove(0);
        draft.readable.push(path);
    }),
    ("hosts", |draft| draft.hosts[1] = "*.example.com".into()),
    ("seconds", |draft| draft.seconds = 61),
    ("output", |draft| draft.output = 1),
];

#[test]
fn x03_whoever_approves_one_template_approves_no_other() {
    let mut digests = BTreeSet::from([checked(good()).digest()]);
    for (what, change) in CHANGES {
        let mut draft = good();
        change(&mut draft);
        assert!(digests.insert(checked(draft).digest()), "{what}");
    }
    assert_eq!(checked(good()).digest(), checked(good()).digest());
}

/// What each of them is, in the field at fault.
const REFUSED: [(&str, Change); 40] = [
    ("name", |draft| draft.name = "a b".into()),
    ("purpose", |draft| draft.purpose = " ".into()),
    ("purpose", |draft| draft.purpose = "a\u{202e}b".into()),
    ("program", |draft| draft.program = "gh".into()),
    ("program", |draft| {
        draft.program = "/usr/bin/../bin/gh".into();
    }),
    ("program", |draft| draft.program = "/usr//bin/gh".into()),
    ("program", |draft| draft.program = "/".into()),
    ("program", |draft| draft.program = "/usr/bin/gh\n".into()),
    ("directory", |draft| draft.directory = "./x".into()),
    ("arguments[0]", |draft| {
        draft.arguments[0] = "{nobody}".into();
    }),
    ("arguments[0]", |draft| draft.arguments[0] = "{".into()),
    ("arguments[0]", |draft| draft.arguments[0] = "a}b".into()),
    ("arguments[0]", |draft| draft.arguments[0] = "a\0b".into()),
    ("arguments[0]", |draft| {
        draft.arguments[0] = "zero\u{200b}width".into();
    }),
    ("arguments[0]", |draft| {
        draft.arguments[0] = "x".repeat(4097);
    }),
    ("arguments", |draft| {
        draft.arguments = vec!["{version}{title}".into(); 65];
    }),
    ("parameters", |draft| {
        draft.arguments = vec!["{version}".into()];
    }),
    ("parameters[0]", |draft| {
        draft.parameters[0].name = "Version".into();
    }),
    ("parameters[1]", |draft| {
        draft.parameters[1].name = "version".into();
    }),
    ("parameters[0].pattern", |draft| {
        draft.parameters[0].kind = text("");
    }),
    ("parameters[0].pattern", |draft| {
        draft.parameters[0].kind = text("(");
    }),
    ("parameters[0].pattern", |draft| {
        draft.parameters[0].kind = text("a)|(b");
    }),
    ("parameters[0].pattern", |draft| {
        draft.parameters[0].kind = text("(a{0,900}){0,900}");
    }),
    ("parameters[0]", |draft| {
        draft.parameters[0].kind = Kind::Number { least: 2, most: 1 };
    }),
    ("parameters[0].of", |draft| {
        draft.parameters[0].kind = Kind::Choice { of: vec![] }
    }),
    ("parameters[0].of", |draft| {
        draft.parameters[0].kind = Kind::Choice {
            of: vec!["-rf".into()],
        };
    }),
    ("secrets[0]", |draft| draft.secrets[0].name = "a b".into()),
    ("secrets[0]", |draft| {
        draft.secrets[0].into = Into::Variable("token".into());
    }),
    ("secrets[0]", |draft| {
        draft.secrets[0].into = Into::Variable("LD_PRELOAD".into());
    }),
    ("secrets[0]", |draft| {
        draft.secrets[0].into = Into::Descriptor(2);
    }),
    ("secrets[1]", |draft| {
        draft.secrets.push(draft.secrets[0].clone());
    }),
    ("variables[0]", |draft| {
        draft.variables[0].0 = "BASH_ENV".into();
    }),
    ("variables[0]", |draft| {
        draft.variables[0].0 = "GH_TOKEN".into();
    }),
    ("readable[0]", |draft| draft.readable[0] = "relative".into()),
    ("writable[0]", |draft| {
        draft.writable[0] = "/srv/../etc".into();
    }),
    ("hosts[0]", |draft| draft.hosts[0] = "127.0.0.1".into()),
    ("hosts[0]", |draft| draft.hosts[0] = "*.com".into()),
    ("hosts[0]", |draft| {
        draft.hosts[0] = "https://api.github.com".into();
    }),
    ("seconds", |draft| draft.seconds = 1801),
    ("output", |draft| draft.output = 0),
];

#[test]
fn x03_what_cannot_be_approved_is_refused() {
    for (field, change) in REFUSED {
        let mut draft = good();
        change(&mut draft);
        let shown = format!("{draft:?}");
        let error = draft.check().err();
        let error = error.unwrap_or_else(|| panic!("{field} was taken: {shown}"));
        assert_eq!(error.field, field, "{error}");
    }
}

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
    checked(Draft {
        arguments: vec!["{value}".into(), "end".into()],
        parameters: vec![parameter("value", kind)],
        ..good()
    })
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
