//! T03: no statement names its workspace any more, and nothing of another shows: the policies see to it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use skep_conformance::Harness;
use skep_store::backend::Backend;
use skep_store_postgres::{Options, PostgresBackend};

use crate::between::{Between, Ear, Fate};
use crate::place::{Place, tls};
use crate::predicate::{predicates, without_all};

/// Takes the words for a workspace out of every statement.
pub(crate) struct Forgetful;

impl Ear for Forgetful {
    fn hears(&self, _: u32, text: &str) -> Fate {
        if predicates(text).is_empty() {
            return Fate::Passes;
        }
        Fate::Becomes(without_all(text))
    }
}

/// Behind the policies alone; or behind nothing, if they are taken away.
pub(crate) struct Bare<const WALLS: bool> {
    place: Place,
    between: Between,
}

impl<const WALLS: bool> Harness for Bare<WALLS> {
    async fn fresh() -> Self {
        let place = Place::new().await;
        let between = Between::new(&place.server(), Arc::new(Forgetful));
        Self { place, between }
    }

    async fn open(&self) -> Arc<dyn Backend> {
        let server = self.between.server(self.place.server());
        let opened = PostgresBackend::open(server, tls(), Options::default()).await;
        if !WALLS {
            // No node starts on such a database: so only after it did.
            for table in self.place.tables().0 {
                let gone = format!("ALTER TABLE skep.{table} DISABLE ROW LEVEL SECURITY");
                self.place.database.run(&gone);
            }
        }
        Arc::new(opened.unwrap())
    }
}

macro_rules! behind_the_policies {
    ($($notices:ident)*; $($does_not:ident)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $notices() {
            skep_conformance::$notices::<Bare<true>>().await;
        })*

        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $does_not() {
            skep_conformance::$does_not::<Bare<true>>().await;
        })*

        /// The control: with the policies gone too, foreign rows are met.
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn t03_without_either_wall_foreign_rows_show() {
            let mut blind = Vec::new();
            $({
                let property = skep_conformance::$notices::<Bare<false>>();
                if AssertUnwindSafe(property).catch_unwind().await.is_ok() {
                    blind.push(stringify!($notices));
                }
            })*
            assert!(blind.is_empty(), "nothing was noticed by {blind:?}");
        }
    };
}

// Those that notice rows of another workspace; then those that look at one workspace by itself.
behind_the_policies! {
    t01_foreign_ids_reach_nothing
    t01_injections_of_another_workspace_do_not_exist
    t01_a_proposal_stays_in_its_workspace
    t01_foreign_participants_reach_nothing
    t01_a_walk_meets_every_row_of_its_own_workspace_once
    t01_a_source_is_its_workspaces_own
    t09_the_same_names_are_disjoint
    a_snapshot_belongs_to_its_workspace;
    t10_every_way_in_follows_the_ring
    t12_those_who_share_no_session_do_not_reach_each_other
    memories_page_without_gap_or_double_while_more_arrive
    changes_page_without_gap_while_rows_move
    writers_take_turns
}
