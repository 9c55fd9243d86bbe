//! What an organization allows its own credentials: rate limits below those of the installation.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use skep_authz::Authorized;
use skep_authz::rights::{OrgManage, SettingRead};
use skep_domain::{OrganizationId, Quota, RateClass, RateKey, RateRule, Timestamp};
use skep_store::Mode;

use super::door;
use crate::{App, AppError, Invalid};

/// Quotas by the name of their rule.
pub type OwnQuotas = BTreeMap<&'static str, Quota>;

/// How long quotas count without another look: a change on another node is in force after that.
const FRESH_MICROS: i64 = 900_000;
/// Organizations whose quotas are held.
const HELD: usize = 10_000;
/// What the names of these settings begin with.
const PREFIX: &str = "limit.";

/// The quotas of organizations, as read lately.
#[derive(Debug, Default)]
pub(crate) struct OwnLimits(Mutex<HashMap<OrganizationId, (Timestamp, Arc<OwnQuotas>)>>);

impl OwnLimits {
    fn held(
        &self,
    ) -> std::sync::MutexGuard<'_, HashMap<OrganizationId, (Timestamp, Arc<OwnQuotas>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an organization may set it: what counts strangers is the installation's business.
fn is_own(rule: &RateRule) -> bool {
    matches!(rule.key, RateKey::Organization | RateKey::Credential)
}

/// Whether an organization could not undo it: setting a limit is counted like everything else.
fn is_shut_out(rule: &RateRule, quota: Quota) -> bool {
    const FEWEST: u32 = 5;
    const LONGEST: u32 = 3_600;
    let is_for_all = RateClass::Api
        .rules()
        .iter()
        .any(|api| api.name == rule.name);
    is_for_all && (quota.count() < FEWEST || quota.seconds() > LONGEST)
}

impl App {
    /// What an organization has set, as of a second ago at most. What cannot be read is as before,
    /// or as the installation has it.
    pub async fn own_quotas(&self, organization: OrganizationId) -> Arc<OwnQuotas> {
        let now = self.store.now();
        let known = self.own_limits.held().get(&organization).cloned();
        if let Some((at, quotas)) = &known
            && (0..FRESH_MICROS).contains(&(now.as_micros() - at.as_micros()))
        {
            return Arc::clone(quotas);
        }
        let quotas = match self.read_own_quotas(organization).await {
            Ok(quotas) => Arc::new(quotas),
            Err(error) => {
                tracing::warn!(%error, "the limits that an organization has set could not be read");
                known.map(|(_, quotas)| quotas).unwrap_or_default()
            }
        };
        let mut held = self.own_limits.held();
        if held.len() >= HELD {
            held.clear();
        }
        held.insert(organization, (now, Arc::clone(&quotas)));
        quotas
    }

    async fn read_own_quotas(&self, organization: OrganizationId) -> Result<OwnQuotas, AppError> {
        let mut tx = door!(self, Mode::Read).await?;
        Ok(parse(&tx.list_settings(organization).await?))
    }

    /// What the organization has set.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_limits(
        &self,
        authorized: Authorized<SettingRead>,
    ) -> Result<OwnQuotas, AppError> {
        let mut tx = self.store.begin_org(authorized).await?;
        Ok(parse(&tx.list_settings().await?))
    }

    /// Sets a limit of the organization, or with `None` leaves it to the installation again. It is
    /// in force here at once.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a limit that is not the organization's, or above the `ceiling`.
    pub async fn set_limit(
        &self,
        authorized: Authorized<OrgManage>,
        name: &str,
        quota: Option<Quota>,
        ceiling: impl Fn(&RateRule) -> Quota,
    ) -> Result<(), AppError> {
        let rule = RateClass::rule(name).filter(is_own);
        let rule = rule.ok_or_else(|| {
            Invalid::unknown(
                "name",
                "expected a limit of organizations or credentials, such as api_credential",
            )
        })?;
        let most = ceiling(&rule);
        if quota.is_some_and(|quota| !quota.within(most)) {
            let message = format!(
                "at most {most}, which the installation allows, at once and in the long run"
            );
            return Err(Invalid::unknown("quota", &message));
        }
        if quota.is_some_and(|quota| is_shut_out(&rule, quota)) {
            return Err(Invalid::unknown(
                "quota",
                "at least 5 calls, and a period of an hour at most: less would shut everybody out, and the change back with them",
            ));
        }
        let organization = authorized.organization();
        let mut tx = self.store.begin_org(authorized).await?;
        let value = quota.map(|quota| quota.to_string());
        let value = value.as_deref().map(str::as_bytes);
        tx.put_setting(&format!("{PREFIX}{}", rule.name), value)
            .await?;
        tx.commit().await?;
        self.own_limits.held().remove(&organization);
        Ok(())
    }
}

/// Settings that are limits; what is not readable is as if it were not set.
fn parse(settings: &[(String, Vec<u8>)]) -> OwnQuotas {
    let limits = settings.iter().filter_map(|(name, value)| {
        let rule = RateClass::rule(name.strip_prefix(PREFIX)?).filter(is_own)?;
        let quota = Quota::parse(std::str::from_utf8(value).ok()?)?;
        Some((rule.name, quota))
    });
    limits.collect()
}
