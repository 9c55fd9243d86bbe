//! What the proxy is told of templates, and what whoever asked is.

use std::collections::BTreeMap;
use std::time::Duration;

use skep_domain::{AgentId, RecordName};
use skep_vault::template::{self, Form};
use skep_wire::{Others, Terms};

use super::LeasedSecret;
use crate::AppError;
use crate::error::Invalid;
use crate::templates::Usable;

/// Whose the secrets are, by what the proxy calls them.
pub(super) type Secrets = BTreeMap<String, (template::Owner, RecordName)>;

/// Terms, and what is said of them.
pub(super) struct Drawn {
    pub(super) terms: Terms,
    pub(super) secrets: Secrets,
    pub(super) placeholders: Vec<LeasedSecret>,
    /// Name and origin of each.
    pub(super) bases: Vec<(String, String)>,
    pub(super) hosts: Vec<String>,
}

/// Puts templates together. They must not mean two secrets by one placeholder, nor two origins by one base.
pub(super) fn draw(templates: &[Usable], agent: Option<AgentId>) -> Result<Drawn, AppError> {
    let (mut rules, mut bases, mut tunnelled) = (Vec::new(), Vec::new(), Vec::new());
    let mut named: Vec<&template::Base> = Vec::new();
    let mut secrets = Secrets::new();
    let mut placeholders: BTreeMap<String, LeasedSecret> = BTreeMap::new();
    let mut hosts: Vec<String> = Vec::new();
    for usable in templates {
        let template = &usable.template;
        let (all, unread): (&[template::Base], &[String]) = match &template.draft().form {
            Form::Requests(requests) => (&requests.bases, &requests.hosts),
            Form::Program(program) => (&[], &program.hosts),
        };
        let of = template.name().as_str();
        let parts = usable.wire()?;
        for (asked, made) in template.rules().iter().zip(&parts.rules) {
            let called = called(asked, &mut secrets, agent)?;
            let known = placeholders.entry(called).or_insert_with(|| LeasedSecret {
                placeholder: made.placeholder().to_owned(),
                secret: asked.secret.clone(),
                owner: asked.owner,
                rules: Vec::new(),
            });
            known.rules.push((of.to_owned(), asked.clone()));
        }
        for (asked, made) in all.iter().zip(parts.bases) {
            match named.iter().find(|known| known.name == asked.name) {
                None => bases.push(made),
                Some(known) if *known == asked => continue,
                Some(_) => {
                    let name = &asked.name;
                    let message = format!(
                        "two of the templates mean another origin by {name}: name one of them"
                    );
                    return Err(Invalid::unknown("templates", &message));
                }
            }
            named.push(asked);
        }
        hosts.extend(unread.iter().cloned());
        rules.extend(parts.rules);
        if let Others::Tunnel(hosts) = parts.others {
            tunnelled.extend(hosts);
        }
    }
    let others = if tunnelled.is_empty() {
        Others::Refuse
    } else {
        Others::Tunnel(tunnelled)
    };
    let terms = Terms::new("", rules, Duration::ZERO).others(others);
    Ok(Drawn {
        terms: bases.into_iter().fold(terms, Terms::base),
        secrets,
        placeholders: placeholders.into_values().collect(),
        bases: named
            .into_iter()
            .map(|base| (base.name.clone(), base.origin.clone()))
            .collect(),
        hosts,
    })
}

/// What the proxy calls the secret of a rule.
fn called(
    rule: &template::Rule,
    secrets: &mut Secrets,
    agent: Option<AgentId>,
) -> Result<String, AppError> {
    let name = &rule.secret;
    if rule.owner == template::Owner::Agent && agent.is_none() {
        let message = format!("{name} is each agent's own, and you are none");
        return Err(Invalid::unknown("templates", &message));
    }
    let record = rule
        .record()
        .map_err(|error| Invalid::unknown("templates", &error.to_string()))?;
    let called = rule.wire_name();
    let (owner, _) = secrets
        .entry(called.clone())
        .or_insert((rule.owner, record));
    if *owner == rule.owner {
        return Ok(called);
    }
    let message = format!("two of the templates mean another secret by {name}: name one of them");
    Err(Invalid::unknown("templates", &message))
}
