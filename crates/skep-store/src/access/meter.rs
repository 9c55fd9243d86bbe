//! What calls of models may cost, what is set aside for them, and what they came to.

use std::ops::Range;

use skep_authz::rights::{BudgetManage, UsageRead};
use skep_domain::{
    AgentId, BudgetId, BudgetPeriod, BudgetScope, CredentialId, Id, ModelPattern, OrganizationId,
    Principal, Timestamp, UsageId, UserId, WorkspaceId,
};

use super::keys::RESERVATION_BODY;
use super::{ControlKeys, DoorTx, OrgTx};
use crate::StoreError;
use crate::body::{BodyReader, BodyWriter};
use crate::row::{
    BudgetRow, Counted, RateCardRow, ReservationRow, SpendChange, SpendRow, UsageDayRow,
};

/// A call of a model: who makes it, and how much it reads and writes at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelCall {
    /// Whose money.
    pub organization: OrganizationId,
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
    /// The request that asked.
    pub request: String,
    /// Tokens that it reads at most.
    pub input: u64,
    /// Tokens that it writes at most.
    pub output: u64,
}

/// What is set aside for a call.
#[derive(Clone, Debug)]
pub struct Reservation {
    /// The call's id, under which its usage is recorded.
    pub id: UsageId,
    /// When.
    pub at: Timestamp,
    /// When it counts as spent whole.
    pub expires_at: Timestamp,
    /// Millionths of a unit of currency.
    pub amount: u64,
    /// The windows of budgets that it counts in.
    pub counted: Counted,
    /// The rate card that it is charged by; none where no one covers the model.
    pub rate: Option<String>,
    /// Which call.
    pub call: ModelCall,
}

impl DoorTx {
    /// The budgets of an organization, by age.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_budgets_of(
        &mut self,
        organization: OrganizationId,
    ) -> Result<Vec<BudgetRow>, StoreError> {
        self.rows.budgets(organization).await
    }

    /// The rate cards of an organization that count now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_rate_cards_of(
        &mut self,
        organization: OrganizationId,
    ) -> Result<Vec<RateCardRow>, StoreError> {
        self.rows.rate_cards(organization).await
    }

    /// What budgets of an organization have counted in the windows of this moment.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_spends_of(
        &mut self,
        organization: OrganizationId,
        at: Timestamp,
    ) -> Result<Vec<SpendRow>, StoreError> {
        self.rows.spends(organization, earliest_window(at)).await
    }

    /// Sets aside, and counts it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for an id that is taken.
    pub async fn put_reservations(
        &mut self,
        reservations: &[Reservation],
    ) -> Result<(), StoreError> {
        let rows = reservations.iter().map(|held| ReservationRow {
            id: held.id,
            organization: held.call.organization,
            at: held.at,
            expires_at: held.expires_at,
            amount: held.amount,
            counted: held.counted.clone(),
            body: seal(&self.keys, held),
        });
        let rows: Vec<_> = rows.collect();
        self.rows.put_reservations(rows).await
    }

    /// Takes what was set aside for calls that ended. One that is not in the answer was settled before,
    /// or ran out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn take_reservations(
        &mut self,
        calls: Vec<(OrganizationId, UsageId)>,
    ) -> Result<Vec<UsageId>, StoreError> {
        self.rows.take_reservations(calls).await
    }

    /// What was set aside until before a moment, and nobody has settled.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_stale_reservations(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<Reservation>, StoreError> {
        let rows = self.rows.stale_reservations(before, limit).await?;
        rows.into_iter().map(|row| open(&self.keys, row)).collect()
    }

    /// Changes what budgets count.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn change_spends(
        &mut self,
        organization: OrganizationId,
        changes: Vec<SpendChange>,
    ) -> Result<(), StoreError> {
        self.rows.change_spends(organization, changes).await
    }

    /// Adds to the sums of days.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_usage_days(
        &mut self,
        organization: OrganizationId,
        days: Vec<UsageDayRow>,
    ) -> Result<(), StoreError> {
        self.rows.add_usage_days(organization, days).await
    }
}

impl OrgTx<BudgetManage> {
    /// Makes a budget, or gives the one of its scope, period and kind another limit.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the organization has as many as it may.
    pub async fn put_budget(
        &mut self,
        (scope, period): (BudgetScope, BudgetPeriod),
        limit: u64,
        hard: bool,
    ) -> Result<BudgetId, StoreError> {
        let now = self.now();
        let row = BudgetRow {
            id: self.mint(),
            scope,
            period,
            limit,
            hard,
            created_at: now,
            changed_at: now,
        };
        self.door.rows.put_budget(self.organization, row).await
    }

