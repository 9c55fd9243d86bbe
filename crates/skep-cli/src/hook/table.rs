//! Which harness calls `skep hook` for which of its events: what is written into its configuration,
//! and what is accepted on the command line.

/// One harness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its name on the command line: `skep hook <name> <event>`.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// The unit of its timeouts.
    pub unit: Unit,
    /// Its events, in the order of a session.
    pub events: &'static [Event],
}

/// In what a harness counts the time that it gives a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
}

/// One event of a harness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// As the harness writes it.
    pub name: &'static str,
    /// What the harness waits at most, in its own unit; the program ends long before.
    pub timeout: u32,
    /// What goes into the entry's `matcher`; no such field if absent.
    pub matcher: Option<&'static str>,
    /// Whether it belongs into a configuration. The others are understood if somebody adds them;
    /// what they carry comes with a later event as well, for one process less.
    pub is_written: bool,
}

/// Every harness.
pub const TABLE: [Row; 5] = [CLAUDE, CODEX, CURSOR, GEMINI, OPENCODE];

impl Row {
    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        const { &TABLE }.iter().find(|row| row.name == name)
    }

    /// The event of this name.
    #[must_use]
    pub fn event(&self, name: &str) -> Option<&'static Event> {
        self.events.iter().find(|event| event.name == name)
    }

    /// The events that belong into a configuration.
    pub fn written(&self) -> impl Iterator<Item = &'static Event> + use<> {
        self.events.iter().filter(|event| event.is_written)
    }

    /// The command of an entry, after the path of `skep`.
    #[must_use]
    pub fn arguments(&self, event: &Event) -> [&'static str; 3] {
        ["hook", self.name, event.name]
    }
}

/// Seconds, for all events: ten times what the slowest may take by its own deadline.
const SECONDS: u32 = 5;
const MILLISECONDS: u32 = 1_000 * SECONDS;
/// Codex warns its user of more at a session's end, and cuts it to this.
const CODEX_END: u32 = 3;

const fn written(name: &'static str, timeout: u32) -> Event {
    Event {
        name,
        timeout,
        matcher: None,
        is_written: true,
    }
}

/// Of every tool: a matcher that is spelled out is the same in all versions, one that is absent not.
const fn tools(name: &'static str, timeout: u32) -> Event {
    Event {
        matcher: Some("*"),
        ..written(name, timeout)
    }
}

const fn understood(event: Event) -> Event {
    Event {
        is_written: false,
        ..event
    }
}

/// `~/.claude/settings.json`.
const CLAUDE: Row = Row {
    name: "claude",
    title: "Claude Code",
    unit: Unit::Seconds,
    events: &[
        written("SessionStart", SECONDS),
        written("UserPromptSubmit", SECONDS),
        understood(tools("PreToolUse", SECONDS)),
        tools("PostToolUse", SECONDS),
        tools("PostToolUseFailure", SECONDS),
        written("PreCompact", SECONDS),
        written("Stop", SECONDS),
        written("SubagentStop", SECONDS),
        written("SessionEnd", SECONDS),
    ],
};

/// `~/.codex/hooks.json`.
const CODEX: Row = Row {
    name: "codex",
    title: "Codex",
    unit: Unit::Seconds,
    events: &[
        written("SessionStart", SECONDS),
        written("UserPromptSubmit", SECONDS),
        understood(tools("PreToolUse", SECONDS)),
        tools("PostToolUse", SECONDS),
        written("PreCompact", SECONDS),
        written("Stop", SECONDS),
        written("SubagentStop", SECONDS),
        written("SessionEnd", CODEX_END),
    ],
};

/// `~/.cursor/hooks.json`.
const CURSOR: Row = Row {
    name: "cursor",
    title: "Cursor",
    unit: Unit::Seconds,
    events: &[
        written("sessionStart", SECONDS),
        written("beforeSubmitPrompt", SECONDS),
        understood(written("preToolUse", SECONDS)),
        written("postToolUse", SECONDS),
        written("postToolUseFailure", SECONDS),
        written("afterAgentResponse", SECONDS),
        written("preCompact", SECONDS),
        understood(written("stop", SECONDS)),
        understood(written("subagentStop", SECONDS)),
        written("sessionEnd", SECONDS),
    ],
};

/// `~/.gemini/settings.json`.
const GEMINI: Row = Row {
    name: "gemini",
    title: "Gemini CLI",
    unit: Unit::Milliseconds,
    events: &[
        written("SessionStart", MILLISECONDS),
        written("BeforeAgent", MILLISECONDS),
        understood(tools("BeforeTool", MILLISECONDS)),
        tools("AfterTool", MILLISECONDS),
        written("PreCompress", MILLISECONDS),
        written("AfterAgent", MILLISECONDS),
        written("SessionEnd", MILLISECONDS),
    ],
};

/// `~/.config/opencode/plugins/skep.js`, which calls `skep hook opencode <event>`.
const OPENCODE: Row = Row {
    name: "opencode",
    title: "OpenCode",
    unit: Unit::Milliseconds,
    events: &[
        written("session.created", MILLISECONDS),
        written("chat.message", MILLISECONDS),
        understood(written("tool.execute.before", MILLISECONDS)),
        written("tool.execute.after", MILLISECONDS),
        written("session.compacted", MILLISECONDS),
        written("session.idle", MILLISECONDS),
        written("session.deleted", MILLISECONDS),
        written("dispose", MILLISECONDS),
    ],
};
