//! The route table as a page: what each route asks for, and which roles have it.

use std::fmt::Write as _;

use anyhow::Result;
use skep_api::{BodyLimit, Gate, ROUTES, Route};
use skep_domain::{RateClass, Role};

/// The page, in Markdown.
///
/// # Errors
/// When formatting fails.
pub(super) fn page() -> Result<String> {
    let mut page = super::banner("skep-api");
    page.push_str(concat!(
        "\n\n# Routes\n\nThe router is built from the same table. [Rate classes](../limits.md) are counted; audit ",
        "actions are names so far: the ledger is not built.\n\n"
    ));
    page.push_str("| Method | Path | Needs | Roles | Rate class | Body | Audit action | |\n");
    page.push_str("|---|---|---|---|---|---|---|---|\n");
    for route in ROUTES {
        writeln!(
            page,
            "| {} | `{}` | {} | {} | {} | {} | {} | {} |",
            route.method.as_str(),
            route.path,
            needs(route),
            roles(route),
            rate(route),
            body(route),
            route.audit.unwrap_or("–"),
            route.summary,
        )?;
    }
    Ok(page)
}

fn needs(route: &Route) -> String {
    match route.gate {
        Gate::Public => "nothing".to_owned(),
        Gate::Oneself => "a credential".to_owned(),
        Gate::InPerson => "a login".to_owned(),
        Gate::Install => "the installation's own credential".to_owned(),
        Gate::Permission(permission) => format!("`{}`", permission.as_str()),
        Gate::SteppedUp(permission) => format!("`{}`, second factor", permission.as_str()),
    }
}

fn roles(route: &Route) -> String {
    let allowed = |role: &&Role| match route.gate {
        Gate::Public | Gate::Oneself | Gate::InPerson => true,
        // A role does not make somebody the one who runs the daemon.
        Gate::Install => false,
        Gate::Permission(permission) | Gate::SteppedUp(permission) => {
            role.permissions().contains(permission)
        }
    };
    let names: Vec<&str> = Role::ALL
        .iter()
        .filter(allowed)
        .map(|role| role.as_str())
        .collect();
    if names.len() == Role::ALL.len() {
        return "all".to_owned();
    }
    names.join(", ")
}

fn rate(route: &Route) -> &'static str {
    match route.rate {
        RateClass::None => "–",
        class => class.as_str(),
    }
}

fn body(route: &Route) -> String {
    const MIB: usize = 1024 * 1024;
    match route.body {
        BodyLimit::Empty => "–".to_owned(),
        limit if limit.bytes() < MIB => format!("{} KiB", limit.bytes() / 1024),
        limit => format!("{} MiB", limit.bytes() / MIB),
    }
}

#[cfg(test)]
mod tests {
    use super::page;

    #[test]
    fn the_page_has_a_row_for_each_route_and_names_the_roles() {
        let page = page().unwrap();
        for route in skep_api::ROUTES {
            assert!(
                page.contains(&format!("| `{}` |", route.path)),
                "{}",
                route.path
            );
        }
        assert!(page.contains(
            "| POST | `/api/v1/memories` | `memory:write` | admin, operator, agent | api | 1 MiB | memory.write |"
        ));
        assert!(page.contains("| GET | `/healthz` | nothing | all | – | – | – |"));
    }
}
