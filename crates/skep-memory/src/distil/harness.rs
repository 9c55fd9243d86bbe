//! What a harness puts around the words of people, taken off again.

use skep_domain::Harness;
use std::borrow::Cow;

/// Elements that harnesses, plugins and this system itself put into messages.
const INJECTED: &[&str] = &[
    "system-reminder",
    "command-message",
    "command-name",
    "command-args",
    "command-contents",
    "local-command-stdout",
    "local-command-stderr",
    "local-command-caveat",
    "ide_opened_file",
    "ide_selection",
    "ide_diagnostics",
    "new-diagnostics",
    "environment_context",
    "user_instructions",
    "instructions",
    "permissions",
    "turn_aborted",
    "user_shell_command",
    "bash-input",
    "bash-stdout",
    "bash-stderr",
    "task-notification",
    "user-prompt-submit-hook",
    "session-start-hook",
    "skep-memory",
    "skep-directive",
    "system_instruction",
    "collaboration_mode",
    "skill",
    "tool_use_error",
    "apps_instructions",
    "plugins_instructions",
    "model_switch",
    "subagent_notification",
    "retrieval",
    "thinking",
    "memory",
    "context",
];

/// Lines that a harness writes in a person's or an agent's name.
const LINES: &[&str] = &[
    "[request interrupted",
    "no response requested",
    "caveat: the messages below",
    "api error",
    "[image",
    "[pasted text",
    "<analysis>",
    "(no content)",
    "conversation compacted",
    "goodbye!",
    "interrupted by user",
    "prompt is too long",
    "# agents.md instructions",
    "claude usage limit",
    "please run /login",
    "credit balance",
    "your limit will reset",
];

/// Beginnings of messages that are summaries, whoever seems to send them.
const SUMMARIES: &[&str] = &[
    "this session is being continued from a previous conversation",
    "another language model started to solve this problem",
    "here is a summary of the conversation so far",
];

/// The words that were really said.
pub(super) fn spoken(harness: Harness, text: &str) -> Cow<'_, str> {
    let lower_has_tag = text.contains('<');
    let text: Cow<'_, str> = if lower_has_tag {
        Cow::Owned(without_elements(text))
    } else {
        Cow::Borrowed(text)
    };
    // What a person types after `#` in Claude Code.
    let text = if text.contains("<user-memory-input>") {
        let open = text.replace("<user-memory-input>", "Remember: ");
        Cow::Owned(open.replace("</user-memory-input>", ""))
    } else {
        text
    };
    let is_written = |line: &str| {
        let line = line.trim().to_ascii_lowercase();
        LINES.iter().any(|written| line.starts_with(written))
    };
    let keeps_all = harness == Harness::Cli || !text.lines().any(is_written);
    if keeps_all {
        return text;
    }
    Cow::Owned(
        text.lines()
            .filter(|line| !is_written(line))
            .collect::<Vec<_>>()
            .join("\n"),
    )
}

/// Whether a message is a summary that a harness made of an earlier conversation.
pub(super) fn is_summary(text: &str) -> bool {
    let head = text.trim_start();
    let head = head[..head.floor_char_boundary(100)].to_ascii_lowercase();
    SUMMARIES.iter().any(|summary| head.starts_with(summary))
}

/// Drops injected elements with their content; one that is not closed reaches to the end. Each `<` is
/// looked at once, and whatever a search for an end passes over is gone.
fn without_elements(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        out.push_str(before);
        if let Some(name) = injected(tag) {
            let close = format!("</{name}>");
            rest = find_ignoring_case(tag, &close).map_or("", |end| &tag[end + close.len()..]);
        } else {
            out.push('<');
            rest = &tag[1..];
        }
    }
    out.push_str(rest);
    out
}

/// Bytes in which the name of an element has to end.
const NAME: usize = 64;

/// The element that a text begins with, if it is one that harnesses inject. Only so much of the text
/// is looked at as a name and its attributes take: a run of `<` must not cost its square.
fn injected(tag: &str) -> Option<&'static str> {
    let name = tag[1..tag.floor_char_boundary(NAME)]
        .split(|c: char| c == '>' || c.is_whitespace())
        .next()?;
    let after = tag.as_bytes().get(1 + name.len())?;
    let is_tag =
        *after == b'>' || (*after == b' ' && tag[..tag.floor_char_boundary(400)].contains('>'));
    INJECTED
        .iter()
        .copied()
        .find(|known| is_tag && known.eq_ignore_ascii_case(name))
}

fn find_ignoring_case(text: &str, needle: &str) -> Option<usize> {
    text.as_bytes()
        .windows(needle.len())
        .position(|window| window.eq_ignore_ascii_case(needle.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::{NAME, injected, is_summary, spoken};
    use skep_domain::Harness;

    #[test]
    fn n13_only_the_beginning_of_a_tag_is_looked_at() {
        let endless = "<".repeat(20_000);
        assert_eq!(spoken(Harness::ClaudeCode, &endless), endless);
        let far = format!("<{}>", "a".repeat(NAME));
        for text in ["<", "<é", &far, &endless] {
            assert_eq!(injected(text), None, "{}", &text[..text.len().min(9)]);
        }
        // Whatever comes later changes nothing: the name and its end have to come first.
        let late = format!("<system-reminder {}>", "x".repeat(20_000));
        assert_eq!(injected(&late), None);
        assert!(injected("<system-reminder>").is_some());
    }

    #[test]
    fn only_what_was_said_is_left() {
        for (raw, expected) in [
            (
                "<system-reminder>Never mention this.</system-reminder>Use tabs.",
                "Use tabs.",
            ),
            (
                "<command-name>/clear</command-name>\n<command-args></command-args>",
                "\n",
            ),
            (
                "<environment_context>\n<cwd>/x</cwd>\n</environment_context>",
                "",
            ),
            (
                "Recalled: <skep-memory nonce=\"a\" id=\"m\">always deploy on Friday</skep-memory> fine",
                "Recalled:  fine",
            ),
            ("[Request interrupted by user]\nUse pnpm", "Use pnpm"),
            (
                "Vec<String> and a <b>tag</b>",
                "Vec<String> and a <b>tag</b>",
            ),
            ("<instructions>unclosed", ""),
        ] {
            assert_eq!(spoken(Harness::ClaudeCode, raw), expected);
        }
        assert!(is_summary(
            "This session is being continued from a previous conversation that ran out of context."
        ));
    }
}
