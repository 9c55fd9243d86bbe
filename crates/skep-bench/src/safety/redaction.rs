//! How redaction tells the two labelled sets of `skep-memory` apart.

use super::interval::Share;
use super::row;
use crate::report::Report;

#[expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the labelled set belongs to tests, where a broken template must be loud"
)]
#[path = "../../../skep-memory/tests/it/redaction/labelled.rs"]
mod labelled;

use labelled::{Told, tell};

pub(crate) fn run(report: &mut Report) {
    let fitted = tell(
        include_str!("../../../skep-memory/tests/it/redaction/secrets.txt"),
        include_str!("../../../skep-memory/tests/it/redaction/harmless.txt"),
    );
    let second = tell(
        include_str!("../../../skep-memory/tests/it/redaction/secrets_second.txt"),
        include_str!("../../../skep-memory/tests/it/redaction/harmless_second.txt"),
    );
    for (set, told) in [("fitted", &fitted), ("second", &second)] {
        show(report, set, told);
    }
}

/// A kind counts as caught when none of its values got through: values of one kind stand or fall
/// together, and would make the interval narrower than it is.
fn show(report: &mut Report, set: &str, told: &Told) {
    let key = |what: &str| format!("redaction_{set}_{what}_ratio");
    report.row(&key("recall"), told.recall(), "of all secrets");
    report.row(
        &key("precision"),
        told.precision(),
        "of all that was taken out",
    );
    let caught = told.secrets.values().filter(|missed| **missed == 0).count();
    row(
        report,
        &key("kinds_caught"),
        Share::of(caught, told.secrets.len()),
    );
    let alarmed = told.harmless.values().filter(|alarms| **alarms > 0).count();
    row(
        report,
        &key("kinds_false"),
        Share::of(alarmed, told.harmless.len()),
    );
}
