//! Templates: what may be approved, what may be filled in, and that approving one approves no other.

mod filled;

use std::collections::BTreeSet;

use super::{
    Arguments, Base, Body, Draft, FillError, Form, Into, Kind, Owner, Parameter, Program, Requests,
    Rule, SecretIn, Template,
};

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

fn program() -> Program {
    Program {
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
        rules: vec![rule()],
        without: vec!["processes".into()],
        seconds: 60,
        output: 1 << 16,
    }
}

fn rule() -> Rule {
    Rule {
        owner: Owner::Workspace,
        secret: "NPM_TOKEN".into(),
        hosts: vec!["registry.npmjs.org".into()],
        headers: vec!["authorization".into()],
        methods: vec!["PUT".into()],
        paths: vec!["/mine".into()],
        body: Body::Refuse,
    }
}

fn requests() -> Requests {
    Requests {
        rules: vec![rule()],
        bases: vec![Base {
            name: "npm".into(),
            origin: "https://registry.npmjs.org".into(),
            header: "authorization".into(),
            value: "Bearer __skep_npm_token__".into(),
        }],
        hosts: vec!["example.com".into()],
        seconds: 3600,
    }
}

fn good() -> Draft {
    draft(Form::Program(program()))
}

fn draft(form: Form) -> Draft {
    Draft {
        name: "release".into(),
        purpose: "Publish a release of this repository.".into(),
        form,
    }
}

fn of_program(change: impl FnOnce(&mut Program)) -> Draft {
    let mut changed = program();
    change(&mut changed);
    draft(Form::Program(changed))
}

fn of_requests(change: impl FnOnce(&mut Requests)) -> Draft {
    let mut changed = requests();
    change(&mut changed);
    draft(Form::Requests(changed))
}

fn checked(draft: Draft) -> Template {
    draft.check().unwrap()
}

fn values(pairs: &[(&str, &str)]) -> Arguments {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(own).collect()
}

type Change = fn(&mut Program);

