//! Tool calls and their results: which command ran, whether it failed, what it complained about.

use super::phrase::is_one;
use crate::clean::cut_line;
use crate::turn::TurnView;
use regex::Regex;
use skep_domain::TurnRole;
use std::sync::LazyLock;

/// What a tool does, as far as the distiller cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ToolSort {
    Shell,
    Edit,
    Web,
    Other,
}

/// Judges a tool by its name, over the names that the known harnesses use.
pub(super) fn sort(name: Option<&str>) -> ToolSort {
    let name = name.unwrap_or_default().to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if has(&[
        "webfetch",
        "websearch",
        "web_search",
        "web_fetch",
        "browser",
        "fetch",
        "firecrawl",
        "tavily",
        "exa_",
    ]) {
        ToolSort::Web
    } else if has(&[
        "bash",
        "shell",
        "exec",
        "terminal",
        "run_command",
        "local_shell",
    ]) {
        ToolSort::Shell
    } else if has(&[
        "edit",
        "write",
        "patch",
        "str_replace",
        "create_file",
        "notebook",
    ]) && !has(&["stdin", "todo"])
    {
        ToolSort::Edit
    } else {
        ToolSort::Other
    }
}

/// The command line of a shell call: its text, or the command in a JSON input.
pub(super) fn command(turn: &TurnView<'_>) -> Option<String> {
    if turn.role != TurnRole::ToolCall || sort(turn.tool) != ToolSort::Shell {
        return None;
    }
    let text = turn.text.trim();
    let line = if text.starts_with('{') {
        json_command(text)?
    } else {
        text.to_owned()
    };
    let line = line.trim().trim_start_matches("$ ");
    (!line.is_empty()).then(|| line.to_owned())
}

/// The string under the first of the keys that a JSON text has.
fn json_value(text: &str, keys: &[&str]) -> Option<String> {
    let at = keys
        .iter()
        .find_map(|key| Some(text.find(key)? + key.len()))?;
    let rest = text[at..].trim_start().strip_prefix(':')?.trim_start();
    Some(json_string(rest.strip_prefix('"')?)?.0)
}

/// `{"command": "…"}` and `{"command": ["bash", "-lc", "…"]}`, without a parser for the rest.
fn json_command(text: &str) -> Option<String> {
    let at = ["\"command\"", "\"cmd\"", "\"script\""]
        .iter()
        .find_map(|key| Some(text.find(key)? + key.len()))?;
    let rest = text[at..].trim_start().strip_prefix(':')?.trim_start();
    if let Some(list) = rest.strip_prefix('[') {
        let mut words = Vec::new();
        let mut rest = list;
        while let Some(open) = rest.find('"').filter(|open| !rest[..*open].contains(']')) {
            let (word, after) = json_string(&rest[open + 1..])?;
            words.push(word);
            rest = after;
        }
        let is_wrapper = words.len() == 3 && words[1].starts_with('-') && words[1].ends_with('c');
        return if is_wrapper {
            words.pop()
        } else {
            Some(words.join(" "))
        };
    }
    Some(json_string(rest.strip_prefix('"')?)?.0)
}

/// Reads up to the closing quote and undoes the common escapes.
fn json_string(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((out, &text[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                other => out.push(other),
            },
            _ => out.push(c),
        }
    }
    None
}

/// The part of a command line that does the work, without `cd`, variables, pipes and redirections.
pub(super) fn core(command: &str) -> String {
    let parts = parts(command);
    let part = parts
        .iter()
        .map(|part| part.trim())
        .rfind(|part| !is_one(part.split_whitespace().next().unwrap_or_default(), SETUP))
        .unwrap_or_default();
    let words: Vec<&str> = part
        .split_whitespace()
        .skip_while(|word| {
            word.split_once('=').is_some_and(|(name, _)| {
                name.bytes()
                    .all(|b| b.is_ascii_uppercase() || b == b'_' || b.is_ascii_digit())
            })
        })
        .skip_while(|word| {
            is_one(word, "sudo|time|nice|env|timeout|command") || word.parse::<u32>().is_ok()
        })
        .take_while(|word| !is_one(word, "2>&1|>|>>|2>|<|<<"))
        .filter(|word| !word.starts_with("2>") && !word.starts_with("<<"))
        .collect();
    words.join(" ")
}

