//! One row in every table, for each of two workspaces.

use std::collections::BTreeMap;

use crate::place::{Place, Session};

/// Whose rows are looked for, and whose must not be found.
pub(crate) const OURS: &str = "11111111-1111-1111-1111-111111111111";
pub(crate) const THEIRS: &str = "22222222-2222-2222-2222-222222222222";

/// A database with rows in it, and what is in which table.
pub(crate) struct Filled {
    pub(crate) place: Place,
    /// By table, the statement that puts a row in; `{workspace}` stands for the id.
    pub(crate) tenants: BTreeMap<String, String>,
    pub(crate) installation: BTreeMap<String, String>,
}

impl Filled {
    pub(crate) async fn new() -> Self {
        let place = Place::new().await;
        let (tenants, installation) = place.tables();
        assert!(tenants.len() > 30 && installation.len() > 10);
        let inserts = |tables: Vec<String>| {
            let inserts = tables.into_iter().map(|table| {
                let insert = insert(&place, &table);
                (table, insert)
            });
            inserts.collect::<BTreeMap<_, _>>()
        };
        let (tenants, installation) = (inserts(tenants), inserts(installation));
        let all = tenants.values().chain(installation.values());
        let rows = all.flat_map(|insert| {
            let ids: &[&str] = if insert.contains("{workspace}") {
                &[OURS, THEIRS]
            } else {
                &[OURS]
            };
            ids.iter().map(|id| insert.replace("{workspace}", id))
        });
        let rows: Vec<String> = rows.collect();
        let script = format!(
            "SET search_path = skep; SET session_replication_role = replica; {}",
            rows.join("; ")
        );
        place.database.run(&script);
        Self {
            place,
            tenants,
            installation,
        }
    }

    /// A node's connection.
    pub(crate) async fn node(&self) -> Session {
        self.place.session("skep_app").await
    }
}

/// With something of the right type in each column.
pub(crate) fn insert(place: &Place, table: &str) -> String {
    place.database.query(&format!(
        "SELECT 'INSERT INTO {table} (' || string_agg(quote_ident(attname), ', ') || ') VALUES ('
             || string_agg(CASE
                 WHEN attname = 'workspace_id' THEN '''{{workspace}}'''
                 WHEN atttypid = 'uuid'::regtype THEN '''{OURS}'''
                 WHEN atttypid = 'bytea'::regtype THEN '''a'''
                 WHEN atttypid = 'text'::regtype THEN '''a'''
                 WHEN atttypid = 'boolean'::regtype THEN 'false'
                 ELSE '1' END, ', ') || ')'
         FROM pg_attribute WHERE attrelid = 'skep.{table}'::regclass AND attnum > 0"
    ))
}
