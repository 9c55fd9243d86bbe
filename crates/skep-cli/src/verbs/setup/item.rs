//! One file that setup writes: which, for whom, and what becomes of it.

use std::path::PathBuf;

use serde_json::{Value, json};
use skep_client::{Home, daemon};

use crate::args::Setup;
use crate::context::Context;
use crate::failure::Failure;
use crate::style::Style;
use crate::wiring::place::{self, Place};
use crate::wiring::plan::{self, Step};
use crate::wiring::{Receipt, service};

/// What is to be done for one harness, or for the service.
pub(super) struct Item {
    pub(super) name: &'static str,
    title: &'static str,
    pub(super) path: PathBuf,
    /// Or why the file is left alone.
    pub(super) step: Result<Step, String>,
    /// What the user has to do there.
    pub(super) note: Option<&'static str>,
}

/// The harnesses that are here, or that were named; and the service.
pub(super) fn to_put_in(
    context: &Context<'_>,
    arguments: &Setup,
    receipt: &Receipt,
) -> Result<Vec<Item>, Failure> {
    let program = std::env::current_exe()?;
    let named = |place: &Place| arguments.harness.iter().any(|name| name == place.row.name);
    let places = place::all(&context.environment);
    let mut items: Vec<Item> = places
        .iter()
        .filter(|place| {
            if arguments.harness.is_empty() {
                place.is_here
            } else {
                named(place)
            }
        })
        .map(|place| Item {
            step: plan::put_in(place, &program, receipt),
            ..Item::of(place)
        })
        .collect();
    let is_own = matches!(context.reach()?, crate::reach::Reach::Socket);
    if is_own && !arguments.no_service && arguments.harness.is_empty() {
        items.extend(service_in(context, receipt));
    }
    Ok(items)
}

fn service_in(context: &Context<'_>, receipt: &Receipt) -> Option<Item> {
    let starter = service::starter()?;
    let path = starter.file(&context.environment)?;
    let program = daemon::program();
    // Whoever starts it later has another search path.
    let program = program.is_absolute().then_some(program)?;
    let text = starter.text(&program, context.home.path());
    Some(Item {
        name: service::NAME,
        title: "the daemon as a service",
        step: service::put_in(path.clone(), text, receipt),
        path,
        note: None,
    })
}

/// Whatever of ours is here, noted or not.
pub(super) fn to_take_out(context: &Context<'_>, receipt: &Receipt) -> Vec<Item> {
    let places = place::all(&context.environment);
    let has = |place: &Place| {
        receipt.of(place.name).is_some() || plan::wired(place).is_ok_and(|events| events > 0)
    };
    let harnesses = places.iter().filter(|place| has(place)).map(|place| Item {
        step: plan::take_out(place, receipt),
        note: None,
        ..Item::of(place)
    });
    let mut items: Vec<Item> = harnesses.collect();
    if let Some(kept) = receipt.of(service::NAME) {
        items.push(Item {
            name: service::NAME,
            title: "the daemon as a service",
            path: kept.path.clone(),
            step: service::take_out(kept),
            note: None,
        });
    }
    items
}

impl Item {
    fn of(place: &Place) -> Self {
        Self {
            name: place.name,
            title: place.row.title,
            path: place.file.clone(),
            step: Err(String::new()),
            note: match place.name {
                "codex" => {
                    Some("Codex asks before it trusts a hook: open it and say yes in /hooks.")
                }
                _ => None,
            },
        }
    }

    pub(super) fn changes(&self) -> bool {
        self.step.as_ref().is_ok_and(|step| !step.change.is_none())
    }

    /// Noted first: whatever stops us here, it can be undone.
    pub(super) fn put_in(
        &self,
        context: &Context<'_>,
        receipt: &mut Receipt,
    ) -> Result<(), Failure> {
        let Ok(Step {
            change,
            kept: Some(kept),
        }) = &self.step
        else {
            return Ok(());
        };
        if !change.is_none() {
            receipt.note(kept.clone());
            receipt.write(&context.home)?;
            change.apply().map_err(|error| self.failed(&error))?;
        }
        if self.name == service::NAME {
            let enabled = service::starter().is_some_and(|starter| starter.enable(&self.path));
            if !enabled {
                context
                    .output
                    .complain("the service is not enabled: its manager did not answer");
            }
        }
        Ok(())
    }

    /// A manager that does not hear of it finds no file the next time it looks.
    pub(super) fn take_out(&self, home: &Home, receipt: &mut Receipt) -> Result<(), Failure> {
        let Ok(step) = &self.step else {
            return Ok(());
        };
        if self.name == service::NAME {
            let _heard = service::starter().is_some_and(|starter| starter.disable(&self.path));
        }
        step.change.apply().map_err(|error| self.failed(&error))?;
        receipt.forget(self.name);
        Ok(receipt.write(home)?)
    }

    fn failed(&self, error: &std::io::Error) -> Failure {
        let path = self.path.display();
        Failure::new("SETUP", format!("cannot write {path}: {error}"))
            .hint("what was written before is noted: skep setup --uninstall undoes it")
    }

    /// One line for a person.
    pub(super) fn line(&self, style: Style) -> String {
        let (sign, what) = match &self.step {
            Ok(step) if step.change.is_none() => (style.good("✓"), "as it should be".to_owned()),
            Ok(step) => {
                let what = match (&step.change.before, &step.change.after) {
                    (None, _) => "a new file",
                    (_, None) => "to be removed",
                    _ => "to be changed",
                };
                (style.bold("+"), what.to_owned())
            }
            Err(why) => (style.bad("✗"), format!("left alone: {why}")),
        };
        format!("{sign} {}: {}, {what}", self.title, self.path.display())
    }

    pub(super) fn json(&self, is_agreed: bool) -> Value {
        let mut answer = json!({ "name": self.name, "file": self.path });
        match &self.step {
            Ok(step) if step.change.is_none() => answer["state"] = "ready".into(),
            Ok(step) => {
                let state = if is_agreed {
                    "written"
                } else {
                    "to be written"
                };
                answer["state"] = state.into();
                answer["diff"] = step.change.diff().into();
            }
            Err(why) => {
                answer["state"] = "left alone".into();
                answer["problem"] = why.as_str().into();
            }
        }
        answer
    }
}
