//! The one form of a template that its digest is over: every field in its order, each behind its length.

use super::{Base, Draft, Into, Kind, Parameter, Program, Requests, Rule, SecretIn};

/// No two templates have the same form.
pub(super) fn form(draft: &Draft) -> Vec<u8> {
    let mut out = Form(b"skep template v1".to_vec());
    out.text(&draft.name);
    out.text(&draft.purpose);
    match &draft.form {
        super::Form::Program(program) => {
            out.text("program");
            out.program(program);
        }
        super::Form::Requests(requests) => {
            out.text("requests");
            out.requests(requests);
        }
    }
    out.0
}

struct Form(Vec<u8>);

impl Form {
    fn program(&mut self, program: &Program) {
        self.text(&program.program);
        self.text(&program.directory);
        self.texts(&program.arguments);
        self.each(&program.parameters, Self::parameter);
        self.each(&program.secrets, Self::secret);
        self.each(&program.variables, |out, (name, value)| {
            out.text(name);
            out.text(value);
        });
        for texts in [&program.readable, &program.writable, &program.hosts] {
            self.texts(texts);
        }
        self.each(&program.rules, Self::rule);
        self.texts(&program.without);
        self.text(&program.seconds.to_string());
        self.text(&program.output.to_string());
    }

    fn requests(&mut self, requests: &Requests) {
        self.each(&requests.rules, Self::rule);
        self.each(&requests.bases, Self::base);
        self.texts(&requests.hosts);
        self.text(&requests.seconds.to_string());
    }

    fn parameter(&mut self, parameter: &Parameter) {
        self.text(&parameter.name);
        match &parameter.kind {
            Kind::Text { pattern } => {
                self.text("text");
                self.text(pattern);
            }
            Kind::Number { least, most } => {
                self.text("number");
                self.text(&least.to_string());
                self.text(&most.to_string());
            }
            Kind::Choice { of } => {
                self.text("choice");
                self.texts(of);
            }
        }
    }

    fn secret(&mut self, secret: &SecretIn) {
        self.text(secret.owner.as_str());
        self.text(&secret.name);
        match &secret.into {
            Into::Variable(name) => {
                self.text("variable");
                self.text(name);
            }
            Into::Descriptor(number) => {
                self.text("descriptor");
                self.text(&number.to_string());
            }
            Into::Input => self.text("input"),
        }
    }

    fn rule(&mut self, rule: &Rule) {
        self.text(rule.owner.as_str());
        self.text(&rule.secret);
        for texts in [&rule.hosts, &rule.headers, &rule.methods, &rule.paths] {
            self.texts(texts);
        }
        self.text(rule.body.as_str());
    }

    fn base(&mut self, base: &Base) {
        for text in [&base.name, &base.origin, &base.header, &base.value] {
            self.text(text);
        }
    }

    fn each<T>(&mut self, all: &[T], write: impl Fn(&mut Self, &T)) {
        self.number(all.len());
        for one in all {
            write(self, one);
        }
    }

    fn number(&mut self, number: usize) {
        self.0.extend_from_slice(&(number as u64).to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    fn texts(&mut self, texts: &[String]) {
        self.each(texts, |out, text| out.text(text));
    }
}
