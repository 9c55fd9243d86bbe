//! Every statement is listed: those tests look at them that take the list.

use std::path::Path;

use crate::statement::MODULES;

/// A module that is missing above would not be looked at.
#[test]
fn every_module_with_statements_is_listed() {
    fn files(folder: &Path) -> usize {
        let entries = std::fs::read_dir(folder).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .map(|path| {
                if path.is_dir() {
                    return files(&path);
                }
                let text = std::fs::read_to_string(&path).unwrap();
                usize::from(text.contains("\nstatements! {\n"))
            })
            .sum()
    }
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let listed = MODULES.len() + crate::control::ALL.len();
    assert_eq!(files(source.as_ref()), listed);
}
