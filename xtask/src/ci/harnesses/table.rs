//! The harnesses that are played with: how each is started, pointed at scripted models, and kept from
//! looking for anything else.

/// One harness, without a terminal.
pub(super) struct Harness {
    /// As `skep setup --harness` calls it, and the folder of its package.
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    /// Its program, in the folder of its package.
    pub(super) program: &'static str,
    /// Before the prompt. `{url}` is where the models are, `{project}` where it works.
    pub(super) arguments: &'static [&'static str],
    pub(super) environment: &'static [(&'static str, &'static str)],
    /// What its user would have configured, under the home.
    pub(super) files: &'static [(&'static str, &'static str)],
    /// Its tool for a command, and that one's field.
    pub(super) tool: (&'static str, &'static str),
    /// Whether it says that a session is over.
    pub(super) ends: bool,
    /// Where its transcripts are under the home, if they can be imported.
    pub(super) transcripts: Option<&'static str>,
    pub(super) is_imported: bool,
    /// Whether it is part of every run of `ci`.
    pub(super) is_quick: bool,
}

pub(super) const HARNESSES: [Harness; 3] = [CODEX, GEMINI, OPENCODE];

const CODEX: Harness = Harness {
    name: "codex",
    version: "0.169.0",
    program: "node_modules/.bin/codex",
    // Its user trusts the hooks in `/hooks` once; there is nobody here to do so.
    arguments: &[
        "exec",
        "--dangerously-bypass-hook-trust",
        "--dangerously-bypass-approvals-and-sandbox",
        "--skip-git-repo-check",
        "-c",
        "model_providers.scripted.base_url={url}/v1",
    ],
    environment: &[("SCRIPTED_KEY", "none")],
    files: &[(
        ".codex/config.toml",
        r#"model = "scripted"
model_provider = "scripted"
check_for_update_on_startup = false
[analytics]
enabled = false
[model_providers.scripted]
name = "scripted"
wire_api = "responses"
env_key = "SCRIPTED_KEY"
"#,
    )],
    tool: ("exec_command", "cmd"),
    ends: true,
    transcripts: Some(".codex/sessions"),
    is_imported: true,
    is_quick: true,
};

const GEMINI: Harness = Harness {
    name: "gemini",
    version: "0.61.0",
    program: "node_modules/.bin/gemini",
    arguments: &["--yolo", "--model", "gemini-2.5-flash", "--prompt"],
    environment: &[
        ("GEMINI_API_KEY", "none"),
        ("GOOGLE_GEMINI_BASE_URL", "{url}"),
        ("GEMINI_CLI_TRUST_WORKSPACE", "true"),
    ],
    files: &[(
        ".gemini/settings.json",
        r#"{
  "general": { "enableAutoUpdate": false },
  "privacy": { "usageStatisticsEnabled": false },
  "security": { "auth": { "selectedType": "gemini-api-key" } }
}
"#,
    )],
    tool: ("run_shell_command", "command"),
    ends: true,
    transcripts: None,
    is_imported: false,
    is_quick: true,
};

/// What its package would choose by a script of its own.
const OPENCODE_PROGRAM: &str = if cfg!(target_arch = "aarch64") {
    "node_modules/opencode-linux-arm64/bin/opencode"
} else {
    "node_modules/opencode-linux-x64/bin/opencode"
};

/// It looks for its plugins' package on npm at the start and goes on without, after a while.
const OPENCODE: Harness = Harness {
    name: "opencode",
    version: "1.18.33",
    program: OPENCODE_PROGRAM,
    arguments: &["run"],
    environment: &[
        ("OPENCODE_DISABLE_AUTOUPDATE", "1"),
        ("OPENCODE_DISABLE_MODELS_FETCH", "1"),
        ("OPENCODE_DISABLE_LSP_DOWNLOAD", "1"),
        ("SCRIPTED_URL", "{url}/v1"),
    ],
    files: &[(
        ".config/opencode/opencode.json",
        r#"{
  "autoupdate": false,
  "share": "disabled",
  "model": "scripted/one",
  "small_model": "scripted/one",
  "enabled_providers": ["scripted"],
  "provider": {
    "scripted": {
      "npm": "@ai-sdk/openai-compatible",
      "name": "scripted",
      "options": { "baseURL": "{env:SCRIPTED_URL}", "apiKey": "none" },
      "models": { "one": { "name": "one", "limit": { "context": 100000, "output": 4000 } } }
    }
  }
}
"#,
    )],
    tool: ("bash", "command"),
    ends: true,
    transcripts: None,
    is_imported: false,
    is_quick: false,
};
