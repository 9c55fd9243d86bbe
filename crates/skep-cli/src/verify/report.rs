//! What was tried and what came of it.

use std::process::ExitCode;

use serde::Serialize;

use super::canary::TELLING;
use crate::args::Mode;
use crate::failure::Failure;
use crate::layout::{columns, one_line, wrapped};
use crate::output::Output;

/// Where it was tried.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Place {
    /// The daemon's version.
    pub(super) daemon: String,
    /// Its address.
    pub(super) at: String,
    /// The workspace that the canary was planted in.
    pub(super) workspace: String,
}

/// All of it.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    #[serde(flatten)]
    place: Place,
    /// Whether everything was tried and nothing that is promised failed.
    sound: bool,
    modes: Vec<Tried>,
}

/// One way of using secrets.
#[derive(Debug, Serialize)]
pub(super) struct Tried {
    pub(super) mode: Mode,
    /// Requests, files, processes that were looked through, where attempts are of one kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) looked: Option<String>,
    pub(super) attempts: Vec<Attempt>,
    /// Why it was not tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) skipped: Option<String>,
    /// What it cannot prevent, whatever is tried.
    pub(super) cannot: Vec<String>,
}

/// One try to get at the value.
#[derive(Debug, Serialize)]
pub(super) struct Attempt {
    pub(super) name: String,
    /// Whether it is promised that nothing comes of it.
    pub(super) promised: bool,
    pub(super) outcome: Outcome,
    /// How many letters of the canary came out in a row.
    pub(super) recovered: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// Nothing that tells of the value came out.
    Hidden,
    /// It came out, or enough of it.
    Recovered,
    /// What should have happened for the try to count did not.
    NotTried,
}

pub(super) const fn title(mode: Mode) -> &'static str {
    match mode {
        Mode::Reading => "reading",
        Mode::Programs => "programs that the daemon runs",
        Mode::Wire => "placeholders on the wire",
        Mode::Machine => "this machine",
    }
}

impl Attempt {
    pub(super) fn new(name: &str, promised: bool) -> Self {
        Self {
            name: name.to_owned(),
            promised,
            outcome: Outcome::Hidden,
            recovered: 0,
            note: None,
        }
    }

    /// So many letters in a row came out.
    pub(super) fn judge(&mut self, recovered: usize) {
        self.recovered = recovered;
        self.outcome = if recovered >= TELLING {
            Outcome::Recovered
        } else {
            Outcome::Hidden
        };
    }

    pub(super) fn not_tried(name: &str, why: &str) -> Self {
        Self {
            outcome: Outcome::NotTried,
            note: Some(why.to_owned()),
            ..Self::new(name, true)
        }
    }

    fn is(&self, promised: bool, outcome: Outcome) -> bool {
        self.promised == promised && self.outcome == outcome
    }
}

impl Tried {
    pub(super) fn of(mode: Mode) -> Self {
        Self {
            mode,
            looked: None,
            attempts: Vec::new(),
            skipped: None,
            cannot: Vec::new(),
        }
    }

    fn those(&self, promised: bool, outcome: Outcome) -> impl Iterator<Item = &Attempt> {
        self.attempts
            .iter()
            .filter(move |attempt| attempt.is(promised, outcome))
    }

    fn is_sound(&self) -> bool {
        let is_well = |attempt: &Attempt| !attempt.promised || attempt.outcome == Outcome::Hidden;
        self.skipped.is_none() && self.attempts.iter().all(is_well)
    }
}

impl Report {
    pub(super) fn new(place: Place, modes: Vec<Tried>) -> Self {
        Self {
            place,
            sound: !modes.is_empty() && modes.iter().all(Tried::is_sound),
            modes,
        }
    }