const SETUP: &str = "|cd|export|set|source|.|echo|tail|head|cat|ls|true|mkdir|#|sleep|wait|printf|pwd|then|fi|do|done|else";

/// A command line at its `&&`, `||`, `;` and `|`, and at the end of its first line; quotes hold together.
fn parts(command: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut quote = None;
    let mut start = 0;
    let mut piped = false;
    let mut push = |part, was_piped: bool| {
        // What a pipe feeds only formats the output.
        if !was_piped {
            parts.push(part);
        }
    };
    for (at, c) in command.char_indices() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            // `2>&1` and `&>` redirect; they part nothing.
            (None, '&') if command[..at].ends_with('>') || command[at + 1..].starts_with('>') => {}
            (None, '\n' | ';' | '|' | '&') => {
                push(&command[start..at], piped);
                piped = c == '|'
                    && !command[..at].ends_with('|')
                    && !command[at + 1..].starts_with('|');
                start = at + 1;
                if c == '\n'
                    && !command[..at].trim_end().ends_with(['\\', '&', '|'])
                    && !parts_are_comments(command, at)
                {
                    return parts;
                }
            }
            _ => {}
        }
    }
    push(&command[start..], piped);
    parts
}

fn parts_are_comments(command: &str, until: usize) -> bool {
    command[..until]
        .lines()
        .all(|line| line.trim().is_empty() || line.trim().starts_with('#'))
}

/// What two runs of the same check have in common: the program and its verb.
pub(super) fn signature(core: &str) -> String {
    let mut words = core
        .split_whitespace()
        .filter(|word| !word.starts_with('-') && !word.starts_with('+'));
    let program = words.next().unwrap_or_default();
    let program = program.rsplit('/').next().unwrap_or(program);
    let runners = [
        "cargo",
        "npm",
        "pnpm",
        "yarn",
        "bun",
        "go",
        "make",
        "just",
        "docker",
        "git",
        "python",
        "python3",
        "uv",
        "poetry",
        "npx",
        "bundle",
        "mvn",
        "gradle",
        "gradlew",
        "kubectl",
        "helm",
        "terraform",
        "dotnet",
        "mix",
        "deno",
        "node",
        "rake",
        "tox",
        "nox",
        "hatch",
        "pip",
        "brew",
        "systemctl",
        "psql",
    ];
    if !runners.contains(&program) {
        return program.to_owned();
    }
    let verb = words.next().unwrap_or_default();
    let second = if matches!(verb, "run" | "nextest" | "compose" | "exec") {
        words.next().unwrap_or_default()
    } else {
        ""
    };
    [program, verb, second].join(" ").trim_end().to_owned()
}

/// Whether a command checks or builds something, so that its failure and later success teach.
pub(super) fn is_check(signature: &str) -> bool {
    let mut words = signature.split(' ');
    let (program, verb) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    match program {
        "git" => is_one(verb, "push|pull|clone|rebase|merge|commit|submodule"),
        "docker" | "podman" => is_one(verb, "build|compose|run|push|pull"),
        "kubectl" | "helm" | "terraform" => is_one(verb, "apply|install|upgrade|init|plan"),
        _ => is_one(program, CHECKERS),
    }
}

const CHECKERS: &str = "cargo|npm|pnpm|yarn|bun|go|make|just|uv|poetry|npx|bundle|mvn|gradle|gradlew|dotnet|mix|deno|rake|tox|nox|\
hatch|pip|pip3|brew|psql|pytest|tsc|eslint|jest|vitest|playwright|ruff|mypy|black|flake8|phpunit|composer|rspec|rubocop|cmake|\
ninja|bazel|meson|swift|xcodebuild|flutter|dart|zig|stack|cabal|sbt|lein|alembic|prisma|flyway|ansible-playbook|systemctl|nix|tofu|\
wrangler|vercel|netlify|fly|heroku|sam|cdk|serverless|skep|skepd|apt|apt-get|rustc|gcc|clang|javac|python|python3|node|bash|sh";