    /// Removes a budget and what it counted; `false` when there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remove_budget(&mut self, id: BudgetId) -> Result<bool, StoreError> {
        self.door.rows.remove_budget(self.organization, id).await
    }

    /// Adds a version of a rate card, which counts from now on; says its number.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_rate_card(&mut self, row: RateCardRow) -> Result<u32, StoreError> {
        self.door.rows.put_rate_card(self.organization, row).await
    }

    /// The budgets of the organization, by age.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_budgets(&mut self) -> Result<Vec<BudgetRow>, StoreError> {
        self.door.rows.budgets(self.organization).await
    }

    /// What they have counted in the windows of now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_spends(&mut self) -> Result<Vec<SpendRow>, StoreError> {
        let (organization, now) = (self.organization, self.now());
        self.door.list_spends_of(organization, now).await
    }

    /// The rate cards that count now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_rate_cards(&mut self) -> Result<Vec<RateCardRow>, StoreError> {
        self.door.rows.rate_cards(self.organization).await
    }
}

impl OrgTx<UsageRead> {
    /// The budgets of the organization and what they have counted in the windows of a moment.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_budgets(
        &mut self,
        at: Timestamp,
    ) -> Result<(Vec<BudgetRow>, Vec<SpendRow>), StoreError> {
        let organization = self.organization;
        let budgets = self.door.rows.budgets(organization).await?;
        let spends = self.door.list_spends_of(organization, at).await?;
        Ok((budgets, spends))
    }

    /// The rate cards that count now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_rate_cards(&mut self) -> Result<Vec<RateCardRow>, StoreError> {
        self.door.rows.rate_cards(self.organization).await
    }

    /// Every version of the rate card of a pattern, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_rate_card_versions(
        &mut self,
        models: &ModelPattern,
        limit: u32,
    ) -> Result<Vec<RateCardRow>, StoreError> {
        let rows = &mut self.door.rows;
        rows.rate_card_versions(self.organization, models, limit)
            .await
    }

    /// The sums of days, by day.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_usage_days(
        &mut self,
        days: Range<Timestamp>,
        limit: u32,
    ) -> Result<Vec<UsageDayRow>, StoreError> {
        let rows = &mut self.door.rows;
        rows.usage_days(self.organization, days, limit).await
    }
}

/// When the earliest window began that holds a moment, of those that begin anew.
fn earliest_window(at: Timestamp) -> Timestamp {
    BudgetPeriod::Week
        .start(at)
        .min(BudgetPeriod::Month.start(at))
}

fn place(organization: OrganizationId, id: UsageId) -> ([u8; 16], [u8; 16]) {
    (organization.to_bytes(), id.to_bytes())
}

fn seal(keys: &ControlKeys, held: &Reservation) -> skep_crypto::Sealed {
    let call = &held.call;
    let kind = match call.principal {
        Principal::User(_) => "user",
        Principal::Agent(_) => "agent",
    };
    let body = BodyWriter::default()
        .bytes(&call.workspace.to_bytes())
        .text(kind)
        .bytes(&call.principal.to_bytes())
        .bytes(&call.credential.to_bytes())
        .text(&call.provider)
        .text(&call.model)
        .text(&call.request)
        .bytes(&call.input.to_be_bytes())
        .bytes(&call.output.to_be_bytes())
        .option(held.rate.as_deref())
        .finish();
    keys.seal(RESERVATION_BODY, place(call.organization, held.id), &body)
}

fn open(keys: &ControlKeys, row: ReservationRow) -> Result<Reservation, StoreError> {
    const DAMAGED: StoreError = StoreError::Damaged("a reservation");
    let plain = keys.open(RESERVATION_BODY, place(row.organization, row.id), &row.body)?;
    let mut reader = BodyReader(plain.expose());
    let mut id = || <[u8; 16]>::try_from(reader.bytes()?).map_err(|_| DAMAGED);
    let workspace = WorkspaceId::from_bytes(id()?);
    let is_agent = match reader.text()?.as_str() {
        "agent" => true,
        "user" => false,
        _ => return Err(DAMAGED),
    };
    let mut id = || <[u8; 16]>::try_from(reader.bytes()?).map_err(|_| DAMAGED);
    let (principal, credential) = (id()?, CredentialId::from_bytes(id()?));
    let (provider, model, request) = (reader.text()?, reader.text()?, reader.text()?);
    let mut number = || {
        let bytes = <[u8; 8]>::try_from(reader.bytes()?).map_err(|_| DAMAGED)?;
        Ok::<_, StoreError>(u64::from_be_bytes(bytes))
    };
    let (input, output) = (number()?, number()?);
    let rate = reader.option()?;
    reader.end()?;
    Ok(Reservation {
        id: row.id,
        at: row.at,
        expires_at: row.expires_at,
        amount: row.amount,
        counted: row.counted,
        rate,
        call: ModelCall {
            organization: row.organization,
            workspace,
            principal: if is_agent {
                Principal::Agent(AgentId::from_bytes(principal))
            } else {
                Principal::User(UserId::from_bytes(principal))
            },
            credential,
            provider,
            model,
            request,
            input,
            output,
        },
    })
}
