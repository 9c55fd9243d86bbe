//! Which provider a model is asked of, and who is asked in its place.

use std::sync::Arc;

use skep_llm::Dialect;
use skep_llm::relay::Ask;

use super::fault::GatewayFault;
use super::known::Provider;
use super::provider::Kind;

/// A provider and the name that the model has there.
#[derive(Clone)]
pub(super) struct Choice {
    pub(super) provider: Arc<Provider>,
    pub(super) model: String,
}

/// Who is asked, in this order. `name/model` names the provider; otherwise it is the first, by name, that lists the
/// model, and if none does, the only one that lists none.
pub(super) fn choose(all: &[Arc<Provider>], ask: &Ask) -> Result<Vec<Choice>, GatewayFault> {
    let dialect = ask.format.dialect();
    let speaks = |provider: &&Arc<Provider>| speaks(provider.view.kind, dialect);
    let named = ask.model.split_once('/').and_then(|(name, model)| {
        let found = all.iter().find(|provider| provider.view.name == name);
        Some((found?, model))
    });
    let (first, model) = match named {
        Some((provider, _)) if !speaks(&provider) => {
            return Err(GatewayFault::NoModel(ask.model.clone()));
        }
        Some((provider, model)) if allows(provider, model) => (provider, model),
        Some(_) => return Err(GatewayFault::NotAllowed(ask.model.clone())),
        None => {
            let is_real = |provider: &&Arc<Provider>| !provider.is_mock();
            let lists = |provider: &&Arc<Provider>| {
                !provider.view.models.is_empty() && allows(provider, &ask.model)
            };
            let listed = all.iter().filter(speaks).find(lists);
            let found = listed.or_else(|| only(all.iter().filter(speaks).filter(is_real)));
            let model = ask.model.as_str();
            (
                found.ok_or_else(|| GatewayFault::NoModel(ask.model.clone()))?,
                model,
            )
        }
    };
    let mut chain = vec![Choice {
        provider: Arc::clone(first),
        model: model.to_owned(),
    }];
    for name in &first.view.fallback {
        let other = all.iter().find(|provider| &provider.view.name == name);
        if let Some(other) = other.filter(speaks).filter(|other| allows(other, model)) {
            chain.push(Choice {
                provider: Arc::clone(other),
                model: model.to_owned(),
            });
        }
    }
    Ok(chain)
}

/// The only one that serves whatever it is asked for. The mock is no model and stands in for none.
fn only<'a>(mut all: impl Iterator<Item = &'a Arc<Provider>>) -> Option<&'a Arc<Provider>> {
    let open = all
        .by_ref()
        .find(|provider| provider.view.models.is_empty())?;
    all.all(|other| !other.view.models.is_empty())
        .then_some(open)
}

fn speaks(kind: Kind, dialect: Dialect) -> bool {
    match kind {
        Kind::Mock => true,
        Kind::Openai | Kind::Compatible => dialect == Dialect::OpenAi,
        Kind::Anthropic => dialect == Dialect::Anthropic,
    }
}

fn allows(provider: &Provider, model: &str) -> bool {
    let models = &provider.view.models;
    let fits = |allowed: &String| match allowed.strip_suffix('*') {
        Some(stem) => model.starts_with(stem),
        None => model == allowed,
    };
    !model.is_empty() && (models.is_empty() || models.iter().any(fits))
}

/// What callers may name, with who has it: those that are listed in full.
pub(super) fn models(all: &[Arc<Provider>]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for provider in all {
        let name = &provider.view.name;
        if provider.is_mock() && provider.view.models.is_empty() {
            found.push((format!("{name}/echo"), name.clone()));
        }
        let listed = provider
            .view
            .models
            .iter()
            .filter(|model| !model.ends_with('*'));
        found.extend(listed.map(|model| (format!("{name}/{model}"), name.clone())));
    }
    found
}
