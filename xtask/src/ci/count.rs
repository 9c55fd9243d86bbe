//! Reads how many tests passed and failed out of what a test runner prints.

/// Tests that passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) passed: usize,
    pub(super) failed: usize,
}

impl Count {
    /// What a line of output adds: the closing line of nextest (`Summary […] 3 tests run: …`), or
    /// that of one binary under `cargo test` (`test result: …`). Other lines add nothing.
    pub(super) fn of_line(line: &str) -> Self {
        let line = without_colours(line);
        let totals = line
            .trim_start()
            .strip_prefix("Summary [")
            .and_then(|rest| rest.split_once(" run: "))
            .or_else(|| line.split_once("test result: "))
            .map_or("", |(_, totals)| totals);
        Self {
            passed: number_before(totals, "passed"),
            // A test that hangs or that cannot be started failed, too.
            failed: ["failed", "timed out", "exec failed"]
                .iter()
                .map(|word| number_before(totals, word))
                .sum(),
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
    use super::Count;

    #[test]
    fn totals_of_both_runners_are_read() {
        let table = [
            (
                "     Summary [   0.31s] 5 tests run: 5 passed, 0 skipped",
                (5, 0),
            ),
            (
                "     Summary [  10.3s] 9 tests run: 7 passed (1 slow), 2 failed, 1 skipped",
                (7, 2),
            ),
            (
                "     Summary [  1s] 9/12 tests run: 6 passed, 1 failed, 2 timed out, 0 skipped",
                (6, 3),
            ),
            (
                "     Summary [  1s] 3 tests run: 1 passed, 2 exec failed, 0 skipped",
                (1, 2),
            ),
            (
                "\u{1b}[32;1m     Summary\u{1b}[0m [   0.3s] \u{1b}[1m5\u{1b}[0m tests run: \
                 \u{1b}[1m5\u{1b}[0m \u{1b}[32;1mpassed\u{1b}[0m, 0 skipped",
                (5, 0),
            ),
            (
                "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out",
                (3, 0),
            ),
            (
                "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured",
                (1, 2),
            ),
            ("running 5 tests", (0, 0)),
            ("5 passed, 2 failed, said a test", (0, 0)),
        ];
        for (line, (passed, failed)) in table {
            assert_eq!(Count::of_line(line), Count { passed, failed }, "{line}");
        }
    }
}
