//! The one form of a template that its digest is over: every field in its order, each behind its length.

use super::{Draft, Into, Kind, Owner};

/// No two templates have the same form.
pub(super) fn form(draft: &Draft) -> Vec<u8> {
    let mut out = Form(b"skep template v1".to_vec());
    for text in [
        &draft.name,
        &draft.purpose,
        &draft.program,
        &draft.directory,
    ] {
        out.text(text);
    }
    out.texts(&draft.arguments);
    out.number(draft.parameters.len());
    for parameter in &draft.parameters {
        out.text(&parameter.name);
        match &parameter.kind {
            Kind::Text { pattern } => {
                out.text("text");
                out.text(pattern);
            }
            Kind::Number { least, most } => {
                out.text("number");
                out.text(&least.to_string());
                out.text(&most.to_string());
            }
            Kind::Choice { of } => {
                out.text("choice");
                out.texts(of);
            }
        }
    }
    out.number(draft.secrets.len());
    for secret in &draft.secrets {
        out.text(match secret.owner {
            Owner::Workspace => "workspace",
            Owner::Organization => "organization",
            Owner::Agent => "agent",
        });
        out.text(&secret.name);
        match &secret.into {
            Into::Variable(name) => {
                out.text("variable");
                out.text(name);
            }
            Into::Descriptor(number) => {
                out.text("descriptor");
                out.text(&number.to_string());
            }
            Into::Input => out.text("input"),
        }
    }
    out.number(draft.variables.len());
    for (name, value) in &draft.variables {
        out.text(name);
        out.text(value);
    }
    for texts in [&draft.readable, &draft.writable, &draft.hosts] {
        out.texts(texts);
    }
    out.text(&draft.seconds.to_string());
    out.text(&draft.output.to_string());
    out.0
}

struct Form(Vec<u8>);

impl Form {
    fn number(&mut self, number: usize) {
        self.0.extend_from_slice(&(number as u64).to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    fn texts(&mut self, texts: &[String]) {
        self.number(texts.len());
        for text in texts {
            self.text(text);
        }
    }
}
