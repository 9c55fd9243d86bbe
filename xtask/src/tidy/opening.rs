//! Every file opens by saying what lives in it.

use crate::problem::Problem;

pub(super) fn check(path: &str, text: &str) -> Vec<Problem> {
    let first = text.lines().next().unwrap_or_default();
    let says = first
        .strip_prefix("//!")
        .is_some_and(|rest| rest.trim().len() > 3);
    if says {
        return Vec::new();
    }
    vec![Problem::at(
        path,
        1,
        "opening",
        "open the file with a `//!` line that says what lives here",
    )]
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn a_file_without_its_line_is_red() {
        let table = [
            ("//! Ids.\n", 0),
            ("use a;\n", 1),
            ("\n//! Late.\n", 1),
            ("//!\n", 1),
            ("/// Of the item.\n", 1),
            ("", 1),
        ];
        for (text, count) in table {
            assert_eq!(check("a.rs", text).len(), count, "{text:?}");
        }
    }
}
