//! What a node has heard so far, and what follows from what it hears next.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use skep_store::Announcement;
use skep_store::backend::Heard;
use tokio::time::Instant;

/// Words of one announcement; more than there are kinds say nothing more.
const WORDS: usize = 8;

/// What was heard.
pub(crate) struct Hearing {
    waiting: VecDeque<Heard>,
    /// Of the last announcement that is known of.
    number: Option<u64>,
    nodes: Option<BTreeSet<String>>,
    /// When to look again whether something was missed.
    pub(crate) next_look: Instant,
    /// How long to wait before the next attempt to connect.
    pub(crate) pause: Duration,
}

impl Default for Hearing {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            number: None,
            nodes: None,
            next_look: Instant::now(),
            pause: Duration::ZERO,
        }
    }
}

impl Hearing {
    /// What is not told yet.
    pub(crate) fn next(&mut self) -> Option<Heard> {
        self.waiting.pop_front()
    }

    /// A notification: the number of an announcement, and what it is about. What another program sends on this
    /// channel, or a later version of this one, is something that nobody understood.
    pub(crate) fn note(&mut self, text: &str) {
        let parts = text.split_once(' ');
        let parsed = parts.and_then(|(number, words)| Some((number.parse::<u64>().ok()?, words)));
        let Some((number, words)) = parsed else {
            self.waiting.push_back(Heard::Missed);
            return;
        };
        // A number far ahead is somebody else's: it must not make us deaf to those that follow.
        let Some(last) = self.number else {
            self.waiting.push_back(Heard::Missed);
            return;
        };
        if number == last + 1 {
            self.number = Some(number);
        } else if number > last {
            self.waiting.push_back(Heard::Missed);
        }
        for word in words.split(',').take(WORDS) {
            let heard = Announcement::parse(word).map_or(Heard::Missed, Heard::Told);
            self.waiting.push_back(heard);
        }
    }

    /// The number that the table has; `None` where there is no installation.
    pub(crate) fn read(&mut self, number: Option<u64>) {
        if self.number.is_some() && self.number != number {
            self.waiting.push_back(Heard::Missed);
        }
        self.number = number;
    }

    /// The nodes that are there.
    pub(crate) fn see(&mut self, nodes: BTreeSet<String>) {
        let before = self.nodes.replace(nodes).unwrap_or_default();
        let here = self.nodes.as_ref();
        if before
            .iter()
            .any(|node| here.is_none_or(|here| !here.contains(node)))
        {
            self.waiting.push_back(Heard::Gone);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use skep_store::backend::Heard;
    use skep_store::{Announcement, Revoked};

    use super::Hearing;

    const CREDENTIAL: Heard = Heard::Told(Announcement::Revoked(Revoked::Credential));

    fn told(hearing: &mut Hearing) -> Vec<Heard> {
        std::iter::from_fn(|| hearing.next()).collect()
    }

    #[test]
    fn what_was_not_heard_is_told_as_missed() {
        let mut hearing = Hearing::default();
        hearing.read(Some(4));
        assert_eq!(told(&mut hearing), []);
        let table: [(&str, &[Heard]); 6] = [
            ("5 credential", &[CREDENTIAL]),
            (
                "6 credential,keys",
                &[CREDENTIAL, Heard::Told(Announcement::Keys)],
            ),
            // Read from the table before it was heard: told, and that is all.
            ("6 credential", &[CREDENTIAL]),
            ("8 credential", &[Heard::Missed, CREDENTIAL]),
            ("7 weather", &[Heard::Missed]),
            ("", &[Heard::Missed]),
        ];
        for (note, expected) in table {
            hearing.note(note);
            assert_eq!(told(&mut hearing), expected, "{note:?}");
        }
        hearing.read(Some(9));
        assert_eq!(told(&mut hearing), [Heard::Missed]);
        hearing.read(Some(9));
        assert_eq!(told(&mut hearing), []);
        // A number that nobody gave makes nobody deaf.
        hearing.note("18446744073709551615 credential");
        hearing.note("10 credential");
        assert_eq!(told(&mut hearing), [Heard::Missed, CREDENTIAL, CREDENTIAL]);
    }

    #[test]
    fn a_node_that_is_no_longer_there_is_gone_once() {
        let nodes = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let mut hearing = Hearing::default();
        let seen: [(BTreeSet<String>, &[Heard]); 4] = [
            (nodes(&["a"]), &[]),
            (nodes(&["a", "b"]), &[]),
            (nodes(&["b", "c"]), &[Heard::Gone]),
            (nodes(&["b", "c"]), &[]),
        ];
        for (nodes, expected) in seen {
            hearing.see(nodes);
            assert_eq!(told(&mut hearing), expected);
        }
    }
}
