//! Why a verb failed, said twice: to a person with what to do next, and as JSON.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};
use skep_api::{ErrorCode, ErrorEnvelope};
use skep_client::daemon::DaemonError;
use skep_client::{ClientError, EndpointError};

use crate::layout::{visible, without_userinfo};
use crate::output::Output;

/// A verb's failure.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    message: String,
    /// What to do about it.
    hint: Option<String>,
}

#[derive(Debug)]
enum Kind {
    /// The daemon refused; its own envelope.
    Refused(Box<ErrorEnvelope>),
    /// Something here, by a code of our own.
    Here(&'static str),
    /// Called wrongly.
    Usage,
    /// Nobody reads what we write.
    Closed,
}

impl Failure {
    /// Something failed at this end.
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Here(code),
            message: message.into(),
            hint: None,
        }
    }

    /// The command line makes no sense.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Usage,
            ..Self::new("USAGE", message)
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says where it was, if it is of the system, which does not say that itself.
    pub(crate) fn at(mut self, path: &Path) -> Self {
        if matches!(self.kind, Kind::Here("IO")) {
            self.message = format!("{}: {}", path.display(), self.message);
        }
        self
    }

    /// Whether nobody answered at all.
    pub(crate) fn is_unreachable(&self) -> bool {
        matches!(self.kind, Kind::Here("UNREACHABLE"))
    }

    /// The code that programs read.
    pub(crate) fn code(&self) -> &str {
        match &self.kind {
            Kind::Refused(envelope) => envelope.error.code.as_str(),
            Kind::Here(code) => code,
            Kind::Usage => "USAGE",
            Kind::Closed => "CLOSED",
        }
    }

    /// What is wrong and what to do, on one line.
    pub(crate) fn told(&self) -> String {
        let mut told = self.message();
        for line in self.particulars() {
            told.push_str("; ");
            told.push_str(&visible(&without_userinfo(&line)));
        }
        told
    }

    /// Says it and gives the exit code.
    pub(crate) fn report(&self, output: &Output) -> ExitCode {
        if matches!(self.kind, Kind::Closed) {
            return ExitCode::SUCCESS;
        }
        if output.is_json() {
            // A closed pipe leaves only the exit code to tell.
            let _closed = output.json(&self.envelope());
        } else {
            output.complain(&format!(
                "{} {}",
                output.style().bad("error:"),
                self.message()
            ));
            for line in self.particulars() {
                output.complain(&format!("  {}", visible(&without_userinfo(&line))));
            }
        }
        match self.kind {
            Kind::Usage => ExitCode::from(2),
            _ => ExitCode::from(1),
        }
    }

    /// What a person may see of it: no password that a URL carries.
    pub(crate) fn message(&self) -> String {
        visible(&without_userinfo(&self.message)).into_owned()
    }

    fn particulars(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Kind::Refused(envelope) = &self.kind {
            let told = &envelope.error.message;
            for field in &envelope.error.details {
                // Most say of which field they speak, and the first is the message itself.
                if field.message.starts_with(&field.field) {
                    lines.extend(Some(&field.message).filter(|said| *said != told).cloned());
                } else {
                    lines.push(format!("{}: {}", field.field, field.message));
                }
            }
            lines.push(format!(
                "{} · request {}",
                envelope.error.code.as_str(),
                envelope.error.request_id
            ));
        }
        lines.extend(self.hint.clone());
        lines
    }

    fn envelope(&self) -> Value {
        let message = without_userinfo(&self.message);
        let hint = self.hint.as_deref().map(without_userinfo);
        match &self.kind {
            Kind::Refused(envelope) => {
                let mut envelope = envelope.clone();
                envelope.error.message = without_userinfo(&envelope.error.message);
                for field in &mut envelope.error.details {
                    field.message = without_userinfo(&field.message);
                }
                json!(envelope)
            }
            Kind::Here(code) => json!({ "error": {
                "code": code, "message": message, "hint": hint,
            } }),
            Kind::Usage | Kind::Closed => json!({ "error": {
                "code": "USAGE", "message": message, "hint": hint,
            } }),
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let message = error.to_string();
        match error {
            ClientError::Refused(envelope) => {
                let hint = refused_hint(envelope.error.code, &envelope.error.message);
                Self {
                    kind: Kind::Refused(Box::new(envelope)),
                    message,
                    hint: hint.map(str::to_owned),
                }
            }
            ClientError::Unreachable { endpoint, .. } => {
                let hint = if endpoint.starts_with("https://") {
                    "is the name right, and the server up? A certificate of an authority of your own: name its file in SSL_CERT_FILE"
                } else {
                    "start it with: skep start"
                };
                Self::new("UNREACHABLE", message).hint(hint)
            }
            ClientError::Protocol { .. } => Self::new("PROTOCOL", message)
                .hint("skep and skepd may be of different versions; see: skep doctor"),
            ClientError::LoginEnded { endpoint } => {
                Self::new("LOGIN_ENDED", message).hint(format!(
                    "skep login {endpoint}; this machine's own daemon: skep org switch --local"
                ))
            }
            ClientError::Name { name, .. } => {
                Self::new("OTHER_NAME", message).hint(format!("skep login {name}"))
            }
            ClientError::Io { .. } => {
                Self::new("CONNECTION", message).hint("what the daemon did is in: skep logs")
            }
        }
    }
}

