//! Templates between what the wire carries and what is checked.

use skep_api::template as wire;
use skep_app::template::{
    Base, Body, Draft, Form, Into, Kind, Owner, Parameter, Program, Requests, Rule, SecretIn,
};

use crate::error::ApiError;

/// A draft of what was sent.
pub(crate) fn draft(text: wire::TemplateText) -> Result<Draft, ApiError> {
    let form = match (text.program, text.requests) {
        (Some(program), None) => Form::Program(read_program(program)?),
        (None, Some(requests)) => Form::Requests(read_requests(requests)?),
        _ => {
            let why = "expected program or requests, and not both";
            return Err(ApiError::field("program", "INVALID", why));
        }
    };
    Ok(Draft {
        name: text.name,
        purpose: text.purpose,
        form,
    })
}

/// What a draft says, to be sent.
pub(crate) fn text(draft: Draft) -> wire::TemplateText {
    let mut text = wire::TemplateText {
        name: draft.name,
        purpose: draft.purpose,
        program: None,
        requests: None,
    };
    match draft.form {
        Form::Program(program) => text.program = Some(write_program(program)),
        Form::Requests(requests) => text.requests = Some(write_requests(requests)),
    }
    text
}

fn read_program(program: wire::TemplateProgram) -> Result<Program, ApiError> {
    let parameters = program.parameters.into_iter().enumerate();
    let secrets = program.secrets.into_iter().enumerate();
    Ok(Program {
        program: program.path,
        arguments: program.arguments,
        parameters: parameters
            .map(|(at, one)| parameter(at, one))
            .collect::<Result<_, _>>()?,
        secrets: secrets
            .map(|(at, one)| secret(at, one))
            .collect::<Result<_, _>>()?,
        variables: program.variables.into_iter().collect(),
        directory: program.directory,
        readable: program.readable,
        writable: program.writable,
        hosts: program.hosts,
        rules: read_rules(program.rules)?,
        without: program.without,
        seconds: program.seconds,
        output: program.output,
    })
}

fn read_requests(requests: wire::TemplateRequests) -> Result<Requests, ApiError> {
    let base = |base: wire::TemplateBase| Base {
        name: base.name,
        origin: base.origin,
        header: base.header,
        value: base.value,
    };
    Ok(Requests {
        rules: read_rules(requests.rules)?,
        bases: requests.bases.into_iter().map(base).collect(),
        hosts: requests.hosts,
        seconds: requests.seconds,
    })
}

fn read_rules(rules: Vec<wire::TemplateRule>) -> Result<Vec<Rule>, ApiError> {
    let rules = rules.into_iter().enumerate();
    let rule = |(at, rule): (usize, wire::TemplateRule)| {
        let body = rule
            .body
            .as_deref()
            .map_or(Some(Body::Refuse), Body::from_name);
        let body = body.ok_or_else(|| {
            let why = "expected refuse, leave or replace";
            ApiError::field(format!("rules[{at}].body"), "INVALID", why)
        })?;
        Ok(Rule {
            owner: owner(&format!("rules[{at}]"), rule.owner.as_deref())?,
            secret: rule.secret,
            hosts: rule.hosts,
            headers: rule.headers,
            methods: rule.methods,
            paths: rule.paths,
            body,
        })
    };
    rules.map(rule).collect()
}

fn parameter(at: usize, parameter: wire::TemplateParameter) -> Result<Parameter, ApiError> {
    let kind = match (
        parameter.pattern,
        parameter.choices,
        parameter.least,
        parameter.most,
    ) {
        (Some(pattern), None, None, None) => Kind::Text { pattern },
        (None, Some(of), None, None) => Kind::Choice { of },
        (None, None, Some(least), Some(most)) => Kind::Number { least, most },
        _ => {
            let why = "expected one of pattern, choices, and least together with most";
            return Err(ApiError::field(format!("parameters[{at}]"), "INVALID", why));
        }
    };
    Ok(Parameter {
        name: parameter.name,
        kind,
    })
}

fn secret(at: usize, secret: wire::TemplateSecret) -> Result<SecretIn, ApiError> {
    let into = match (secret.variable, secret.descriptor, secret.input) {
        (Some(name), None, false) => Into::Variable(name),
        (None, Some(number), false) => Into::Descriptor(number),
        (None, None, true) => Into::Input,
        _ => {
            let why = "expected one of variable, descriptor and input";
            return Err(ApiError::field(format!("secrets[{at}]"), "INVALID", why));
        }
    };
    Ok(SecretIn {
        owner: owner(&format!("secrets[{at}]"), secret.owner.as_deref())?,
        name: secret.name,
        into,
    })
}

fn owner(field: &str, name: Option<&str>) -> Result<Owner, ApiError> {
    let owner = name.map_or(Some(Owner::Workspace), Owner::from_name);
    owner.ok_or_else(|| {
        let why = "expected workspace, organization or agent";
        ApiError::field(format!("{field}.owner"), "INVALID", why)
    })
}

fn write_program(program: Program) -> wire::TemplateProgram {
    let parameters = program.parameters.into_iter().map(|parameter| {
        let mut out = wire::TemplateParameter {
            name: parameter.name,
            ..wire::TemplateParameter::default()
        };
        match parameter.kind {
            Kind::Text { pattern } => out.pattern = Some(pattern),
            Kind::Choice { of } => out.choices = Some(of),
            Kind::Number { least, most } => (out.least, out.most) = (Some(least), Some(most)),
        }
        out
    });
    let secrets = program.secrets.into_iter().map(|secret| {
        let mut out = wire::TemplateSecret {
            name: secret.name,
            owner: named(secret.owner),
            ..wire::TemplateSecret::default()
        };
        match secret.into {
            Into::Variable(name) => out.variable = Some(name),
            Into::Descriptor(number) => out.descriptor = Some(number),
            Into::Input => out.input = true,
        }
        out
    });
    wire::TemplateProgram {
        path: program.program,
        arguments: program.arguments,
        parameters: parameters.collect(),
        secrets: secrets.collect(),
        variables: program.variables.into_iter().collect(),
        directory: program.directory,
        readable: program.readable,
        writable: program.writable,
        hosts: program.hosts,
        rules: write_rules(program.rules),
        without: program.without,
        seconds: program.seconds,
        output: program.output,
    }
}

fn write_requests(requests: Requests) -> wire::TemplateRequests {
    let base = |base: Base| wire::TemplateBase {
        name: base.name,
        origin: base.origin,
        header: base.header,
        value: base.value,
    };
    wire::TemplateRequests {
        rules: write_rules(requests.rules),
        bases: requests.bases.into_iter().map(base).collect(),
        hosts: requests.hosts,
        seconds: requests.seconds,
    }
}

fn write_rules(rules: Vec<Rule>) -> Vec<wire::TemplateRule> {
    let rule = |rule: Rule| wire::TemplateRule {
        owner: named(rule.owner),
        secret: rule.secret,
        hosts: rule.hosts,
        headers: rule.headers,
        methods: rule.methods,
        paths: rule.paths,
        body: (rule.body != Body::Refuse).then(|| rule.body.as_str().to_owned()),
    };
    rules.into_iter().map(rule).collect()
}

/// The usual owner is not said.
fn named(owner: Owner) -> Option<String> {
    (owner != Owner::Workspace).then(|| owner.as_str().to_owned())
}
