//! The lines of a file: numbered, looked through, put in.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

/// Lines shown before and after what was replaced.
const AROUND: usize = 3;

/// Where a text stands in another.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Nowhere,
    /// At this byte.
    Once(usize),
    /// In these lines.
    Often(String),
}

/// Where a text stands; an empty one stands nowhere.
pub(super) fn occurrences(text: &str, wanted: &str) -> Found {
    if wanted.is_empty() {
        return Found::Nowhere;
    }
    let places: Vec<usize> = text.match_indices(wanted).map(|(at, _)| at).collect();
    match places.as_slice() {
        [] => Found::Nowhere,
        [once] => Found::Once(*once),
        _ => {
            let (mut line, mut seen) = (1, 0);
            let mut lines: Vec<usize> = Vec::new();
            for place in places {
                line += text[seen..place].matches('\n').count();
                seen = place;
                lines.push(line);
            }
            lines.dedup();
            let lines: Vec<String> = lines.iter().map(usize::to_string).collect();
            Found::Often(lines.join(", "))
        }
    }
}

/// The lines that a `view_range` shows of so many; -1 is the last.
pub(super) fn shown(range: Option<&[i64]>, count: usize) -> Result<RangeInclusive<usize>, String> {
    let Some(range) = range else {
        return Ok(1..=count);
    };
    let wrong = || {
        format!(
            "Error: Invalid `view_range` parameter: {range:?}. It should be two lines of the file, [first, last], \
             within [1, {count}]; -1 is the last"
        )
    };
    let [first, last] = range else {
        return Err(wrong());
    };
    let first = usize::try_from(*first).map_err(|_| wrong())?;
    let last = match *last {
        -1 => count,
        last => usize::try_from(last).map_err(|_| wrong())?,
    };
    if first == 0 || first > count || last < first {
        return Err(wrong());
    }
    Ok(first..=last.min(count))
}

/// Adds lines with their numbers.
pub(super) fn numbered(told: &mut String, text: &str, range: RangeInclusive<usize>) {
    for (number, line) in (1..).zip(text.lines()) {
        if range.contains(&number) {
            // Writing to a String cannot fail.
            let _infallible = write!(told, "\n{number:>6}\t{line}");
        }
    }
}

/// Adds the lines around what was put in at a line.
pub(super) fn snippet(told: &mut String, text: &str, (first, new): (usize, &str)) {
    let last = first + new.matches('\n').count();
    numbered(told, text, first.saturating_sub(AROUND)..=last + AROUND);
}

/// A text with another one after a line, which begins and ends a line of its own.
pub(super) fn inserted(text: &str, after: usize, added: &str) -> String {
    let at: usize = text.split_inclusive('\n').take(after).map(str::len).sum();
    let (head, tail) = text.split_at(at);
    let mut edited = String::with_capacity(text.len() + added.len() + 2);
    edited.push_str(head);
    if !head.is_empty() && !head.ends_with('\n') {
        edited.push('\n');
    }
    edited.push_str(added);
    if !tail.is_empty() && !added.ends_with('\n') {
        edited.push('\n');
    }
    edited.push_str(tail);
    edited
}

#[cfg(test)]
mod tests {
    use super::{Found, inserted, numbered, occurrences, shown, snippet};

    #[test]
    fn a_text_is_found_nowhere_once_or_in_lines() {
        assert_eq!(occurrences("a\nb", "c"), Found::Nowhere);
        assert_eq!(occurrences("a\nb", ""), Found::Nowhere);
        assert_eq!(occurrences("a\nb", "b"), Found::Once(2));
        assert_eq!(
            occurrences("é\né é\nx\né", "é"),
            Found::Often("1, 2, 4".into())
        );
    }

    #[test]
    fn lines_are_put_in_between() {
        for (text, after, added, expected) in [
            ("", 0, "a", "a"),
            ("a\nb", 0, "x", "x\na\nb"),
            ("a\nb", 1, "x\n", "a\nx\nb"),
            ("a\nb", 2, "x", "a\nb\nx"),
            ("a\nb\n", 2, "x", "a\nb\nx"),
            ("a\n\nb\n", 2, "x", "a\n\nx\nb\n"),
        ] {
            assert_eq!(inserted(text, after, added), expected, "{text:?} {after}");
        }
    }

    #[test]
    fn ranges_are_lines_of_the_file() {
        for (range, expected) in [
            (None, Some(1..=4)),
            (Some([1, 4]), Some(1..=4)),
            (Some([2, 3]), Some(2..=3)),
            (Some([2, -1]), Some(2..=4)),
            (Some([3, 99]), Some(3..=4)),
            (Some([0, 2]), None),
            (Some([5, 6]), None),
            (Some([3, 2]), None),
            (Some([-1, 2]), None),
            (Some([1, -2]), None),
            (Some([i64::MIN, i64::MAX]), None),
        ] {
            let range = range.as_ref().map(<[i64; 2]>::as_slice);
            assert_eq!(shown(range, 4).ok(), expected, "{range:?}");
        }
        assert!(shown(Some(&[1]), 4).is_err());
        assert!(shown(Some(&[1, 2, 3]), 4).is_err());
    }

    #[test]
    fn numbers_are_six_wide_and_a_snippet_is_what_stands_around() {
        let mut told = String::new();
        numbered(&mut told, "Hello World\nThis is line two\n", 1..=2);
        assert_eq!(told, "\n     1\tHello World\n     2\tThis is line two");
        let lines: Vec<String> = (1..=20).map(|line| format!("l{line}")).collect();
        let text = lines.join("\n");
        let mut told = String::new();
        snippet(&mut told, &text, (10, "l10\nl11"));
        assert!(
            told.starts_with("\n     7\tl7") && told.ends_with("    14\tl14"),
            "{told}"
        );
    }
}
