//! Rows of what calls of models may cost, and did.

use skep_crypto::Sealed;
use skep_domain::{
    BudgetId, BudgetPeriod, BudgetScope, CredentialId, Id, ModelPattern, OrganizationId, Principal,
    Timestamp, UsageId, WorkspaceId,
};

use crate::StoreError;

/// A bound on what some calls may cost in a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetRow {
    /// Its id.
    pub id: BudgetId,
    /// Whose calls it counts.
    pub scope: BudgetScope,
    /// When it begins anew.
    pub period: BudgetPeriod,
    /// Millionths of a unit of currency.
    pub limit: u64,
    /// Whether calls beyond it are refused; else they are told.
    pub hard: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its limit was said last.
    pub changed_at: Timestamp,
}

/// What a budget has counted in one of its windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpendRow {
    /// Which budget.
    pub budget: BudgetId,
    /// When the window began.
    pub start: Timestamp,
    /// Set aside for calls that are under way.
    pub reserved: u64,
    /// Spent.
    pub spent: u64,
}

/// How a budget's count changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpendChange {
    /// Which budget.
    pub budget: BudgetId,
    /// When the window began.
    pub start: Timestamp,
    /// More, or less, that is set aside.
    pub reserved: i64,
    /// More, or less, that is spent.
    pub spent: i64,
}

/// What tokens of some models cost, in millionths of a unit of currency for a million tokens. Versions
/// never change: what was charged stays explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateCardRow {
    /// Which models.
    pub models: ModelPattern,
    /// Counted from one for each pattern.
    pub version: u32,
    /// Read.
    pub input: u64,
    /// Written.
    pub output: u64,
    /// Read from the provider's cache.
    pub cache_read: Option<u64>,
    /// Put into the provider's cache.
    pub cache_write: Option<u64>,
    /// Thought before answering.
    pub reasoning: Option<u64>,
    /// From when on it counts.
    pub created_at: Timestamp,
}

/// What is set aside for one call, until it is settled.
#[derive(Clone, Debug)]
pub struct ReservationRow {
    /// The call.
    pub id: UsageId,
    /// Whose.
    pub organization: OrganizationId,
    /// When.
    pub at: Timestamp,
    /// When it counts as spent whole.
    pub expires_at: Timestamp,
    /// How much.
    pub amount: u64,
    /// The windows of budgets that it counts in.
    pub counted: Counted,
    /// Which call.
    pub body: Sealed,
}

/// Windows of budgets: which, and when they began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted(pub Vec<(BudgetId, Timestamp)>);

/// A day's calls of one kind, added up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageDayRow {
    /// Midnight, UTC.
    pub day: Timestamp,
    /// Where.
    pub workspace: WorkspaceId,
    /// Who.
    pub principal: Principal,
    /// With what.
    pub credential: CredentialId,
    /// Whose model.
    pub provider: String,
    /// Which.
    pub model: String,
    /// What they came to.
    pub sums: UsageSums,
}

/// What calls came to, or what changes of that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsageSums {
    /// How many.
    pub calls: i64,
    /// Of those, how many were counted here because the provider did not say.
    pub estimated: i64,
    /// Tokens read, cached ones included.
    pub input: i64,
    /// Tokens written, thoughts included.
    pub output: i64,
    /// Of those read: from the cache.
    pub cache_read: i64,
    /// Of those read: put into the cache.
    pub cache_write: i64,
    /// Of those written: thoughts.
    pub reasoning: i64,
    /// Millionths of a unit of currency.
    pub cost: i64,
}

/// Bytes of one window in a column.
const WINDOW: usize = 24;

impl Counted {
    /// As a column.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let window = |(budget, start): &(BudgetId, Timestamp)| {
            let mut bytes = [0; WINDOW];
            bytes[..16].copy_from_slice(&budget.to_bytes());
            bytes[16..].copy_from_slice(&start.as_micros().to_be_bytes());
            bytes
        };
        self.0.iter().flat_map(window).collect()
    }

    /// From a column.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StoreError> {
        let (windows, rest) = bytes.as_chunks::<WINDOW>();
        if !rest.is_empty() {
            return Err(StoreError::Damaged("the windows of a reservation"));
        }
        let window = |bytes: &[u8; WINDOW]| {
            let (budget, start) = bytes.split_at(16);
            let budget = <[u8; 16]>::try_from(budget).ok()?;
            let start = <[u8; 8]>::try_from(start).ok()?;
            let start = Timestamp::from_micros(i64::from_be_bytes(start));
            Some((BudgetId::from_bytes(budget), start))
        };
        let windows = windows.iter().map(window).collect::<Option<_>>();
        windows
            .map(Self)
            .ok_or(StoreError::Damaged("the windows of a reservation"))
    }
}

/// The scope as columns: which kind, and which of it.
#[must_use]
pub fn scope_columns(scope: &BudgetScope) -> (u8, Vec<u8>) {
    match scope {
        BudgetScope::Organization => (0, Vec::new()),
        BudgetScope::Workspace(id) => (1, id.to_bytes().to_vec()),
        BudgetScope::Agent(id) => (2, id.to_bytes().to_vec()),
        BudgetScope::User(id) => (3, id.to_bytes().to_vec()),
        BudgetScope::Key(id) => (4, id.to_bytes().to_vec()),
        BudgetScope::Model(models) => (5, models.as_str().as_bytes().to_vec()),
    }
}

/// The scope from columns; `None` for what no version of this program writes.
#[must_use]
pub fn scope_of_columns(kind: u8, place: &[u8]) -> Option<BudgetScope> {
    fn id<I: Id>(place: &[u8]) -> Option<I> {
        Some(I::from_bytes(place.try_into().ok()?))
    }
    Some(match kind {
        0 if place.is_empty() => BudgetScope::Organization,
        1 => BudgetScope::Workspace(id(place)?),
        2 => BudgetScope::Agent(id(place)?),
        3 => BudgetScope::User(id(place)?),
        4 => BudgetScope::Key(id(place)?),
        5 => BudgetScope::Model(ModelPattern::parse(std::str::from_utf8(place).ok()?).ok()?),
        _ => return None,
    })
}
