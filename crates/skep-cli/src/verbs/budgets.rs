//! `skep budget`, `skep rates` and `skep usage`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use skep_api::Instant;
use skep_api::budget::{
    Budget, BudgetExplanation, ExplainBudgetRequest, RateCard, SetBudgetRequest,
    SetRateCardRequest, UsageDay, UsageQuery,
};
use skep_client::Client;

use super::reconcile;
use crate::args::budget::{Budget as Verb, By, Period, Rates, Usage, UsageVerb};
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{columns, counted, one_line};

pub(super) async fn budget(context: &Context<'_>, verb: Verb) -> Result<ExitCode, Failure> {
    let mut client = context.client().await?;
    match verb {
        Verb::List => list(context, &mut client).await,
        Verb::Set {
            whose,
            limit,
            per,
            alert,
        } => set(context, &mut client, &whose, limit, (per, alert)).await,
        Verb::Remove { id } => {
            let done = client.remove_budget(&id).await?;
            if context.output.is_json() {
                context.output.json(&done)?;
            } else {
                context.output.line("removed")?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Verb::Explain {
            model,
            input,
            output,
        } => {
            let request = ExplainBudgetRequest {
                model,
                input,
                output,
            };
            let found = client.explain_budget(&request).await?;
            explained(context, &found)
        }
    }
}

async fn list(context: &Context<'_>, client: &mut Client) -> Result<ExitCode, Failure> {
    let found = client.budgets().await?;
    let out = context.output;
    if out.is_json() {
        out.json(&found)?;
        return Ok(ExitCode::SUCCESS);
    }
    if found.items.is_empty() {
        out.line("There are no budgets: calls are counted and not bounded.")?;
        out.note("skep budget set organization 20.00 --per month");
    }
    let rows: Vec<Vec<String>> = found.items.iter().map(|one| row(context, one)).collect();
    for line in columns(&rows) {
        out.line(&line)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn set(
    context: &Context<'_>,
    client: &mut Client,
    whose: &str,
    limit: String,
    (per, alert): (Period, bool),
) -> Result<ExitCode, Failure> {
    let (scope, of) = match whose.split_once(':') {
        Some((scope, of)) => (scope.to_owned(), Some(of.to_owned())),
        None => (whose.to_owned(), None),
    };
    let request = SetBudgetRequest {
        scope,
        of,
        period: per.as_str().into(),
        kind: if alert { "alert" } else { "hard" }.into(),
        limit,
    };
    let made = client.set_budget(&request).await?;
    let out = context.output;
    if out.is_json() {
        out.json(&made)?;
        return Ok(ExitCode::SUCCESS);
    }
    for line in columns(&[row(context, &made)]) {
        out.line(&line)?;
    }
    if !alert && client.rate_cards(None).await?.items.is_empty() {
        out.note("no rate card says what models cost, so every call that it counts is refused: skep rates set PROVIDER/MODEL --input … --output …");
    }
    Ok(ExitCode::SUCCESS)
}

fn row(context: &Context<'_>, budget: &Budget) -> Vec<String> {
    let whose = match &budget.of {
        Some(of) => format!("{} {}", one_line(&budget.scope), one_line(of)),
        None => one_line(&budget.scope),
    };
    let mut standing = format!("{} of {} spent", budget.spent, budget.limit);
    if budget
        .reserved
        .bytes()
        .any(|byte| (b'1'..=b'9').contains(&byte))
    {
        standing.push_str(&format!(", {} set aside", budget.reserved));
    }
    let renews = budget.renews_at.map(|at| format!("anew on {}", day(at)));
    let style = context.output.style();
    vec![
        budget.id.clone(),
        whose,
        format!("each {}", one_line(&budget.period)).replace("each total", "in all"),
        one_line(&budget.kind),
        one_line(&standing),
        style.dim(&renews.unwrap_or_default()),
    ]
}

fn day(at: Instant) -> String {
    at.to_string().chars().take(10).collect()
}

fn explained(context: &Context<'_>, found: &BudgetExplanation) -> Result<ExitCode, Failure> {
    let out = context.output;
    if out.is_json() {
        out.json(found)?;
    } else {
        out.line(match &found.reason {
            None => "The call would be allowed.",
            Some(_) => "The call would be refused.",
        })?;
        if let Some(reason) = &found.reason {
            out.line(&one_line(reason))?;
        }
        out.line(&match &found.most {
            Some(most) => format!("It may cost at most {}.", one_line(most)),
            None => "Nobody said what it may cost.".to_owned(),
        })?;
        if let Some(rate) = &found.rate {
            out.line(&columns(&[card(rate)]).join(""))?;
        }
        let mut rows = Vec::new();
        for budget in &found.budgets {
            let mut row = row(context, budget);
            let decides = found.decided_by.as_ref() == Some(&budget.id);
            row.push(if decides { "leaves least" } else { "" }.into());
            rows.push(row);
        }
        for line in columns(&rows) {
            out.line(&line)?;
        }
    }
    Ok(if found.allowed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

pub(super) async fn rates(context: &Context<'_>, verb: Rates) -> Result<ExitCode, Failure> {
    let mut client = context.client().await?;
    let out = context.output;
    let cards = match verb {
        Rates::List { models } => {
            let found = client.rate_cards(models.as_deref()).await?;
            if out.is_json() {
                out.json(&found)?;
                return Ok(ExitCode::SUCCESS);
            }
            found.items
        }
        Rates::Set { models, prices } => {
            let request = SetRateCardRequest {
                models,
                input: prices.input,
                output: prices.output,
                cache_read: prices.cache_read,
                cache_write: prices.cache_write,
                reasoning: prices.reasoning,
            };
            let made = client.set_rate_card(&request).await?;
            if out.is_json() {
                out.json(&made)?;
                return Ok(ExitCode::SUCCESS);
            }
            vec![made]
        }
    };
    if cards.is_empty() {
        out.line("Nobody said what models cost: calls are counted in tokens alone.")?;
        out.note("skep rates set PROVIDER/MODEL --input 3.00 --output 15.00");
    }
    let rows: Vec<Vec<String>> = cards.iter().map(card).collect();
    for line in columns(&rows) {
        out.line(&line)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn card(card: &RateCard) -> Vec<String> {
    let part = |name: &str, price: &Option<String>| {
        let price = price.as_deref().map(|price| format!("{name} {price}"));
        price.unwrap_or_default()
    };
    vec![
        one_line(&card.models),
        format!("version {}", card.version),
        format!("input {}", card.input),
        format!("output {}", card.output),
        part("cache read", &card.cache_read),
        part("cache write", &card.cache_write),
        part("reasoning", &card.reasoning),
        format!("since {}", day(card.since)),
    ]
}

/// Sums of calls that share what they are added up by.
#[derive(Default)]
struct Sum {
    calls: u64,
    estimated: u64,
    input: u64,
    output: u64,
    micros: u128,
}

pub(super) async fn usage(context: &Context<'_>, asked: &Usage) -> Result<ExitCode, Failure> {
    if let Some(UsageVerb::Reconcile { file, provider }) = &asked.verb {
        return reconcile::run(context, file, provider).await;
    }
    let mut client = context.client().await?;
    let query = UsageQuery {
        days: Some(asked.days.into()),
        ..UsageQuery::default()
    };
    let found = client.usage(&query).await?;
    let out = context.output;
    if out.is_json() {
        out.json(&found)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
    for row in &found.items {
        let sum = sums.entry(key(asked.by, row)).or_default();
        sum.calls += row.calls;
        sum.estimated += row.estimated;
        sum.input += row.input;
        sum.output += row.output;
        sum.micros += micros(&row.cost);
    }
    if sums.is_empty() {
        out.line(&format!(
            "No calls of models in {}.",
            counted(asked.days.into(), "day", "days")
        ))?;
    }
    let mut sums: Vec<(String, Sum)> = sums.into_iter().collect();
    if !matches!(asked.by, By::Day) {
        sums.sort_by_key(|(_, sum)| std::cmp::Reverse((sum.micros, sum.calls)));
    }
    let rows: Vec<Vec<String>> = sums.iter().map(|(key, sum)| summed(key, sum)).collect();
    for line in columns(&rows) {
        out.line(&line)?;
    }
    if found.truncated {
        out.note("that is not all: ask for fewer --days");
    }
    Ok(ExitCode::SUCCESS)
}

fn key(by: By, row: &UsageDay) -> String {
    one_line(&match by {
        By::Day => row.day.clone(),
        By::Model => format!("{}/{}", row.provider, row.model),
        By::Principal => row
            .principal
            .clone()
            .unwrap_or_else(|| "an agent elsewhere".into()),
        By::Key => row.credential.clone(),
        By::Workspace => row.workspace.clone(),
    })
}

fn summed(key: &str, sum: &Sum) -> Vec<String> {
    let estimated = match sum.estimated {
        0 => String::new(),
        some => format!("{some} estimated"),
    };
    vec![
        key.to_owned(),
        counted(sum.calls, "call", "calls"),
        format!("{} in", sum.input),
        format!("{} out", sum.output),
        format!("{}.{:06}", sum.micros / 1_000_000, sum.micros % 1_000_000),
        estimated,
    ]
}

/// An amount as the interface writes it, in millionths.
fn micros(amount: &str) -> u128 {
    let (whole, rest) = amount.split_once('.').unwrap_or((amount, ""));
    let rest: String = rest.chars().chain("000000".chars()).take(6).collect();
    let number = |text: &str| text.parse::<u128>().unwrap_or(0);
    number(whole) * 1_000_000 + number(&rest)
}
