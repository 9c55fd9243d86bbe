//! What an answer of a model says of itself in its headers.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use skep_app::{AnswerFacts, CallCost};

/// Puts it there; what is not known has no header.
pub(super) fn tell(headers: &mut HeaderMap, facts: &AnswerFacts) {
    let (cost, at_most) = match facts.cost {
        Some(CallCost::Was(cost)) => (Some(cost.to_string()), None),
        Some(CallCost::AtMost(cost)) => (None, Some(cost.to_string())),
        None => (None, None),
    };
    let told = [
        ("x-skep-provider", Some(facts.provider.clone())),
        ("x-skep-usage", facts.usage.clone()),
        ("x-skep-cost", cost),
        ("x-skep-cost-at-most", at_most),
        (
            "idempotent-replayed",
            facts.is_again.then(|| "true".to_owned()),
        ),
        (
            "x-skep-budget-remaining",
            facts.left.map(|left| left.to_string()),
        ),
    ];
    for (name, value) in told {
        let value = value.as_deref().map(HeaderValue::from_str);
        if let Some(Ok(value)) = value {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}
