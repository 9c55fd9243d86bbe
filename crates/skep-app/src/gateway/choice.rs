//! Which provider a model is asked of, and who is asked in its place.

use std::sync::Arc;

use skep_llm::relay::{Ask, Format};

use super::fault::GatewayFault;
use super::known::Provider;
use super::provider::Kind;

/// A provider and the name that the model has there.
#[derive(Clone)]
pub(super) struct Choice {
    pub(super) provider: Arc<Provider>,
    pub(super) model: String,
    /// What it speaks: as it was asked, or the other dialect's form of it.
    pub(super) speaks: Format,
}

/// Who is asked, in this order. `name/model` names the provider; otherwise it is the first, by name, that lists the
/// model, those of the caller's dialect before others, and if none does, the only one of that dialect that lists none.
pub(super) fn choose(all: &[Arc<Provider>], ask: &Ask) -> Result<Vec<Choice>, GatewayFault> {
    let speaks = |provider: &Arc<Provider>| speaks(provider.view.kind, ask.format);
    let own = |provider: &&Arc<Provider>| speaks(provider) == Some(ask.format);
    let named = ask.model.split_once('/').and_then(|(name, model)| {
        let found = all.iter().find(|provider| provider.view.name == name);
        Some((found?, model))
    });
    let nobody = || GatewayFault::NoModel(ask.model.clone());
    let (first, model) = match named {
        Some((provider, model)) if allows(provider, model) => (provider, model),
        Some(_) => return Err(GatewayFault::NotAllowed(ask.model.clone())),
        None => {
            let is_real = |provider: &&Arc<Provider>| !provider.is_mock();
            let lists = |provider: &&Arc<Provider>| {
                !provider.view.models.is_empty() && allows(provider, &ask.model)
            };
            let listed = all.iter().filter(own).find(lists);
            let other = || all.iter().filter(|one| speaks(one).is_some()).find(lists);
            let found = listed.or_else(other);
            let found = found.or_else(|| only(all.iter().filter(own).filter(is_real)));
            (found.ok_or_else(nobody)?, ask.model.as_str())
        }
    };
    let spoken = speaks(first).ok_or_else(nobody)?;
    let choice = |provider: &Arc<Provider>| Choice {
        provider: Arc::clone(provider),
        model: model.to_owned(),
        speaks: spoken,
    };
    let mut chain = vec![choice(first)];
    for name in &first.view.fallback {
        let other = all.iter().find(|provider| &provider.view.name == name);
        let same = other.filter(|other| speaks(other) == Some(spoken));
        chain.extend(same.filter(|other| allows(other, model)).map(choice));
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

/// What a provider is told for such a request: itself, or its equal in the dialect that the provider speaks.
fn speaks(kind: Kind, asked: Format) -> Option<Format> {
    let openai = matches!(kind, Kind::Openai | Kind::Compatible);
    match asked {
        _ if kind == Kind::Mock => Some(asked),
        Format::Chat | Format::Messages if openai => Some(Format::Chat),
        Format::Chat | Format::Messages => Some(Format::Messages),
        Format::Responses | Format::Embeddings => openai.then_some(asked),
        Format::CountTokens => (!openai).then_some(asked),
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
