//! Sessions and turns: which harness, which role, which state.

use crate::memory::coded;

coded! {
    /// Where a session comes from.
    Harness {
        /// Anything without a reader of its own.
        Other = 0, "other";
        /// Anthropic's Claude Code.
        ClaudeCode = 1, "claude-code";
        /// OpenAI's Codex.
        Codex = 2, "codex";
        /// The commit history of a repository.
        Git = 3, "git";
        /// A person at the command line.
        Cli = 4, "cli";
        /// Anysphere's Cursor.
        Cursor = 5, "cursor";
        /// Google's Gemini CLI.
        GeminiCli = 6, "gemini-cli";
        /// The terminal agent `OpenCode`.
        OpenCode = 7, "opencode";
        /// OpenAI's ChatGPT, by its export.
        ChatGpt = 8, "chatgpt";
        /// A program whose model calls pass through the gateway.
        Gateway = 9, "gateway";
        /// A folder, a page or an export that somebody added as a source.
        Source = 32, "source";
    }
}

coded! {
    /// What one event of a session is.
    TurnRole {
        /// A human speaks.
        User = 0, "user";
        /// The agent speaks.
        Assistant = 1, "assistant";
        /// The agent calls a tool.
        ToolCall = 2, "tool_call";
        /// A tool answers.
        ToolResult = 3, "tool_result";
        /// A commit of a repository.
        Commit = 4, "commit";
        /// A summary that the harness made itself.
        Summary = 5, "summary";
    }
}

coded! {
    /// When memories are put in front of a model.
    Moment {
        /// A session begins.
        SessionStart = 0, "session_start";
        /// A human has written a prompt.
        Prompt = 1, "prompt";
        /// The harness has emptied the model's context, so that what was injected is lost to it.
        Compacted = 2, "compacted";
    }
}

coded! {
    /// Whether a session still takes turns.
    SessionState {
        /// It does.
        Open = 0, "open";
        /// It ended; a late turn opens it again.
        Ended = 1, "ended";
    }
}
