//! The command line of the tree of memories: the verbs and flags that everybody knows.

use std::ffi::OsString;

use clap::Args as ClapArgs;

use super::values::kinds;

#[derive(Debug, ClapArgs)]
pub(crate) struct Ls {
    /// Folders or files, from `/` on whether they begin with it or not.
    #[arg(default_value = "/", value_name = "PATH")]
    pub(crate) paths: Vec<String>,
    /// Also kind, trust, size and day, and of a folder how many memories it has.
    #[arg(long, short)]
    pub(crate) long: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Cat {
    /// Files, such as `/index.md`.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<String>,
}

#[derive(Debug, ClapArgs)]
#[expect(clippy::struct_excessive_bools, reason = "the flags of grep")]
pub(crate) struct Grep {
    /// The regular expression, without look-around and back-references.
    pub(crate) pattern: String,
    /// Where to look.
    #[arg(default_value = "/", value_name = "PATH")]
    pub(crate) paths: Vec<String>,
    /// Capitals are no difference.
    #[arg(long, short)]
    pub(crate) ignore_case: bool,
    /// The number of each line before it.
    #[arg(long, short = 'n')]
    pub(crate) line_number: bool,
    /// Only the paths of files with such a line.
    #[arg(long, short = 'l')]
    pub(crate) files_with_matches: bool,
    /// Only how many such lines there are.
    #[arg(long, short, conflicts_with = "files_with_matches")]
    pub(crate) count: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Find {
    /// Where to begin.
    #[arg(default_value = "/", value_name = "PATH")]
    pub(crate) paths: Vec<String>,
    /// A pattern that the whole name fits, such as `*port*`; `-name` as well.
    #[arg(long, value_name = "PATTERN")]
    pub(crate) name: Option<String>,
    /// Only of this kind.
    #[arg(long, short, value_parser = kinds())]
    pub(crate) kind: Option<String>,
    /// Only of this project.
    #[arg(long, short)]
    pub(crate) project: Option<String>,
    /// Only of this day, such as `2026-11-22`, in UTC.
    #[arg(long, short)]
    pub(crate) day: Option<String>,
}

/// Lets `skep find` take `-name`, as find does.
pub(crate) fn as_find_has_it() -> impl FnMut(OsString) -> OsString {
    let mut finding = None;
    let mut at = 0;
    move |word| {
        at += 1;
        if finding.is_none() && at > 1 {
            let is_option = word.to_str().is_some_and(|word| word.starts_with('-'));
            finding = (!is_option).then(|| word == "find");
        }
        if finding == Some(true) && word == "-name" {
            return "--name".into();
        }
        word
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::as_find_has_it;

    #[test]
    fn only_find_has_names_with_one_dash() {
        let read = |words: &[&str]| -> Vec<OsString> {
            let words = words.iter().map(OsString::from);
            words.map(as_find_has_it()).collect()
        };
        assert_eq!(read(&["skep", "find", "-name", "x"])[2], "--name");
        assert_eq!(
            read(&["skep", "--json", "find", "/", "-name", "x"])[4],
            "--name"
        );
        assert_eq!(read(&["skep", "grep", "-name", "find"])[2], "-name");
        assert_eq!(read(&["find", "recall", "-name"])[2], "-name");
    }
}
