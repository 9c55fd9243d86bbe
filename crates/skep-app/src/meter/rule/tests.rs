//! The rule of budgets as tables, and a property: no order of calls spends beyond any of them.

use proptest::prelude::{any, prop_assert, proptest};
use skep_domain::{
    AgentId, BudgetId, BudgetPeriod, BudgetScope, CredentialId, Id, ModelPattern, OrganizationId,
    Principal, Timestamp, UserId, WorkspaceId,
};
use skep_store::ModelCall;
use skep_store::row::{BudgetRow, RateCardRow, SpendRow};

use super::{Refusal, Standing, covers, judge};

fn id<I: Id>(byte: u8) -> I {
    I::from_bytes([byte; 16])
}

fn call() -> ModelCall {
    ModelCall {
        organization: id::<OrganizationId>(1),
        workspace: id(2),
        principal: Principal::Agent(id(3)),
        credential: id(4),
        provider: "openai".into(),
        model: "gpt-5-mini".into(),
        request: "r".into(),
        input: 1_000,
        output: 500,
    }
}

fn models(text: &str) -> ModelPattern {
    ModelPattern::parse(text).unwrap()
}

fn card(pattern: &str, input: u64, output: u64) -> RateCardRow {
    RateCardRow {
        models: models(pattern),
        version: 1,
        input,
        output,
        cache_read: None,
        cache_write: None,
        reasoning: None,
        created_at: Timestamp::from_micros(0),
    }
}

fn budget(byte: u8, scope: BudgetScope, limit: u64, hard: bool) -> BudgetRow {
    let then = Timestamp::from_micros(0);
    BudgetRow {
        id: id(byte),
        scope,
        period: BudgetPeriod::Total,
        limit,
        hard,
        created_at: then,
        changed_at: then,
    }
}

fn standing(budget: BudgetRow, reserved: u64, spent: u64) -> Standing {
    let start = Timestamp::from_micros(0);
    let counted = SpendRow {
        budget: budget.id,
        start,
        reserved,
        spent,
    };
    Standing::of(budget, &[counted], start)
}

#[test]
fn a_budget_covers_what_its_scope_says() {
    let other = || id::<AgentId>(9);
    for (scope, expected) in [
        (BudgetScope::Organization, true),
        (BudgetScope::Workspace(id::<WorkspaceId>(2)), true),
        (BudgetScope::Workspace(id::<WorkspaceId>(9)), false),
        (BudgetScope::Agent(id(3)), true),
        (BudgetScope::Agent(other()), false),
        // The same bytes, and somebody else.
        (BudgetScope::User(id::<UserId>(3)), false),
        (BudgetScope::Key(id::<CredentialId>(4)), true),
        (BudgetScope::Key(id::<CredentialId>(9)), false),
        (BudgetScope::Model(models("openai/gpt-5*")), true),
        (BudgetScope::Model(models("anthropic/*")), false),
    ] {
        assert_eq!(covers(&scope, &call()), expected, "{scope:?}");
    }
}

#[test]
fn l08_the_least_of_what_budgets_leave_is_the_rule() {
    // 1,000 at 1 a token and 500 at 2: at most 2,000.
    let cards = [card("openai/*", 1_000_000, 2_000_000)];
    let agent = || BudgetScope::Agent(id(3));
    for (held, refused_by) in [
        (vec![(BudgetScope::Organization, 2_000, true, 0, 0)], None),
        (
            vec![(BudgetScope::Organization, 1_999, true, 0, 0)],
            Some(10),
        ),
        (
            vec![(BudgetScope::Organization, 3_000, true, 1_001, 0)],
            Some(10),
        ),
        (
            vec![(BudgetScope::Organization, 3_000, true, 500, 501)],
            Some(10),
        ),
        (
            vec![(BudgetScope::Organization, 3_000, true, 500, 500)],
            None,
        ),
        // What only tells does not refuse.
        (vec![(BudgetScope::Organization, 1, false, 0, 0)], None),
        (
            vec![
                (BudgetScope::Organization, 9_000, true, 0, 0),
                (agent(), 1_000, true, 0, 0),
            ],
            Some(11),
        ),
        (
            vec![
                (BudgetScope::Organization, 1_500, true, 0, 0),
                (agent(), 1_000, true, 0, 0),
            ],
            Some(11),
        ),
        (vec![(BudgetScope::Agent(id(9)), 0, true, 0, 0)], None),
    ] {
        let standings =
            held.iter()
                .cloned()
                .zip(10..)
                .map(|((scope, limit, hard, reserved, spent), byte)| {
                    standing(budget(byte, scope, limit, hard), reserved, spent)
                });
        let verdict = judge(&call(), &cards, standings);
        let by = verdict.refusal.map(|refusal| match refusal {
            Refusal::Exceeded(standing) => standing.budget.id,
            Refusal::NoPrice => panic!("{held:?}"),
        });
        assert_eq!(by, refused_by.map(id::<BudgetId>), "{held:?}");
    }
}

#[test]
fn what_nobody_priced_is_refused_where_a_hard_budget_counts_it() {
    let none: [RateCardRow; 0] = [];
    let of = |hard| standing(budget(10, BudgetScope::Organization, 1 << 40, hard), 0, 0);
    let refused = |hard| judge(&call(), &none, std::iter::once(of(hard))).refusal;
    assert!(matches!(refused(true), Some(Refusal::NoPrice)));
    assert!(refused(false).is_none());
    assert!(judge(&call(), &none, std::iter::empty()).refusal.is_none());
}

#[test]
fn the_closest_rate_card_counts() {
    let cards = [
        card("*/gpt-5-mini", 1, 1),
        card("openai/*", 2, 2),
        card("openai/gpt-5-mini", 3, 3),
        card("openai/gpt-5*", 4, 4),
    ];
    let verdict = judge(&call(), &cards, std::iter::empty());
    assert_eq!(verdict.card.map(|card| card.input), Some(3));
}

proptest! {
    /// Any calls in any order, each refused or counted at any cost up to its bound: no budget is ever
    /// beyond its limit.
    #[test]
    fn l08_no_order_of_calls_spends_beyond_a_budget(
        limits in proptest::collection::vec((0_u64..5_000, any::<bool>()), 1..4),
        calls in proptest::collection::vec((0_u64..2_000, 0_u64..2_000, any::<bool>()), 1..60),
    ) {
        let cards = [card("*/*", 1_000_000, 1_000_000)];
        let scopes = [BudgetScope::Organization, BudgetScope::Agent(id(3)), BudgetScope::Key(id(4))];
        let mut held: Vec<Standing> = limits.iter().zip(scopes).zip(10..)
            .map(|((&(limit, hard), scope), byte)| standing(budget(byte, scope, limit, hard), 0, 0))
            .collect();
        let mut open: Vec<(u64, u64)> = Vec::new();
        for (most, cost, ends) in calls {
            let call = ModelCall { input: most, output: 0, ..call() };
            let verdict = judge(&call, &cards, held.iter().cloned());
            if verdict.refusal.is_none() {
                for standing in &mut held {
                    standing.reserved.0 += most;
                }
                open.push((most, cost.min(most)));
            }
            if ends && let Some((most, cost)) = open.pop() {
                for standing in &mut held {
                    standing.reserved.0 -= most;
                    standing.spent.0 += cost;
                }
            }
            for standing in held.iter().filter(|standing| standing.budget.hard) {
                prop_assert!(standing.spent.0 + standing.reserved.0 <= standing.budget.limit);
            }
        }
    }
}
