//! Every statement, prepared against the real schema as a node would.

use skep_store_postgres::statements;

use crate::place::Place;

#[tokio::test]
async fn every_statement_can_be_prepared() {
    let place = Place::new().await;
    let node = place.session("skep_app").await;
    let mut refused = Vec::new();
    for statement in statements() {
        if let Err(error) = node.prepare(statement.text).await {
            let why = error.as_db_error().map(ToString::to_string);
            refused.push((statement.name, why));
        }
    }
    assert!(refused.is_empty(), "{refused:#?}");
}
