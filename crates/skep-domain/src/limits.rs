//! The published limits; at limit + 1 a request is refused and nothing is stored.

/// Sizes are bytes unless a name says otherwise.
#[derive(Debug)]
pub struct Limits;

impl Limits {
    /// An ordinary request body.
    pub const BODY: usize = 1 << 20;
    /// A form, as browsers and OAuth clients send it.
    pub const FORM_BODY: usize = 64 << 10;
    /// A batch of turns.
    pub const CAPTURE_BODY: usize = 8 << 20;
    /// Bytes of a call to a model.
    pub const GATEWAY_BODY: usize = 32 << 20;
    /// Nesting of arrays and objects in a JSON body.
    pub const JSON_DEPTH: usize = 64;
    /// All request headers together.
    pub const HEADERS: usize = 32 << 10;
    /// Seconds within which a request's headers must have arrived.
    pub const HEADER_READ_SECONDS: u64 = 10;
    /// Rows in one page, at most.
    pub const PAGE_MAX: u32 = 200;
    /// Rows in one page when the caller does not say.
    pub const PAGE_DEFAULT: u32 = 50;
    /// Text of one memory.
    pub const MEMORY_TEXT: usize = 16 << 10;
    /// Files that one principal may keep under `/memories`.
    pub const FILES: usize = 500;
    /// A recall query.
    pub const QUERY: usize = 4 << 10;
    /// Body of one stored turn; longer ones are cut, and say so.
    pub const TURN_BODY: usize = 64 << 10;
    /// Turns in one batch.
    pub const CAPTURE_TURNS: usize = 1_000;
    /// An idempotency key, a client event id, or another client-chosen identity.
    pub const CLIENT_KEY: usize = 256;
    /// The name of a record of the vault.
    pub const RECORD_NAME: usize = 64;
    /// The value of one, at most.
    pub const RECORD_VALUE: usize = 64 << 10;
    /// The value of a secret, at least: a shorter one cannot be told from ordinary text in what a
    /// program prints.
    pub const SECRET_VALUE_MIN: usize = 8;
    /// Records of one class in one place.
    pub const RECORDS: usize = 1_000;
    /// Bytes of a reference to a secret that is kept elsewhere.
    pub const REFERENCE: usize = 1_024;
    /// Characters of a name.
    pub const NAME_CHARS: usize = 128;
    /// A note to a consent.
    pub const NOTE: usize = 1 << 10;
    /// What a participant says of itself: so many facts.
    pub const CARD_FACTS: usize = 10;
    /// One of them.
    pub const CARD_FACT: usize = 160;
    /// Tokens that the last of a session may take.
    pub const RECENT_TOKENS: u32 = 100_000;
    /// Candidates that one recall may authorize.
    pub const RECALL_CANDIDATES: usize = 200;
    /// Items that one recall may answer with.
    pub const RECALL_ITEMS: u32 = 50;
    /// The name of a skill.
    pub const SKILL_NAME: usize = 64;
    /// What a skill says of itself in its front matter.
    pub const SKILL_DESCRIPTION: usize = 1 << 10;
    /// Files of a skill.
    pub const SKILL_FILES: usize = 64;
    /// All of them together.
    pub const SKILL_BYTES: usize = 256 << 10;
    /// The path of one of them.
    pub const SKILL_PATH: usize = 200;
    /// Its parts.
    pub const SKILL_DEPTH: usize = 4;
    /// Versions of skills of one workspace that may wait for a reviewer.
    pub const SKILLS_WAITING: u64 = 200;
    /// Templates of one workspace that are approved at a time.
    pub const TEMPLATES: u64 = 200;
    /// Versions of templates of one workspace that may wait for somebody who approves.
    pub const TEMPLATES_WAITING: u64 = 100;
    /// Versions that are kept after they were rejected, replaced or withdrawn.
    pub const TEMPLATES_KEPT: u32 = 500;
    /// Requests for templates of one agent that may wait.
    pub const ACCESS_WAITING: u64 = 20;
    /// Budgets of one organization.
    pub const BUDGETS: usize = 200;
    /// Sinks of one organization.
    pub const SINKS: usize = 16;
    /// Rate cards of one organization that count at a time.
    pub const RATE_CARDS: usize = 500;
    /// Versions of one rate card.
    pub const RATE_CARD_VERSIONS: u32 = 200;
    /// Rows of an answer about what was used.
    pub const USAGE_ROWS: u32 = 10_000;
    /// Grants of one workspace that are in force at a time.
    pub const GRANTS: u64 = 1_000;
    /// Requests and grants that are kept after they ended.
    pub const ACCESS_KEPT: u32 = 1_000;
    /// Why an agent asks for a template, or somebody decided so.
    pub const ACCESS_REASON: usize = 1 << 10;
    /// Seconds that a grant lasts, unless it has no end.
    pub const GRANT_SECONDS: u64 = 366 * 86_400;
    /// Runs of programs of one workspace that are kept after they ended.
    pub const EXECS_KEPT: u32 = 2_000;
    /// What they have printed, together.
    pub const EXECS_BYTES: u64 = 64 << 20;
    /// Answers of models of one workspace that are kept for whoever asks again.
    pub const ANSWERS_KEPT: u32 = 1_000;
    /// All of them together.
    pub const ANSWERS_BYTES: u64 = 64 << 20;
    /// One of them; a longer one is not kept.
    pub const ANSWER_BYTES: usize = 4 << 20;
    /// Values that are filled into a template, and each of them.
    pub const EXEC_ARGUMENTS: usize = 16;
    /// Seconds that somebody may wait for a run in one request.
    pub const EXEC_WAIT: u32 = 30;
    /// Jobs of one organization that may wait or run.
    pub const JOBS: u32 = 1_000;
}
