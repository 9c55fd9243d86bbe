//! The only place that writes to the terminal: answers on stdout, everything else on stderr.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use rustix::termios::tcgetwinsize;
use serde::Serialize;

use crate::environment::Environment;
use crate::layout::one_line;
use crate::style::Style;

/// Where and how to write.
#[derive(Debug)]
pub(crate) struct Output {
    answers: io::Stdout,
    notes: io::Stderr,
    json: bool,
    quiet: bool,
    style: Style,
    width: Option<usize>,
}

impl Output {
    pub(crate) fn new(json: bool, quiet: bool, environment: &Environment) -> Self {
        let (answers, notes) = (io::stdout(), io::stderr());
        let terminal = answers.is_terminal();
        Self {
            answers,
            notes,
            json,
            quiet,
            style: Style(terminal && !json && !environment.no_colour),
            width: terminal.then(columns).flatten(),
        }
    }

    /// Whether answers are to be JSON.
    pub(crate) const fn is_json(&self) -> bool {
        self.json
    }

    pub(crate) const fn style(&self) -> Style {
        self.style
    }

    /// Whether answers go to a terminal.
    pub(crate) fn is_terminal(&self) -> bool {
        self.answers.is_terminal()
    }

    /// Columns to wrap at; none when nobody looks.
    pub(crate) const fn width(&self) -> Option<usize> {
        self.width
    }

    /// Whether something that moves may be shown on stderr.
    pub(crate) fn may_animate(&self) -> bool {
        !self.json && !self.quiet && self.notes.is_terminal()
    }

    /// One line of the answer.
    pub(crate) fn line(&self, text: &str) -> io::Result<()> {
        writeln!(self.answers.lock(), "{text}")
    }

    /// The whole answer as JSON, one line.
    pub(crate) fn json(&self, answer: &impl Serialize) -> io::Result<()> {
        let mut out = self.answers.lock();
        serde_json::to_writer(&mut out, answer)?;
        out.write_all(b"\n")
    }

    /// The whole answer: as JSON, or in these words.
    pub(crate) fn answer(&self, answer: &impl Serialize, text: &str) -> io::Result<()> {
        if self.json {
            self.json(answer)
        } else {
            self.line(text)
        }
    }

    /// Whether something of this name was there to be removed; it is no success if it was not.
    pub(crate) fn removed(
        &self,
        answer: &impl Serialize,
        (name, is_removed): (&str, bool),
    ) -> io::Result<ExitCode> {
        let name = one_line(name);
        if is_removed {
            self.answer(answer, &format!("{name} is removed"))?;
            return Ok(ExitCode::SUCCESS);
        }
        self.answer(answer, &format!("there is no {name} here"))?;
        Ok(ExitCode::FAILURE)
    }

    /// Bytes as they are, such as a completion script.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> io::Result<()> {
        self.answers.lock().write_all(bytes)
    }

    /// What goes on meanwhile; not with `--quiet`.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.complain(text);
        }
    }

    /// What went wrong.
    pub(crate) fn complain(&self, text: &str) {
        // There is nowhere left to say that stderr is closed.
        let _closed = writeln!(self.notes.lock(), "{text}");
    }
}

fn columns() -> Option<usize> {
    let size = tcgetwinsize(io::stdout()).ok()?;
    Some(usize::from(size.ws_col).clamp(40, 120)).filter(|_| size.ws_col > 0)
}
