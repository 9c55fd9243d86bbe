//! A place where somebody listens: which statements a property says, and with which values.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use skep_conformance::Harness;
use skep_store::backend::Backend;
use skep_store_postgres::{Options, PostgresBackend};

use crate::between::{Between, Bound, Ear, Fate};
use crate::place::{Place, tls};
use crate::predicate::predicates;

/// Values of one statement that are kept: the latest.
const KEPT: usize = 6;

/// What was said, of statements on a workspace's rows.
pub(crate) type Said = BTreeMap<String, VecDeque<Vec<Bound>>>;

#[derive(Default)]
struct Ledger(Mutex<Said>);

impl Ear for Ledger {
    fn hears(&self, _: u32, _: &str) -> Fate {
        Fate::Passes
    }

    fn hears_values(&self, text: &str, values: Vec<Bound>) {
        if predicates(text).is_empty() {
            return;
        }
        let mut said = self.0.lock().unwrap();
        let kept = said.entry(text.to_owned()).or_default();
        if !kept.contains(&values) {
            kept.push_back(values);
        }
        if kept.len() > KEPT {
            kept.pop_front();
        }
    }
}

/// Places that outlive the property that was run in them, each with what was said there.
type Places = Arc<Mutex<Vec<(Arc<Place>, Arc<Ledger>)>>>;

tokio::task_local! {
    static PLACES: Places;
}

/// Runs a property; what is left are its places and what it said in each.
pub(crate) async fn overhear(property: impl Future<Output = ()>) -> Vec<(Arc<Place>, Said)> {
    let places = Places::default();
    PLACES.scope(Arc::clone(&places), property).await;
    let places = std::mem::take(&mut *places.lock().unwrap());
    let said = places.into_iter().map(|(place, ledger)| {
        let said = std::mem::take(&mut *ledger.0.lock().unwrap());
        (place, said)
    });
    said.collect()
}

pub(crate) struct Heard {
    place: Arc<Place>,
    between: Between,
}

impl Harness for Heard {
    async fn fresh() -> Self {
        let (place, ledger) = (Arc::new(Place::new().await), Arc::new(Ledger::default()));
        let between = Between::new(&place.server(), Arc::clone(&ledger) as Arc<dyn Ear>);
        PLACES.with(|places| places.lock().unwrap().push((Arc::clone(&place), ledger)));
        Self { place, between }
    }

    async fn open(&self) -> Arc<dyn Backend> {
        let server = self.between.server(self.place.server());
        let opened = PostgresBackend::open(server, tls(), Options::default()).await;
        Arc::new(opened.unwrap())
    }
}
