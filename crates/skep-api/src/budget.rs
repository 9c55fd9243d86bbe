//! Budgets, rate cards, and what calls of models came to. Amounts are decimals of a unit of currency, as
//! text, with at most six places: nothing is rounded on the way.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Instant;

/// A bound on what some calls may cost in a period.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Budget {
    /// Its id.
    pub id: String,
    /// Whose calls it counts: `organization`, `workspace`, `agent`, `user`, `key` or `model`.
    pub scope: String,
    /// Which of them: an id, or models as `PROVIDER/MODEL`. Absent for the organization, and for an agent of
    /// another workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// `day`, `week`, `month` (each in UTC), or `total`.
    pub period: String,
    /// `hard`: calls beyond it are refused; or `alert`: they are made, and told.
    pub kind: String,
    /// The most.
    pub limit: String,
    /// Spent in the period of now.
    pub spent: String,
    /// Set aside for calls that are under way.
    pub reserved: String,
    /// What is left.
    pub left: String,
    /// When the period of now began; absent for one that never ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began_at: Option<Instant>,
    /// When it begins anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renews_at: Option<Instant>,
    /// When its limit was said last.
    pub changed_at: Instant,
}

/// `GET /budgets`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Budgets {
    /// By age.
    pub items: Vec<Budget>,
}

/// `POST /budgets`: makes one, or gives the one of its scope, period and kind another limit.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetBudgetRequest {
    /// `organization`, `workspace`, `agent`, `user`, `key` or `model`.
    pub scope: String,
    /// Which of them: an id, or models as `PROVIDER/MODEL`; the own workspace if absent there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// `day`, `week`, `month` or `total`.
    pub period: String,
    /// `hard` or `alert`.
    pub kind: String,
    /// Such as `20.00`.
    pub limit: String,
}

/// What a million tokens of some models cost.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RateCard {
    /// `PROVIDER/MODEL`; `*` stands for any provider, or ends the model.
    pub models: String,
    /// Counted from one; a version never changes.
    pub version: u32,
    /// Read.
    pub input: String,
    /// Written.
    pub output: String,
    /// Read from the provider's cache; as what is read if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read: Option<String>,
    /// Put into the provider's cache; as what is read if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<String>,
    /// Thought before answering; as what is written if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    /// From when on it counts.
    pub since: Instant,
}

/// `GET /rate-cards`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RateCards {
    /// Those that count now, or every version of one, newest first.
    pub items: Vec<RateCard>,
}

/// The query of `GET /rate-cards`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateCardQuery {
    /// Every version of the card of exactly this pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<String>,
}

/// `POST /rate-cards`: adds a version, which counts from now on.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetRateCardRequest {
    /// `PROVIDER/MODEL`; `*` stands for any provider, or ends the model.
    pub models: String,
    /// Of a million tokens that are read, such as `3.00`.
    pub input: String,
    /// Written.
    pub output: String,
    /// Read from the provider's cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read: Option<String>,
    /// Put into the provider's cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<String>,
    /// Thought before answering.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
}

/// `POST /explain/budget`: a call of the caller's own, which is not made.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExplainBudgetRequest {
    /// `PROVIDER/MODEL`.
    pub model: String,
    /// Tokens that it reads at most.
    #[serde(default)]
    pub input: u64,
    /// Tokens that it writes at most.
    #[serde(default)]
    pub output: u64,
}

/// Whether a call would be allowed now, and why.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BudgetExplanation {
    /// Whether it would be.
    pub allowed: bool,
    /// Why not, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What it may cost at most; absent where no rate card covers the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<String>,
    /// The rate card that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<RateCard>,
    /// Every budget that covers it, as it stands.
    pub budgets: Vec<Budget>,
    /// The hard one that leaves least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
}

/// The query of `GET /usage`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UsageQuery {
    /// So many days, today included, at most 400; thirty if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// From the day of this moment on, UTC, instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Instant>,
    /// To before the day of this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Instant>,
}

/// `GET /usage`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct UsageDays {
    /// By day.
    pub items: Vec<UsageDay>,
    /// Whether there are more than an answer holds: ask for fewer days.
    pub truncated: bool,
}

/// What calls of one day, principal, key and model came to.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct UsageDay {
    /// The day, such as `2026-11-22`, UTC.
    pub day: String,
    /// Where.
    pub workspace: String,
    /// Who; absent for an agent of another workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// With what.
    pub credential: String,
    /// Whose model.
    pub provider: String,
    /// Which.
    pub model: String,
    /// How many.
    pub calls: u64,
    /// Of those, how many were counted here because the provider did not say.
    pub estimated: u64,
    /// Tokens read, cached ones included.
    pub input: u64,
    /// Tokens written, thoughts included.
    pub output: u64,
    /// Of those read: from the cache.
    pub cache_read: u64,
    /// Of those read: put into the cache.
    pub cache_write: u64,
    /// Of those written: thoughts.
    pub reasoning: u64,
    /// What they cost.
    pub cost: String,
}
