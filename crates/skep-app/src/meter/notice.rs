//! Budgets that are nearly spent: an entry in the record, in the transaction that spends what is one too much.

use std::collections::BTreeMap;

use skep_domain::{BudgetScope, OrganizationId, Principal, Timestamp};
use skep_llm::Cost;
use skep_store::row::{BudgetRow, SpendRow};
use skep_store::{DoorTx, NewAudit, Outcome};

use super::counting::Changes;
use crate::AppError;

/// The action of these entries.
pub(super) const ACTION: &str = "alert.budget";

/// Tells what these changes, which are made already, brought past one of these shares of a limit, in percent. As often
/// as it is passed: what was spent becomes less only where a call turns out to have cost less than was written down.
pub(super) async fn tell(
    tx: &mut DoorTx,
    changes: &Changes,
    percents: &[u8],
) -> Result<(), AppError> {
    let mut more: BTreeMap<OrganizationId, Vec<_>> = BTreeMap::new();
    for ((organization, budget, start), (_, spent)) in changes {
        if *spent > 0 && !percents.is_empty() {
            let of = more.entry(*organization).or_default();
            of.push((*budget, *start, spent.unsigned_abs()));
        }
    }
    for (organization, more) in more {
        let budgets = tx.list_budgets_of(organization).await?;
        let spends = tx.list_spends_of(organization, tx.now()).await?;
        let passed = more.into_iter().filter_map(|(budget, start, added)| {
            let budget = budgets.iter().find(|known| known.id == budget)?;
            let mut spends = spends.iter();
            let spend = spends.find(|spend| spend.budget == budget.id && spend.start == start)?;
            let before = spend.spent.saturating_sub(added);
            let percent = passed(percents, budget.limit, (before, spend.spent))?;
            Some(entry(organization, budget, (percent, spend), tx.now()))
        });
        let passed: Vec<_> = passed.collect();
        if !passed.is_empty() {
            tx.append_audit(&passed).await?;
        }
    }
    Ok(())
}

/// The greatest share of a limit that is reached now and was not before.
fn passed(percents: &[u8], limit: u64, (before, now): (u64, u64)) -> Option<u8> {
    let reached = |spent: u64, percent: u8| {
        u128::from(spent) * 100 >= u128::from(limit) * u128::from(percent)
    };
    let passed = percents.iter().copied();
    passed
        .filter(|percent| reached(now, *percent) && !reached(before, *percent))
        .max()
}

/// Whoever the budget is about stands where an entry has who did it.
fn entry(
    organization: OrganizationId,
    budget: &BudgetRow,
    (percent, spend): (u8, &SpendRow),
    at: Timestamp,
) -> (NewAudit, Option<Principal>, u32) {
    let (mut workspace, mut principal, mut credential) = (None, None, None);
    let of = match &budget.scope {
        BudgetScope::Organization => "the organization".to_owned(),
        BudgetScope::Workspace(id) => {
            workspace = Some(*id);
            "a workspace".to_owned()
        }
        BudgetScope::Agent(id) => {
            principal = Some(Principal::Agent(*id));
            "an agent".to_owned()
        }
        BudgetScope::User(id) => {
            principal = Some(Principal::User(*id));
            "a person".to_owned()
        }
        BudgetScope::Key(id) => {
            credential = Some(*id);
            "a key".to_owned()
        }
        BudgetScope::Model(models) => models.as_str().to_owned(),
    };
    let kind = if budget.hard { "hard" } else { "alert" };
    let reason = format!(
        "{percent} % of the {kind} budget of {of} for the period {} are spent: {} of {}",
        budget.period.as_str(),
        Cost(spend.spent),
        Cost(budget.limit),
    );
    let told = NewAudit {
        at,
        action: ACTION.into(),
        outcome: Outcome::Allowed,
        organization: Some(organization),
        workspace,
        credential,
        reason,
        request: String::new(),
        peer: None,
        target: None,
        shown: Vec::new(),
    };
    (told, principal, 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert_eq, proptest};

    use super::passed;

    #[test]
    fn a_share_is_told_when_it_is_reached_and_the_greatest_of_several() {
        for (before, now, told) in [
            (0, 79, None),
            (0, 80, Some(80)),
            (79, 80, Some(80)),
            (80, 99, None),
            (80, 100, Some(100)),
            (0, 250, Some(100)),
            (100, 101, None),
        ] {
            let found = passed(&[80, 100], 100, (before, now));
            assert_eq!(found, told, "{before} to {now}");
        }
        assert_eq!(
            passed(&[80], 0, (0, 5)),
            None,
            "nothing is a share of nothing"
        );
        assert_eq!(passed(&[], 100, (0, 100)), None);
        assert_eq!(passed(&[100], u64::MAX, (0, u64::MAX)), Some(100));
    }

    proptest! {
        /// However it is cut into calls, each share is told once.
        #[test]
        fn however_it_is_spent_each_share_is_told_once(
            limit in 1_u64..1_000, calls in proptest::collection::vec(0_u64..300, 1..40),
        ) {
            let mut spent = 0;
            let mut told = Vec::new();
            for call in calls {
                told.extend(passed(&[50, 80, 100], limit, (spent, spent + call)));
                spent += call;
            }
            let mut once = told.clone();
            once.dedup();
            prop_assert_eq!(&told, &once);
            prop_assert_eq!(told.last() == Some(&100), spent >= limit);
        }
    }
}
