//! Reads how many tests passed and failed out of what a test runner prints.

/// Tests that passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) passed: usize,
    pub(super) failed: usize,
}

/// Whose totals are read. Each can quote the other's, in the output of a test that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Runner {
    /// One closing line for all: `Summary […] 3 tests run: …`.
    Nextest,
    /// One for each binary: `test result: …`.
    CargoTest,
    /// `1 failed, 41 passed in 19.3s`, in the end.
    Pytest,
    /// Node's test runner: `ℹ pass 25` and `ℹ fail 1`.
    Node,
}

impl Count {
    /// What a line of output adds; lines that are not a runner's totals add nothing.
    pub(super) fn of_line(runner: Runner, line: &str) -> Self {
        let line = without_colours(line);
        let line = line.trim_start();
        let totals = match runner {
            Runner::Nextest => line
                .strip_prefix("Summary [")
                .and_then(|rest| rest.split_once(" run: "))
                .map(|(_, totals)| totals),
            Runner::CargoTest => line.strip_prefix("test result: "),
            Runner::Pytest => line
                .rsplit_once(" in ")
                .filter(|(_, time)| time.starts_with(|first: char| first.is_ascii_digit()))
                .map(|(totals, _)| totals),
            Runner::Node => return Self::of_node(line),
        };
        let totals = totals.unwrap_or_default();
        Self {
            passed: number_before(totals, "passed"),
            // A test that hangs or that cannot be started failed, too.
            failed: ["failed", "timed out", "exec failed", "error", "errors"]
                .iter()
                .map(|word| number_before(totals, word))
                .sum(),
        }
    }

    fn of_node(line: &str) -> Self {
        let number = |word| {
            let number = line.strip_prefix(word).map(str::trim);
            number.and_then(|number| number.parse().ok()).unwrap_or(0)
        };
        Self {
            passed: number("ℹ pass "),
            failed: number("ℹ fail ") + number("ℹ cancelled "),
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// The number in `12 passed`, between commas, semicolons, full stops or brackets.
fn number_before(totals: &str, word: &str) -> usize {
    totals
        .split([',', ';', '.', '('])
        .filter_map(|part| part.trim().split_once(' '))
        .find(|(_, what)| what.trim() == word)
        .and_then(|(number, _)| number.parse().ok())
        .unwrap_or(0)
}

fn without_colours(line: &str) -> String {
    let mut plain = String::new();
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            let _ = chars.by_ref().find(char::is_ascii_alphabetic);
        } else {
            plain.push(c);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::{Count, Runner};

    fn read(runner: Runner, line: &str) -> (usize, usize) {
        let count = Count::of_line(runner, line);
        (count.passed, count.failed)
    }

    #[test]
    fn totals_of_nextest_are_read() {
        let table = [
            (
                "Summary [   0.31s] 5 tests run: 5 passed, 0 skipped",
                (5, 0),
            ),
            (
                "Summary [  10.3s] 9 tests run: 7 passed (1 slow), 2 failed, 1 skipped",
                (7, 2),
            ),
            (
                "Summary [  1s] 9/12 tests run: 6 passed, 1 failed, 2 timed out, 0 skipped",
                (6, 3),
            ),
            (
                "Summary [  1s] 3 tests run: 1 passed, 2 exec failed, 0 skipped",
                (1, 2),
            ),
            (
                "\u{1b}[32;1m     Summary\u{1b}[0m [   0.3s] \u{1b}[1m5\u{1b}[0m tests run: \
                 \u{1b}[1m5\u{1b}[0m \u{1b}[32;1mpassed\u{1b}[0m, 0 skipped",
                (5, 0),
            ),
            ("test result: FAILED. 0 passed; 1 failed; 0 ignored", (0, 0)),
            ("5 passed, 2 failed, said a test", (0, 0)),
        ];
        for (line, expected) in table {
            assert_eq!(read(Runner::Nextest, line), expected, "{line}");
        }
    }

    #[test]
    fn totals_of_cargo_test_are_read() {
        let table = [
            (
                "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured",
                (3, 0),
            ),
            (
                "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured",
                (1, 2),
            ),
            ("running 5 tests", (0, 0)),
            (
                "Summary [   0.31s] 5 tests run: 5 passed, 0 skipped",
                (0, 0),
            ),
        ];
        for (line, expected) in table {
            assert_eq!(read(Runner::CargoTest, line), expected, "{line}");
        }
    }
    #[test]
    fn totals_of_pytest_and_node_are_read() {
        let table = [
            (Runner::Pytest, "42 passed in 19.34s", (42, 0)),
            (
                Runner::Pytest,
                "2 failed, 40 passed, 1 error in 61.00s (0:01:01)",
                (40, 3),
            ),
            (
                Runner::Pytest,
                "2 failed, 40 passed, 1 error in 19.34s",
                (40, 3),
            ),
            (Runner::Pytest, "1 error in 0.34s", (0, 1)),
            (
                Runner::Pytest,
                "FAILED tests/a.py::b - 3 passed in a row",
                (0, 0),
            ),
            (Runner::Node, "ℹ pass 25", (25, 0)),
            (Runner::Node, "ℹ fail 2", (0, 2)),
            (Runner::Node, "ℹ cancelled 1", (0, 1)),
            (Runner::Node, "✔ prints ℹ pass 25", (0, 0)),
            (Runner::Nextest, "42 passed in 19.34s", (0, 0)),
        ];
        for (runner, line, expected) in table {
            assert_eq!(read(runner, line), expected, "{line}");
        }
    }
}
