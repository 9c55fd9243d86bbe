//! What stands in a template and looks like a secret; what only stands for one.

use skep_domain::{Id, Principal, RecordName, TemplateId, TemplateState, Timestamp, UserId};
use skep_memory::Redactor;
use skep_store::TemplateVersion;
use skep_vault::template::{Base, Draft, Form, Kind, Parameter, Program, Requests, Rule};

use super::super::digest;
use super::{check, opened, read, without_placeholders, written};

const TOKEN: &str = "ghp_x7Kq2mP9vR4tY8wZ1bN6cD3fG5hJ0sLaQeUo";

fn program() -> Program {
    Program {
        program: "/usr/bin/deploy".into(),
        arguments: vec!["--token={token}".into(), "--to".into(), "{place}".into()],
        parameters: ["token", "place"]
            .map(|name| Parameter {
                name: name.into(),
                kind: Kind::Text {
                    pattern: "[a-z]+".into(),
                },
            })
            .into(),
        variables: vec![("API_URL".into(), "https://api.example.com".into())],
        seconds: 60,
        output: 1024,
        ..Program::default()
    }
}

fn draft(form: Form) -> Draft {
    Draft {
        name: "deploy".into(),
        purpose: "Deploy what was built.".into(),
        form,
    }
}

fn requests(value: &str) -> Draft {
    draft(Form::Requests(Requests {
        rules: vec![Rule {
            secret: "github_token".into(),
            hosts: vec!["api.github.com".into()],
            headers: vec!["authorization".into()],
            ..Rule::default()
        }],
        bases: vec![Base {
            name: "github".into(),
            origin: "https://api.github.com".into(),
            header: "authorization".into(),
            value: value.into(),
        }],
        hosts: Vec::new(),
        seconds: 60,
    }))
}

fn field(draft: Draft) -> Option<String> {
    match check(draft, &Redactor::new()) {
        Ok(_) => None,
        Err(crate::AppError::Invalid(invalid)) => Some(invalid.field),
        Err(other) => panic!("{other}"),
    }
}

type Change = fn(&mut Program);

#[test]
fn x03_a_template_holds_no_secret() {
    assert_eq!(field(draft(Form::Program(program()))), None);
    assert_eq!(field(requests("Bearer __skep_github_token__")), None);
    let cases: [(&str, Change); 4] = [
        ("arguments[3]", |program| {
            program.arguments.push(TOKEN.into());
        }),
        ("variables[0]", |program| {
            program.variables[0] = ("API_TOKEN".into(), TOKEN.into());
        }),
        ("parameters[0]", |program| {
            program.parameters[0].kind = Kind::Choice {
                of: vec!["a".into(), TOKEN.into()],
            };
        }),
        ("variables[0]", |program| {
            program.variables[0].1 = "https://me:hunter2hunter2@example.com/".into();
        }),
    ];
    for (at, change) in cases {
        let mut other = program();
        change(&mut other);
        let found = field(draft(Form::Program(other)));
        assert_eq!(found.as_deref(), Some(at));
    }
    let purpose = format!("Deploy with {TOKEN}.");
    let named = Draft {
        purpose,
        ..draft(Form::Program(program()))
    };
    assert_eq!(field(named).as_deref(), Some("purpose"));
    let beside = format!("Bearer __skep_github_token__{TOKEN}");
    assert_eq!(field(requests(&beside)).as_deref(), Some("bases[0]"));
}

#[test]
fn x03_what_was_changed_since_it_was_drafted_is_not_used() {
    let template = check(draft(Form::Program(program())), &Redactor::new()).unwrap();
    let kept = TemplateVersion {
        id: TemplateId::from_bytes([1; 16]),
        name: template.name().clone(),
        version: 1,
        state: TemplateState::Approved,
        digest: digest(&template),
        text: written(template.draft()).unwrap(),
        drafter: Principal::User(UserId::from_bytes([2; 16])),
        at: Timestamp::from_micros(0),
        decided: None,
    };
    assert_eq!(opened(&kept).unwrap(), template);
    let text = kept.text.replace("/usr/bin/deploy", "/usr/bin/env");
    assert_ne!(text, kept.text);
    let changed = TemplateVersion {
        text,
        ..kept.clone()
    };
    assert!(opened(&changed).is_err());
    let name = RecordName::parse("other").unwrap();
    assert!(opened(&TemplateVersion { name, ..kept }).is_err());
}

#[test]
fn only_what_is_a_placeholder_is_passed_over() {
    for (text, left) in [
        ("a __skep_b__ c", "a <> c"),
        ("__skep_a____skep_b__", "<><>"),
        ("__skep_", "__skep_"),
        ("__skep_a b__", "__skep_a b__"),
        ("__skep_a b__skep_c__", "__skep_a b<>"),
    ] {
        assert_eq!(without_placeholders(text), left, "{text}");
    }
}

#[test]
fn what_is_kept_is_read_again() {
    let kept = requests("Bearer __skep_github_token__");
    assert_eq!(read(&written(&kept).unwrap()).unwrap(), kept);
    assert!(read("{}").is_err());
}