/// The files that the edits of these turns touch, in order: the turns' own paths, those of a JSON
/// input, and those of a patch.
pub(super) fn edited_paths(turns: &[TurnView<'_>]) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    for turn in turns.iter().filter(|turn| turn.role == TurnRole::ToolCall) {
        let is_patch = turn.text.contains("*** Begin Patch");
        if sort(turn.tool) != ToolSort::Edit && !is_patch {
            continue;
        }
        let patched = PATCHED
            .captures_iter(turn.text)
            .filter_map(|found| found.get(1))
            .map(|path| path.as_str());
        let named = if turn.paths.is_empty() {
            json_value(turn.text, &["\"file_path\"", "\"path\""])
        } else {
            None
        };
        let all = turn
            .paths
            .iter()
            .cloned()
            .chain(patched.map(|path| path.trim().to_owned()))
            .chain(named);
        for path in all {
            if !path.is_empty() && path.len() <= 200 && !paths.contains(&path) {
                paths.push(path);
            }
        }
    }
    paths
}

/// Whether a result says that its command failed.
pub(super) fn failed(result: &TurnView<'_>) -> bool {
    if result.is_error {
        return true;
    }
    let text = result.text;
    let head = &text[..text.floor_char_boundary(2000)];
    let tail = &text[text.ceil_char_boundary(text.len().saturating_sub(2000))..];
    [head, tail].iter().any(|part| {
        EXIT.captures_iter(part).any(|code| {
            code.get(1)
                .is_some_and(|code| code.as_str().parse() != Ok(0_u32))
        }) || FAILED.is_match(part)
    })
}

#[expect(
    clippy::expect_used,
    reason = "the patterns are constants, and every test compiles them"
)]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern")
}

static EXIT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?i)(?-u)(?:exit(?:ed)?(?:[ _]with)?[ _](?:code|status)|exit_code|process exited with)["':= ]{1,4}(?:code |status )?([0-9]{1,3})\b"#,
    )
});

static FAILED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?m)(?-u)^(?:error: could not compile|test result: FAILED|error: test (?:run )?failed|npm ERR!|FAILED \(|=+ [0-9]+ failed|make: \*\*\*|Traceback \(most recent call last\)|fatal: |ERR_PNPM| ELIFECYCLE|FAIL\b)",
    )
});

static PATCHED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\*\*\* (?:Update|Add|Delete) File: ([^\n\\]{1,200})"));

/// Lines that say what is wrong, the most telling first.
static TELLING: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        r"(?-u)\b(?:SQLITE_[A-Z]+|database is locked|ECONNREFUSED|EADDRINUSE|EACCES|ENOENT|ENOSPC|ETIMEDOUT|ERR_[A-Z_]+|permission denied|connection refused|address already in use|no space left|out of memory|command not found|certificate)\b",
        r"(?-u)^\s*(?:thread '[^'\n]+' .{0,24}panicked at|panicked at)",
        r"(?-u)^\s*(?:error(?:\[[A-Z0-9]+\])?|fatal|npm ERR!|ERR_PNPM_[A-Z_]+|ERROR|E)\b[: ]",
        r"(?-u)^\s*(?:[A-Za-z_.]+(?:Error|Exception)|AssertionError|assertion)\b",
        r"(?-u)(?i)\b(?:failed|cannot|could not|unable to|not found|denied|refused|timed? ?out|undefined|unexpected|missing|mismatch|invalid)\b",
    ]
    .into_iter()
    // `.` and classes of what is not must not match half a character: these stay in Unicode mode.
    .map(|text| pattern(&text.replace("(?-u)", "")))
    .collect()
});

