//! Shows how far an import is: a bar for a person, a line per tenth for a log.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::Output;

/// What the numbers count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Bytes,
    Commits,
    Memories,
    Notes,
}

impl Unit {
    /// From how much on progress is worth lines in a log.
    const fn much(self) -> u64 {
        match self {
            Self::Bytes => 16 << 20,
            Self::Commits | Self::Memories | Self::Notes => 2_000,
        }
    }
}

/// The progress of one import.
pub(crate) struct Progress<'a> {
    output: &'a Output,
    unit: Unit,
    total: u64,
    done: u64,
    /// Tenths that were said already; all of them if it is not worth it.
    said: u64,
    bar: Option<ProgressBar>,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(output: &'a Output, unit: Unit, total: u64) -> Self {
        let bar = output.may_animate().then(|| {
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
            bar.set_style(style(unit));
            bar
        });
        if bar.is_none() {
            output.note(&format!("reading {}", amount(unit, total)));
        }
        Self {
            output,
            unit,
            total,
            done: 0,
            said: if total < unit.much() { 10 } else { 0 },
            bar,
        }
    }

    /// What is being read now.
    pub(crate) fn name(&self, name: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(crate::layout::shortened(name, 40));
        }
    }

    /// There is so much, as it turns out: what was packed says so only when it is looked into.
    pub(crate) fn of(&mut self, total: u64) {
        self.total = total;
        match &self.bar {
            Some(bar) => bar.set_length(total),
            None => self.said = if total < self.unit.much() { 10 } else { 0 },
        }
    }

    /// So much more is done.
    pub(crate) fn advance(&mut self, by: u64) {
        self.done += by;
        match &self.bar {
            Some(bar) => bar.set_position(self.done),
            None => self.say_tenth(),
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }

    fn say_tenth(&mut self) {
        let tenth = (self.done * 10)
            .checked_div(self.total)
            .unwrap_or(10)
            .min(10);
        if tenth > self.said {
            self.said = tenth;
            let (done, total) = (amount(self.unit, self.done), amount(self.unit, self.total));
            self.output
                .note(&format!("{:>3} %  {done} of {total}", tenth * 10));
        }
    }
}

fn amount(unit: Unit, count: u64) -> String {
    match unit {
        Unit::Bytes => indicatif::BinaryBytes(count).to_string(),
        Unit::Commits => format!("{count} commits"),
        Unit::Memories => format!("{count} memories"),
        Unit::Notes => format!("{count} notes"),
    }
}

fn style(unit: Unit) -> ProgressStyle {
    let template = match unit {
        Unit::Bytes => {
            "{bar:30} {percent:>3} %  {binary_bytes} of {binary_total_bytes}  {eta}  {msg}"
        }
        Unit::Commits => "{bar:30} {percent:>3} %  {pos} of {len} commits  {eta}  {msg}",
        Unit::Memories => "{bar:30} {percent:>3} %  {pos} of {len} memories  {eta}  {msg}",
        Unit::Notes => "{bar:30} {percent:>3} %  {pos} of {len} notes  {eta}  {msg}",
    };
    // A bar that cannot be styled is still a bar.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
