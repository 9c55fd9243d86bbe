//! What is put into requests: shape and bounds. Whether the proxy takes it is asked where the proxy is
//! linked, so that there is one judge of headers, methods and paths.

use std::collections::{BTreeMap, BTreeSet};

use super::text::{Checked, at_most, hosts, refused, require, shown};
use super::{BASES, Base, Body, HOSTS, LEASE, Owner, RULES, Requests, Rule};

pub(super) fn check(requests: &Requests) -> Checked {
    require(
        !requests.rules.is_empty(),
        "rules",
        "has none: no secret goes anywhere",
    )?;
    check_rules(&requests.rules)?;
    require(requests.bases.len() <= BASES, "bases", &at_most(BASES))?;
    let mut names = BTreeSet::new();
    for (at, base) in requests.bases.iter().enumerate() {
        let field = format!("bases[{at}]");
        check_base(&field, base)?;
        require(names.insert(&base.name), &field, "is there twice")?;
    }
    hosts("hosts", &requests.hosts)?;
    let times = (1..=LEASE).contains(&requests.seconds);
    require(times, "seconds", &format!("is not from 1 to {LEASE}"))
}

/// Rules, of either form.
pub(super) fn check_rules(rules: &[Rule]) -> Checked {
    require(rules.len() <= RULES, "rules", &at_most(RULES))?;
    let mut owners: BTreeMap<String, Owner> = BTreeMap::new();
    for (at, rule) in rules.iter().enumerate() {
        let field = format!("rules[{at}]");
        check_rule(&field, rule)?;
        // One placeholder is one secret.
        let owner = *owners.entry(rule.wire_name()).or_insert(rule.owner);
        require(
            owner == rule.owner,
            &field,
            "names a secret that another rule takes from another owner",
        )?;
    }
    Ok(())
}

fn check_rule(field: &str, rule: &Rule) -> Checked {
    if let Err(error) = rule.record() {
        return Err(refused(&format!("{field}.secret"), &error.to_string()));
    }
    let why = "has a dot, which stands in no placeholder";
    require(!rule.secret.contains('.'), &format!("{field}.secret"), why)?;
    let of = format!("{field}.hosts");
    require(!rule.hosts.is_empty(), &of, "has none: it goes nowhere")?;
    hosts(&of, &rule.hosts)?;
    for (part, texts) in [
        ("headers", &rule.headers),
        ("methods", &rule.methods),
        ("paths", &rule.paths),
    ] {
        let of = format!("{field}.{part}");
        require(texts.len() <= HOSTS, &of, &at_most(HOSTS))?;
        let mut once = BTreeSet::new();
        for (at, text) in texts.iter().enumerate() {
            let of = format!("{of}[{at}]");
            shown(&of, text)?;
            require(!text.is_empty(), &of, "is empty")?;
            require(once.insert(text), &of, "is there twice")?;
        }
    }
    require(
        !rule.headers.is_empty() || rule.body == Body::Replace,
        field,
        "names neither a header nor a body that its secret stands in",
    )
}

fn check_base(field: &str, base: &Base) -> Checked {
    for (part, text) in [
        ("name", &base.name),
        ("origin", &base.origin),
        ("header", &base.header),
        ("value", &base.value),
    ] {
        let of = format!("{field}.{part}");
        shown(&of, text)?;
        require(!text.is_empty(), &of, "is empty")?;
    }
    Ok(())
}
