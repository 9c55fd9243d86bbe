//! Rate limits that an organization sets for itself.

use axum::response::Response;
use skep_api::limit::{RateLimit, RateLimits, SetLimitRequest};
use skep_app::OwnQuotas;
use skep_authz::{Authorized, rights};
use skep_domain::{Quota, RateKey, RateRule};
use skep_limit::in_force;

use crate::call::{Call, ok};
use crate::error::ApiError;
use crate::mount::Edge;

pub(crate) async fn list(
    authorized: Authorized<rights::SettingRead>,
    call: Call,
) -> Result<Response, ApiError> {
    let own = call.app().list_limits(authorized).await?;
    ok(&shown(&call.edge, &own))
}

pub(crate) async fn set(
    authorized: Authorized<rights::OrgManage>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: SetLimitRequest = call.body()?;
    let quota = request.quota.as_deref().map(quota).transpose()?;
    let organization = authorized.organization();
    let ceiling = |rule: &RateRule| ceiling(&call.edge, rule);
    call.app()
        .set_limit(authorized, &request.name, quota, ceiling)
        .await?;
    let own = call.app().own_quotas(organization).await;
    ok(&shown(&call.edge, &own))
}

fn quota(text: &str) -> Result<Quota, ApiError> {
    Quota::parse(text).ok_or_else(|| {
        ApiError::field(
            "quota",
            "INVALID",
            "expected calls in a time, such as 600/min, 5/15min or 30/h",
        )
    })
}

fn ceiling(edge: &Edge, rule: &RateRule) -> Quota {
    let limits = edge.limits.as_ref();
    limits.map_or(rule.default, |limits| limits.quotas.of(rule))
}

fn shown(edge: &Edge, own: &OwnQuotas) -> RateLimits {
    let classes = skep_domain::RateClass::ALL.into_iter();
    let rules = classes.flat_map(|class| class.rules().iter());
    let rules =
        rules.filter(|rule| matches!(rule.key, RateKey::Organization | RateKey::Credential));
    let items = rules.map(|rule| {
        let (most, set) = (ceiling(edge, rule), own.get(rule.name));
        RateLimit {
            name: rule.name.into(),
            quota: in_force(most, set).to_string(),
            counts: rule.key.as_str().into(),
            ceiling: most.to_string(),
            is_set: set.is_some(),
        }
    });
    RateLimits {
        items: items.collect(),
    }
}
