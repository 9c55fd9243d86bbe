//! What a template says to the proxy and to the sandbox, in their own words: the one place where both are
//! asked, when it is drafted and when it is used.

use std::time::Duration;

use skep_exec::{Demand, Layer};
use skep_vault::template::{self, Form, Program, Template};
use skep_wire::{Base, Body, Hosts, Others, Rule, Terms, WireError};

/// A field and why it is refused.
type Fault = (String, String);

/// What a lease is made of.
#[derive(Clone, Debug)]
pub struct WireParts {
    /// Which secret may go where.
    pub rules: Vec<Rule>,
    /// URLs that stand for an origin.
    pub bases: Vec<Base>,
    /// What becomes of requests to other hosts.
    pub others: Others,
}

impl WireParts {
    /// Of a template, whatever its form; a program that may go nowhere has none of it.
    ///
    /// # Errors
    /// The first field that the proxy does not take.
    pub(super) fn of(template: &Template) -> Result<Self, Fault> {
        let (tunnelled, bases): (&[String], &[template::Base]) = match &template.draft().form {
            Form::Program(program) => (&program.hosts, &[]),
            Form::Requests(requests) => (&requests.hosts, &requests.bases),
        };
        let rules = template.rules().iter().enumerate();
        let rules = rules.map(|(at, one)| rule(one).map_err(fault(format!("rules[{at}]"))));
        let bases = bases.iter().enumerate();
        let bases = bases.map(|(at, one)| base(one).map_err(fault(format!("bases[{at}]"))));
        let hosts = tunnelled.iter().enumerate();
        let hosts = hosts.map(|(at, one)| Hosts::parse(one).map_err(fault(format!("hosts[{at}]"))));
        let hosts = hosts.collect::<Result<Vec<_>, _>>()?;
        let parts = Self {
            rules: rules.collect::<Result<_, _>>()?,
            bases: bases.collect::<Result<_, _>>()?,
            others: if hosts.is_empty() {
                Others::Refuse
            } else {
                Others::Tunnel(hosts)
            },
        };
        parts
            .terms("a draft", Duration::from_secs(1))
            .check()
            .map_err(fault("bases".into()))?;
        Ok(parts)
    }

    /// A lease of all that, for so long.
    #[must_use]
    pub fn terms(&self, name: &str, lasts: Duration) -> Terms {
        let terms = Terms::new(name, self.rules.clone(), lasts).others(self.others.clone());
        let bases = self.bases.iter().cloned();
        bases.fold(terms, Terms::base)
    }
}

/// Without which layers of the sandbox a program does not start: the usual ones and a network of its own,
/// but for those that the template says it may run without.
pub(super) fn demand(program: &Program) -> Demand {
    let without = program
        .without
        .iter()
        .filter_map(|name| Layer::from_name(name));
    without.fold(usual(), Demand::without)
}

/// Layers that there are, and that are demanded at all.
pub(super) fn check_layers(program: &Program) -> Result<(), Fault> {
    for (at, name) in program.without.iter().enumerate() {
        let field = format!("without[{at}]");
        let layer = Layer::from_name(name).filter(|layer| usual().has(*layer));
        let Some(layer) = layer else {
            let known: Vec<&str> = usual().layers().map(Layer::name).collect();
            return Err((field, format!("is none of {}", known.join(", "))));
        };
        let sends = !program.hosts.is_empty() || !program.rules.is_empty();
        if layer == Layer::Network && sends {
            let why = "names the network, which holds a program to the hosts that it may send to";
            return Err((field, why.into()));
        }
    }
    Ok(())
}

/// What is demanded of a program whose template says nothing.
fn usual() -> Demand {
    Demand::usual().and(Layer::Network)
}

fn rule(rule: &template::Rule) -> Result<Rule, WireError> {
    let made = Rule::new(&rule.wire_name(), &texts(&rule.hosts))?
        .headers(&texts(&rule.headers))?
        .methods(&texts(&rule.methods))?
        .paths(&texts(&rule.paths))?;
    Ok(made.body(match rule.body {
        template::Body::Refuse => Body::Refuse,
        template::Body::Leave => Body::Leave,
        template::Body::Replace => Body::Replace,
    }))
}

fn base(base: &template::Base) -> Result<Base, WireError> {
    if !base.value.contains("__skep_") {
        let why = "its value holds no placeholder such as __skep_name__";
        return Err(WireError::Terms(why.into()));
    }
    Base::new(&base.name, &base.origin, &base.header, &base.value)
}

fn texts(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

fn fault(field: String) -> impl FnOnce(WireError) -> Fault {
    move |error| (field, error.to_string())
}

#[cfg(test)]
mod tests;
