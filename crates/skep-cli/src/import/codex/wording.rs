//! Tells what a person typed from what the harness put around or in place of it.

/// Whole messages that nobody typed, by how they begin.
const INJECTED: &[&str] = &[
    "<environment_context>",
    "<user_instructions>",
    "<permissions instructions>",
    "<collaboration_mode>",
    "<turn_aborted>",
    "<skill>",
    "<subagent_notification>",
    "<user_shell_command>",
    "<INSTRUCTIONS>",
    "# AGENTS.md instructions",
];

/// What an editor puts before a person's own words.
const EDITOR: &str = "# Context from my IDE setup:";
const REQUEST: &str = "## My request for Codex:";

/// The person's own words, or why there are none.
pub(crate) fn said_by_user(text: &str) -> Result<String, &'static str> {
    let mut said = text.trim();
    if said.starts_with(EDITOR) {
        said = said
            .split_once(REQUEST)
            .map_or("", |(_, request)| request.trim());
    }
    if said.is_empty() {
        Err("empty")
    } else if INJECTED.iter().any(|start| said.starts_with(start)) {
        Err("injected context")
    } else {
        Ok(said.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::said_by_user;

    #[test]
    fn only_a_persons_words_are_theirs() {
        let cases = [
            (" Fix the build. ", Ok("Fix the build.")),
            (
                "# Context from my IDE setup:\n\n## Open tabs:\n- a.rs\n\n## My request for Codex:\nFix it\n",
                Ok("Fix it"),
            ),
            (
                "<environment_context>\n<cwd>/w</cwd>\n</environment_context>",
                Err("injected context"),
            ),
            (
                "# AGENTS.md instructions for /w\n\n<INSTRUCTIONS>",
                Err("injected context"),
            ),
            ("<user_instructions>\nbe nice", Err("injected context")),
            ("", Err("empty")),
        ];
        for (text, said) in cases {
            assert_eq!(said_by_user(text), said.map(str::to_owned), "{text:?}");
        }
    }
}