/// Which verb shows what is there, by what is not.
const SHOWN_BY: [(&str, &str); 7] = [
    ("template", "what there is: skep template list"),
    ("lease", "those under way: skep run --list"),
    ("run", "your runs: skep exec list"),
    ("secret", "what there is: skep secret list"),
    ("setting", "what there is: skep setting list"),
    (
        "memory",
        "it may have been erased; ids are shown by: skep recall",
    ),
    (
        "session",
        "it may have been erased; ids are shown by: skep sessions",
    ),
];

fn refused_hint(code: ErrorCode, message: &str) -> Option<&'static str> {
    match code {
        ErrorCode::NotFound => {
            let has = |word: &str| {
                let mut words = message.split(|letter: char| !letter.is_alphanumeric());
                words.any(|one| one == word)
            };
            let shown = SHOWN_BY.iter().find(|(what, _)| has(what));
            shown.map(|(_, hint)| *hint)
        }
        // What lacks is a permission, which the message names.
        ErrorCode::PermissionDenied if message.contains(':') => None,
        ErrorCode::PermissionDenied => {
            Some("an id of another workspace, or one mistyped, is answered like this")
        }
        ErrorCode::KeyWithdrawn => {
            Some("how it stands: skep org key; an owner gives it back with skep org key restore")
        }
        ErrorCode::MissingCredential | ErrorCode::InvalidCredential => Some(
            "log in with: skep login; over TCP without a login the install token of this very data directory is needed",
        ),
        ErrorCode::Internal | ErrorCode::StorageUnavailable => Some("see: skep logs, skep doctor"),
        ErrorCode::RateLimited | ErrorCode::QueueFull | ErrorCode::Overloaded => {
            Some("the daemon is busy: try again in a moment")
        }
        _ => None,
    }
}

impl From<DaemonError> for Failure {
    fn from(error: DaemonError) -> Self {
        let mut message = error.to_string();
        let hint = match &error {
            DaemonError::Program { .. } => "put skepd beside skep, or on the PATH".to_owned(),
            DaemonError::Died { log, .. } | DaemonError::Late { log, .. } => {
                for line in log {
                    message.push_str("\n  | ");
                    message.push_str(line);
                }
                "see: skep doctor, skep logs".to_owned()
            }
            DaemonError::PidFile { .. } => "find it with: pgrep -a skepd".to_owned(),
            DaemonError::File { .. } => "see: skep doctor".to_owned(),
        };
        Self::new("DAEMON", message).hint(hint)
    }
}

impl From<EndpointError> for Failure {
    fn from(error: EndpointError) -> Self {
        match error {
            EndpointError::Token { .. } => Self::new("TOKEN_FILE", error.to_string()).hint(
                "an install token is made by skepd at its first start (skep start), a key by: skep key create",
            ),
            _ => Self::usage(error.to_string()),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::BrokenPipe => Kind::Closed,
            _ => Kind::Here("IO"),
        };
        Self {
            kind,
            ..Self::new("IO", error.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use skep_api::ErrorCode;

    use super::refused_hint;

    #[test]
    fn a_hint_is_about_what_is_not_there() {
        for (message, hint) in [
            ("There is no such template.", "skep template list"),
            ("No template deploy is approved.", "skep template list"),
            ("There is no such lease.", "skep run --list"),
            ("There is no such run.", "skep exec list"),
            ("There is no such memory.", "skep recall"),
            ("There is no such session.", "skep sessions"),
        ] {
            let said = refused_hint(ErrorCode::NotFound, message).unwrap();
            assert!(said.ends_with(hint), "{message}: {said}");
        }
        assert_eq!(
            refused_hint(ErrorCode::NotFound, "There is no such job."),
            None
        );
    }
}