/// The line of a failed run that says what is wrong.
pub(super) fn complaint(output: &str) -> Option<String> {
    // Codex wraps what a command printed in JSON.
    let unwrapped = if output.trim_start().starts_with('{') {
        json_value(output, &["\"output\"", "\"stdout\""])
    } else {
        None
    };
    let output = unwrapped.as_deref().unwrap_or(output);
    let head = &output[..output.floor_char_boundary(32 << 10)];
    let tail = &output[output
        .ceil_char_boundary(output.len().saturating_sub(32 << 10))
        .max(head.len())..];
    let lines: Vec<&str> = head
        .lines()
        .chain(tail.lines())
        .map(str::trim)
        .filter(|line| is_line(line))
        .collect();
    let line = TELLING.iter().find_map(|telling| {
        let at = lines.iter().position(|line| telling.is_match(line))?;
        // A panic's message stands in the line after its place.
        let is_place = lines[at].ends_with(':') && lines[at].contains("panicked at");
        lines
            .get(at + usize::from(is_place))
            .or_else(|| lines.get(at))
    })?;
    let line = line.trim_start_matches(|c: char| {
        !c.is_alphanumeric() && !matches!(c, '`' | '\'' | '"' | '[' | '<')
    });
    Some(cut_line(line, 180).into_owned())
}

fn is_line(line: &str) -> bool {
    line.len() >= 6
        && !line.starts_with("Exit code")
        && !line.starts_with("error: could not compile")
        && !line.starts_with("error: test failed")
        && !line.starts_with("error: aborting")
        && !line.starts_with("at ")
        && !line.starts_with("To see ")
        && (!line.ends_with(':') || line.contains("panicked at"))
        && line.contains(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::{complaint, core, json_command, signature};

    #[test]
    fn the_command_is_read_from_what_surrounds_it() {
        assert_eq!(
            json_command(r#"{"command":"cd a && cargo test","timeout":1}"#).as_deref(),
            Some("cd a && cargo test")
        );
        assert_eq!(
            json_command(r#"{"command":["bash","-lc","pnpm \"x\""]}"#).as_deref(),
            Some("pnpm \"x\"")
        );
        assert_eq!(
            json_command(r#"{"cmd":["git","push"]}"#).as_deref(),
            Some("git push")
        );
        for (line, expected, sign) in [
            (
                "cd crates/x && RUST_LOG=debug cargo test -p store 2>&1 | tail -20",
                "cargo test -p store",
                "cargo test",
            ),
            (
                "sudo docker compose up -d > /dev/null",
                "docker compose up -d",
                "docker compose up",
            ),
            (
                "pnpm run build; echo done",
                "pnpm run build",
                "pnpm run build",
            ),
            ("./gradlew test", "./gradlew test", "gradlew test"),
            (
                "pytest -q tests/test_a.py",
                "pytest -q tests/test_a.py",
                "pytest",
            ),
        ] {
            assert_eq!(core(line), expected);
            assert_eq!(signature(expected), sign);
        }
    }

    #[test]
    fn the_telling_line_is_found() {
        for (output, expected) in [
            (
                "running 3 tests\nthread 'a' (1) panicked at src/pool.rs:41:9:\ncalled `Result::unwrap()` on an `Err` value: Busy\nnote: run with",
                "called `Result::unwrap()` on an `Err` value: Busy",
            ),
            (
                "Compiling a\nerror[E0502]: cannot borrow `x` as mutable\n --> src/a.rs",
                "error[E0502]: cannot borrow `x` as mutable",
            ),
            (
                "ok\nError: SQLITE_BUSY: database is locked\n",
                "Error: SQLITE_BUSY: database is locked",
            ),
            (
                "E   AssertionError: expected 3, got 4",
                "E   AssertionError: expected 3, got 4",
            ),
        ] {
            assert_eq!(complaint(output).as_deref(), Some(expected));
        }
        assert_eq!(complaint("all fine here\nnothing"), None);
    }
}