    /// 0 if all was tried and nothing came out that should not.
    pub(super) fn tell(&self, out: &Output) -> Result<ExitCode, Failure> {
        let code = if self.sound {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        };
        if out.is_json() {
            out.json(self)?;
            return Ok(code);
        }
        let place = &self.place;
        let (daemon, at) = (one_line(&place.daemon), one_line(&place.at));
        out.line(&format!(
            "skepd {daemon} at {at}, a canary in workspace {}",
            one_line(&place.workspace)
        ))?;
        out.line("")?;
        let rows: Vec<Vec<String>> = self.modes.iter().map(|tried| row(out, tried)).collect();
        for line in columns(&rows) {
            out.line(&line)?;
        }
        for tried in &self.modes {
            wrong(out, tried)?;
        }
        out.line("")?;
        out.line("What stays open, whatever is tried")?;
        for tried in &self.modes {
            open(out, tried)?;
        }
        out.line("")?;
        out.line(if self.sound {
            "Nothing came out that should not."
        } else {
            "Not everything is as it should be: see above."
        })?;
        Ok(code)
    }
}

fn row(out: &Output, tried: &Tried) -> Vec<String> {
    let style = out.style();
    if tried.skipped.is_some() {
        return vec![title(tried.mode).to_owned(), style.bad("not tried")];
    }
    let count = |promised, outcome| tried.those(promised, outcome).count();
    let bad = count(true, Outcome::Recovered);
    let recovered = format!("{bad} recovered");
    let mut cells = vec![
        title(tried.mode).to_owned(),
        format!("{} tries", bad + count(true, Outcome::Hidden)),
        if bad == 0 {
            style.good(&recovered)
        } else {
            style.bad(&recovered)
        },
    ];
    cells.extend(tried.looked.clone());
    cells
}

/// What came out that should not, and what was not tried.
fn wrong(out: &Output, tried: &Tried) -> Result<(), Failure> {
    let name = title(tried.mode);
    if let Some(why) = &tried.skipped {
        out.line(&wrapped(&format!("! {name}: {why}"), out.width(), 0))?;
    }
    for attempt in tried.those(true, Outcome::Recovered) {
        let (what, letters) = (one_line(&attempt.name), attempt.recovered);
        out.line(
            &out.style()
                .bad(&format!("! {name}: {what}: {letters} letters came out")),
        )?;
    }
    for attempt in tried.those(true, Outcome::NotTried) {
        let why = one_line(attempt.note.as_deref().unwrap_or("it was not tried"));
        out.line(&wrapped(
            &format!("! {name}: {}: {why}", one_line(&attempt.name)),
            out.width(),
            0,
        ))?;
    }
    Ok(())
}

fn open(out: &Output, tried: &Tried) -> Result<(), Failure> {
    let through: Vec<String> = tried
        .those(false, Outcome::Recovered)
        .map(|attempt| one_line(&attempt.name))
        .collect();
    let mut lines = tried.cannot.clone();
    if !through.is_empty() {
        lines.push(format!("came through just now: {}", through.join("; ")));
    }
    for (nth, line) in lines.iter().enumerate() {
        if nth == 0 {
            out.line(&format!("  {}", title(tried.mode)))?;
        }
        out.line(&wrapped(&format!("- {line}"), out.width(), 4))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::canary::TELLING;
    use super::{Attempt, Mode, Outcome, Place, Report, Tried};

    fn is_sound(modes: Vec<Tried>) -> bool {
        let place = Place {
            daemon: "0".into(),
            at: "here".into(),
            workspace: "default".into(),
        };
        Report::new(place, modes).sound
    }

    fn one(promised: bool, recovered: usize) -> Tried {
        let mut tried = Tried::of(Mode::Wire);
        let mut attempt = Attempt::new("a try", promised);
        attempt.judge(recovered);
        tried.attempts.push(attempt);
        tried
    }

    #[test]
    fn x02_only_what_was_tried_and_hidden_is_sound() {
        assert!(is_sound(vec![one(true, 0)]));
        assert!(is_sound(vec![one(true, TELLING - 1)]));
        assert!(!is_sound(vec![one(true, TELLING)]), "it came out");
        assert!(is_sound(vec![one(false, 36)]), "nobody promised that");
        assert!(!is_sound(Vec::new()), "nothing was tried");
        let mut skipped = one(true, 0);
        skipped.skipped = Some("no proxy".into());
        assert!(!is_sound(vec![one(true, 0), skipped]));
        let mut missing = one(true, 0);
        missing
            .attempts
            .push(Attempt::not_tried("another", "no shell"));
        assert_eq!(missing.attempts[1].outcome, Outcome::NotTried);
        assert!(!is_sound(vec![missing]));
    }
}
