//! A template in words: all that it says, a line each, and nothing that a terminal obeys.

use std::fmt::Write as _;

use skep_api::template::{
    TemplateParameter, TemplateProgram, TemplateRequests, TemplateRule, TemplateSecret,
    TemplateText,
};

use crate::layout::visible;

/// Its lines.
pub(super) fn lines(text: &TemplateText) -> Vec<String> {
    let mut lines = Lines(Vec::new());
    lines.add("for", &text.purpose);
    if let Some(program) = &text.program {
        lines.program(program);
    }
    if let Some(requests) = &text.requests {
        lines.requests(requests);
    }
    lines.0
}

struct Lines(Vec<String>);

impl Lines {
    fn add(&mut self, what: &str, text: &str) {
        // Every blank is shown, as each one counts; a line end would look like a line of ours.
        let text = text.replace(['\n', '\r', '\t'], "\u{fffd}");
        self.0.push(format!("{what:<10} {}", visible(&text)));
    }

    fn each(&mut self, what: &str, texts: &[String]) {
        for text in texts {
            self.add(what, text);
        }
    }

    fn program(&mut self, program: &TemplateProgram) {
        let mut command = quoted(&program.path);
        for argument in &program.arguments {
            let _ = write!(command, " {}", quoted(argument));
        }
        self.add("runs", &command);
        for parameter in &program.parameters {
            let what = format!("{{{}}}: {}", parameter.name, fits(parameter));
            self.add("fills in", &what);
        }
        for secret in &program.secrets {
            self.add("secret", &given(secret));
        }
        for (name, value) in &program.variables {
            self.add("variable", &format!("{name}={value}"));
        }
        if !program.directory.is_empty() {
            self.add("starts in", &program.directory);
        }
        self.each("reads", &program.readable);
        self.each("writes", &program.writable);
        self.rules(&program.rules);
        for host in &program.hosts {
            self.add("sends to", &format!("{host}, unread"));
        }
        if program.hosts.is_empty() && program.rules.is_empty() {
            self.add("sends to", "nobody");
        }
        if !program.without.is_empty() {
            let layers = program.without.join(", ");
            let what = format!("{layers} of its sandbox, if the machine has them not");
            self.add("without", &what);
        }
        let (seconds, output) = (program.seconds, program.output);
        self.add(
            "at most",
            &format!("{seconds} seconds, {output} bytes of output"),
        );
    }

    fn requests(&mut self, requests: &TemplateRequests) {
        self.rules(&requests.rules);
        for base in &requests.bases {
            let what = format!(
                "{} for {} with {}: {}",
                base.name, base.origin, base.header, base.value
            );
            self.add("base URL", &what);
        }
        for host in &requests.hosts {
            self.add("sends to", &format!("{host}, unread"));
        }
        self.add("at most", &format!("{} seconds a lease", requests.seconds));
    }

    fn rules(&mut self, rules: &[TemplateRule]) {
        for rule in rules {
            let name = of(&rule.secret, rule.owner.as_deref());
            let mut what = format!("{name} into requests to {}", rule.hosts.join(", "));
            for (part, texts) in [
                ("headers", &rule.headers),
                ("methods", &rule.methods),
                ("paths from", &rule.paths),
            ] {
                if texts.is_empty() {
                    if part != "headers" {
                        let _ = write!(what, "; any {}", part.trim_end_matches(" from"));
                    }
                } else {
                    let _ = write!(what, "; {part} {}", texts.join(", "));
                }
            }
            let body = match rule.body.as_deref() {
                Some("replace") => "; into bodies too",
                Some("leave") => "; bodies keep the placeholder",
                _ => "; not into bodies",
            };
            what.push_str(body);
            self.add("puts in", &what);
        }
    }
}

fn fits(parameter: &TemplateParameter) -> String {
    match (&parameter.pattern, &parameter.choices) {
        (Some(pattern), _) => format!("text that matches {pattern}"),
        (None, Some(choices)) => {
            let choices: Vec<String> = choices.iter().map(|one| quoted(one)).collect();
            format!("one of {}", choices.join(", "))
        }
        (None, None) => {
            let (least, most) = (parameter.least, parameter.most);
            let (least, most) = (least.unwrap_or_default(), most.unwrap_or_default());
            format!("a whole number from {least} to {most}")
        }
    }
}

fn given(secret: &TemplateSecret) -> String {
    let name = of(&secret.name, secret.owner.as_deref());
    match (&secret.variable, secret.descriptor) {
        (Some(variable), _) => format!("{name} in the variable {variable}"),
        (None, Some(number)) => format!("{name} as the file /dev/fd/{number}"),
        (None, None) => format!("{name} on standard input"),
    }
}

fn of(name: &str, owner: Option<&str>) -> String {
    match owner {
        Some("organization") => format!("{name} of the organization"),
        Some("agent") => format!("{name} of the agent who asks"),
        _ => name.to_owned(),
    }
}

/// An argument as one word: what a blank or a quote in it could hide is shown.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./={}:,@%+".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("{text:?}")
    }
}

#[cfg(test)]
mod tests {
    use skep_api::template::{TemplateParameter, TemplateProgram, TemplateText};

    use super::lines;

    #[test]
    fn x03_all_of_it_is_shown_and_nothing_looks_like_more() {
        let program: TemplateProgram = serde_json::from_value(serde_json::json!({
            "path": "/usr/bin/deploy", "arguments": ["a b", "{place}", "it's\nruns  x"],
            "secrets": [{ "name": "K", "descriptor": 3, "owner": "organization" }],
            "readable": ["/srv/r"], "writable": ["/srv/w"], "directory": "/srv/d",
            "variables": { "A": "b" }, "hosts": ["h.example"], "without": ["processes"],
            "rules": [{ "secret": "R", "hosts": ["r.example"], "headers": ["x-r"], "body": "replace" }],
            "seconds": 7, "output": 9,
        }))
        .unwrap();
        let text = TemplateText {
            name: "deploy".into(),
            purpose: "Deploy.".into(),
            program: Some(TemplateProgram {
                parameters: vec![TemplateParameter {
                    name: "place".into(),
                    pattern: Some("[a-z]+".into()),
                    ..TemplateParameter::default()
                }],
                ..program
            }),
            requests: None,
        };
        let wanted = "\
for        Deploy.
runs       /usr/bin/deploy \"a b\" {place} \"it's\\nruns  x\"
fills in   {place}: text that matches [a-z]+
secret     K of the organization as the file /dev/fd/3
variable   A=b
starts in  /srv/d
reads      /srv/r
writes     /srv/w
puts in    R into requests to r.example; headers x-r; any methods; any paths; into bodies too
sends to   h.example, unread
without    processes of its sandbox, if the machine has them not
at most    7 seconds, 9 bytes of output";
        assert_eq!(lines(&text).join("\n"), wanted);
    }
}
