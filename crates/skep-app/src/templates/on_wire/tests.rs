//! The vault's shape and the proxy's and the sandbox's judgement meet in one place.

use skep_exec::{Demand, Layer};
use skep_vault::template::{Base, Body, Draft, Form, Program, Requests, Rule, Template};
use skep_wire::Others;

use super::{WireParts, check_layers, demand};

fn rule() -> Rule {
    Rule {
        secret: "GITHUB_TOKEN".into(),
        hosts: vec!["api.github.com".into(), "*.example.com:8443".into()],
        headers: vec!["authorization".into()],
        methods: vec!["GET".into()],
        paths: vec!["/repos/".into()],
        body: Body::Leave,
        ..Rule::default()
    }
}

fn requests() -> Requests {
    Requests {
        rules: vec![rule()],
        bases: vec![Base {
            name: "github".into(),
            origin: "https://api.github.com".into(),
            header: "authorization".into(),
            value: "Bearer __skep_github_token__".into(),
        }],
        hosts: Vec::new(),
        seconds: 60,
    }
}

fn program() -> Program {
    Program {
        program: "/usr/bin/gh".into(),
        seconds: 1,
        output: 1,
        ..Program::default()
    }
}

fn template(form: Form) -> Template {
    let draft = Draft {
        name: "github".into(),
        purpose: "Read issues.".into(),
        form,
    };
    draft.check().unwrap()
}

fn of(change: impl FnOnce(&mut Requests)) -> Result<WireParts, (String, String)> {
    let mut changed = requests();
    change(&mut changed);
    WireParts::of(&template(Form::Requests(changed)))
}

#[test]
fn what_a_template_says_is_what_the_proxy_is_told() {
    let parts = of(|_| ()).unwrap();
    assert_eq!(parts.rules[0].secret(), "github_token");
    assert_eq!(parts.rules[0].placeholder(), "__skep_github_token__");
    assert_eq!((parts.bases.len(), parts.others), (1, Others::Refuse));
    let others = of(|all| all.hosts = vec!["example.com".into()])
        .unwrap()
        .others;
    assert!(matches!(others, Others::Tunnel(hosts) if hosts.len() == 1));
    let nowhere = WireParts::of(&template(Form::Program(program()))).unwrap();
    assert!(nowhere.rules.is_empty() && nowhere.others == Others::Refuse);
}

type Change = fn(&mut Requests);

/// Shapes that the vault takes and the proxy does not.
const REFUSED: [(&str, Change); 12] = [
    ("rules[0]", |all| all.rules[0].headers = vec!["host".into()]),
    ("rules[0]", |all| {
        all.rules[0].headers = vec!["proxy-authorization".into()];
    }),
    ("rules[0]", |all| all.rules[0].headers = vec!["a b".into()]),
    ("rules[0]", |all| {
        all.rules[0].methods = vec!["CONNECT".into()];
    }),
    ("rules[0]", |all| all.rules[0].methods = vec!["G T".into()]),
    ("rules[0]", |all| all.rules[0].paths = vec!["repos".into()]),
    ("rules[0]", |all| {
        all.rules[0].paths = vec!["/a/../b".into()];
    }),
    ("bases[0]", |all| {
        all.bases[0].origin = "http://a.example".into();
    }),
    ("bases[0]", |all| {
        all.bases[0].origin = "https://a.example/x".into();
    }),
    ("bases[0]", |all| all.bases[0].name = "A".into()),
    ("bases[0]", |all| all.bases[0].value = "Bearer x".into()),
    ("bases", |all| {
        all.bases[0].value = "Bearer __skep_other__".into();
    }),
];

#[test]
fn x03_what_the_proxy_does_not_take_is_not_approved() {
    for (field, change) in REFUSED {
        let (at, why) = of(change).err().unwrap();
        assert_eq!(at, field, "{why}");
    }
}

#[test]
fn x03_a_sandbox_is_left_out_by_name_alone() {
    let without = |names: &[&str]| Program {
        without: names.iter().map(|name| (*name).to_owned()).collect(),
        ..program()
    };
    let all = demand(&without(&[]));
    assert_eq!(all, Demand::usual().and(Layer::Network));
    let less = demand(&without(&["processes"]));
    assert_eq!(less, all.without(Layer::Processes));
    assert!(check_layers(&without(&["processes", "network"])).is_ok());
    for names in [["everything"], ["ipc"], ["Network"], [""]] {
        assert!(check_layers(&without(&names)).is_err(), "{names:?}");
    }
    // Where a program may send, its own network is what holds it to that.
    for sends in [
        Program {
            hosts: vec!["example.com".into()],
            ..without(&["network"])
        },
        Program {
            rules: vec![rule()],
            ..without(&["network"])
        },
    ] {
        assert!(check_layers(&sends).is_err());
    }
}
