//! The help of every verb as one Markdown page.

use std::fmt::Write;

use clap::Command;

/// The page; the same bytes on every machine.
#[must_use]
pub fn help_markdown() -> String {
    let mut page = String::from(
        "# Command line\n\nThe options under *Everywhere* hold for every verb; `skep VERB --help` repeats them.\n",
    );
    let mut root = crate::command().term_width(100);
    root.build();
    describe(&mut page, &mut root, "skep");
    page
}

fn describe(page: &mut String, command: &mut Command, path: &str) {
    let help = command.render_long_help().to_string();
    // What holds for every verb is said once, under the first heading.
    let is_own = |line: &&str| path == "skep" || *line != "Everywhere:";
    let lines = help.trim().lines().map(str::trim_end).take_while(is_own);
    let lines: Vec<&str> = lines.collect();
    // Writing to a String cannot fail.
    let _infallible = write!(
        page,
        "\n## `{path}`\n\n```text\n{}\n```\n",
        lines.join("\n").trim_end()
    );
    for verb in command.get_subcommands_mut() {
        if verb.get_name() != "help" && !verb.is_hide_set() {
            let path = format!("{path} {}", verb.get_name());
            describe(page, verb, &path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::help_markdown;

    #[test]
    fn every_verb_is_on_the_page_and_nothing_of_this_machine() {
        let page = help_markdown();
        for verb in crate::command().get_subcommands() {
            let heading = format!("\n## `skep {}`\n", verb.get_name());
            assert!(verb.is_hide_set() || page.contains(&heading), "{heading}");
        }
        assert!(page.contains("## `skep import git`"));
        assert_eq!(page.matches("--token-file <FILE>").count(), 1);
        assert!(!page.contains('\x1b'));
        assert_eq!(page, help_markdown());
    }

    #[test]
    fn the_tree_of_verbs_is_sound() {
        crate::command().debug_assert();
    }

    /// A value of a verb would stand for what is said everywhere: a receiver's address for the daemon's, which is
    /// shown a credential.
    #[test]
    fn x01_no_verb_takes_the_name_of_what_is_said_everywhere() {
        fn check(command: &clap::Command, names: &[clap::Id]) {
            for argument in command.get_arguments() {
                let is_own = !argument.is_global_set();
                assert!(
                    !(is_own && names.contains(argument.get_id())),
                    "{}: {}",
                    command.get_name(),
                    argument.get_id()
                );
            }
            for verb in command.get_subcommands() {
                check(verb, names);
            }
        }
        let command = crate::command();
        let everywhere = command
            .get_arguments()
            .filter(|argument| argument.is_global_set());
        let names: Vec<clap::Id> = everywhere
            .map(|argument| argument.get_id().clone())
            .collect();
        assert!(names.iter().any(|name| name == "url"));
        for verb in command.get_subcommands() {
            check(verb, &names);
        }
    }
}