/// One change to each field, and to each part of one.
const CHANGES: [(&str, Change); 26] = [
    ("no rules", |draft| draft.rules.clear()),
    ("without", |draft| draft.without.push("network".into())),
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

type RuleChange = fn(&mut Rule);

const RULES: [(&str, RuleChange); 10] = [
    ("owner", |rule| rule.owner = Owner::Agent),
    ("secret", |rule| rule.secret = "OTHER".into()),
    ("host", |rule| rule.hosts[0] = "example.com".into()),
    ("hosts", |rule| rule.hosts.push("example.com".into())),
    ("headers", |rule| rule.headers.push("x-token".into())),
    ("methods", |rule| rule.methods.clear()),
    ("paths", |rule| rule.paths[0] = "/".into()),
    ("moved", |rule| {
        let path = rule.paths.remove(0);
        rule.headers.push(path);
    }),
    ("body", |rule| rule.body = Body::Leave),
    ("replaced", |rule| rule.body = Body::Replace),
];

type RequestsChange = fn(&mut Requests);

const REQUESTS: [(&str, RequestsChange); 9] = [
    ("rules", |all| all.rules.push(rule())),
    ("no bases", |all| all.bases.clear()),
    ("base", |all| all.bases[0].name = "other".into()),
    ("origin", |all| {
        all.bases[0].origin = "https://example.com".into();
    }),
    ("header", |all| all.bases[0].header = "x-token".into()),
    ("value", |all| {
        all.bases[0].value = "__skep_npm_token__".into();
    }),
    ("hosts", |all| all.hosts.clear()),
    ("host", |all| all.hosts[0] = "*.example.com".into()),
    ("seconds", |all| all.seconds = 3601),
];

#[test]
fn x03_whoever_approves_one_template_approves_no_other() {
    let mut digests = BTreeSet::from([checked(good()).digest()]);
    let mut add = |what: &str, draft: Draft| {
        assert!(digests.insert(checked(draft).digest()), "{what}");
    };
    for (what, change) in CHANGES {
        add(what, of_program(change));
    }
    for (what, change) in RULES {
        add(what, of_program(|program| change(&mut program.rules[0])));
        add(what, of_requests(|requests| change(&mut requests.rules[0])));
    }
    for (what, change) in REQUESTS {
        add(what, of_requests(change));
    }
    add("requests", of_requests(|_| ()));
    add(
        "name",
        Draft {
            name: "Release".into(),
            ..good()
        },
    );
    add(
        "purpose",
        Draft {
            purpose: "Publish!".into(),
            ..good()
        },
    );
    assert_eq!(checked(good()).digest(), checked(good()).digest());
}

#[test]
fn x03_what_is_kept_is_what_was_approved() {
    for draft in [good(), of_requests(|_| ())] {
        let kept = serde_json::to_string(&draft).unwrap();
        let back: Draft = serde_json::from_str(&kept).unwrap();
        assert_eq!(back, draft);
        assert_eq!(checked(back).digest(), checked(draft).digest());
        // What nobody knows is not passed over.
        let more = kept.replacen("{\"name\"", "{\"more\":1,\"name\"", 1);
        assert_ne!(more, kept);
        assert!(serde_json::from_str::<Draft>(&more).is_err());
    }
}

#[test]
fn every_secret_is_named_once() {
    let template = checked(of_program(|program| {
        program.secrets.push(SecretIn {
            owner: Owner::Organization,
            name: "GITHUB_TOKEN".into(),
            into: Into::Input,
        });
        program.secrets.push(SecretIn {
            owner: Owner::Workspace,
            name: "github_token".into(),
            into: Into::Descriptor(4),
        });
    }));
    let named = template.secrets();
    let named: Vec<(Owner, &str)> = named
        .iter()
        .map(|(owner, name)| (*owner, name.as_str()))
        .collect();
    let wanted = [
        (Owner::Workspace, "GITHUB_TOKEN"),
        (Owner::Organization, "GITHUB_TOKEN"),
        (Owner::Workspace, "NPM_TOKEN"),
    ];
    assert_eq!(named, wanted);
    let template = checked(of_requests(|_| ()));
    assert_eq!(template.secrets().len(), 1);
    assert_eq!(template.rules()[0].wire_name(), "npm_token");
    let filled = template.fill(&values(&[]));
    assert_eq!(filled, Err(FillError::NoProgram));
}

/// What each of them is, in the field at fault.
const REFUSED: [(&str, Change); 44] = [
    ("without[0]", |draft| draft.without[0] = "a b".into()),
    ("without[0]", |draft| draft.without[0].clear()),
    ("without[1]", |draft| draft.without.push("processes".into())),
    ("without", |draft| draft.without = vec!["x".into(); 17]),
    ("rules", |draft| draft.rules = vec![rule(); 33]),
    ("rules[0].hosts", |draft| draft.rules[0].hosts.clear()),
    ("rules[0].secret", |draft| {
        draft.rules[0].secret = "github_token".into();
    }),
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

/// The same of what is put into requests.
const REFUSED_REQUESTS: [(&str, RequestsChange); 24] = [
    ("rules", |all| all.rules.clear()),
    ("rules", |all| all.rules = vec![rule(); 33]),
    ("rules[0].secret", |all| all.rules[0].secret = "a b".into()),
    ("rules[0].secret", |all| all.rules[0].secret = "a.b".into()),
    ("rules[0].hosts", |all| all.rules[0].hosts.clear()),
    ("rules[0].hosts[0]", |all| {
        all.rules[0].hosts[0] = "*".into();
    }),
    ("rules[0].hosts[0]", |all| {
        all.rules[0].hosts[0] = "169.254.169.254".into();
    }),
    ("rules[0].hosts[0]", |all| {
        all.rules[0].hosts[0] = "localhost".into();
    }),
    ("rules[0].headers[0]", |all| all.rules[0].headers[0].clear()),
    ("rules[0].headers[1]", |all| {
        all.rules[0].headers.push("authorization".into());
    }),
    ("rules[0].headers", |all| {
        all.rules[0].headers = vec!["x".into(); 33];
    }),
    ("rules[0].methods[0]", |all| {
        all.rules[0].methods[0] = "PU\u{200b}T".into();
    }),
    ("rules[0].paths[0]", |all| {
        all.rules[0].paths[0] = "\n".into();
    }),
    ("rules[0]", |all| all.rules[0].headers.clear()),
    ("rules[1]", |all| {
        all.rules.push(Rule {
            owner: Owner::Organization,
            secret: "npm_token".into(),
            ..rule()
        });
    }),
    ("bases", |all| {
        all.bases = vec![all.bases[0].clone(); 17];
    }),
    ("bases[1]", |all| all.bases.push(all.bases[0].clone())),
    ("bases[0].name", |all| all.bases[0].name.clear()),
    ("bases[0].origin", |all| all.bases[0].origin.clear()),
    ("bases[0].header", |all| all.bases[0].header.clear()),
    ("bases[0].value", |all| {
        all.bases[0].value = "\u{feff}".into();
    }),
    ("hosts[0]", |all| all.hosts[0] = "10.0.0.1".into()),
    ("seconds", |all| all.seconds = 0),
    ("seconds", |all| all.seconds = 86_401),
];

#[test]
fn x03_what_cannot_be_approved_is_refused() {
    let programs = REFUSED.map(|(field, change)| (field, of_program(change)));
    let requests = REFUSED_REQUESTS.map(|(field, change)| (field, of_requests(change)));
    let named = ["a b", "", "../x"].map(|name| {
        let name = name.into();
        ("name", Draft { name, ..good() })
    });
    let meant = [" ", "a\u{202e}b", "", "\u{200b}"].map(|purpose| {
        let purpose = purpose.into();
        ("purpose", Draft { purpose, ..good() })
    });
    let all = programs
        .into_iter()
        .chain(requests)
        .chain(named)
        .chain(meant);
    for (field, draft) in all {
        let shown = format!("{draft:?}");
        let error = draft.check().err();
        let error = error.unwrap_or_else(|| panic!("{field} was taken: {shown}"));
        assert_eq!(error.field, field, "{error}");
    }
}
