//! T03: a statement that forgets to name its workspace. The policies stop it, whichever it is; and without
//! the policies the words in the statements hold by themselves.
//!
//! A property of the suite is run while somebody listens. Then every workspace is copied under another id,
//! with the same ids in its rows, and each statement that was heard is said again: as it is, and without
//! each of its predicates in turn; in the workspace it was said in, whose rows are now all there twice, and
//! in one that has none, where all that it finds is somebody else's.

use std::collections::BTreeSet;
use std::pin::Pin;

use skep_store_postgres::statements;

use crate::heard::{Heard, overhear};
use crate::place::Place;
use crate::predicate::{predicates, without_all};
use crate::replay::{Report, replay};

type Property = (&'static str, Pin<Box<dyn Future<Output = ()>>>);

macro_rules! heard {
    ($($property:ident)*) => {
        vec![$((stringify!($property), Box::pin(skep_conformance::$property::<Heard>()) as _)),*]
    };
}

async fn replay_all(properties: Vec<Property>) -> Report {
    let mut report = Report::default();
    for (name, property) in properties {
        for (place, said) in overhear(property).await {
            replay(&place, &said, &mut report).await;
        }
        let (tried, missed) = (report.tried.len(), report.missed.len());
        println!(
            "{name}: {tried} predicates so far, {missed} missed, {} times",
            report.times
        );
    }
    assert!(report.leaks.is_empty(), "{:#?}", report.leaks);
    report
}

/// Every mention of a workspace's table comes with the workspace.
#[tokio::test]
async fn t03_every_mention_of_a_tenants_table_names_the_workspace() {
    let place = Place::new().await;
    let tables: BTreeSet<String> = place.tables().0.into_iter().collect();
    let mut wrong = Vec::new();
    for statement in statements() {
        let words: Vec<&str> = statement
            .text
            .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .filter(|word| !word.is_empty())
            .collect();
        let mentions = words.windows(2).filter(|pair| {
            let reads = ["FROM", "JOIN", "UPDATE"].contains(&pair[0]);
            reads && tables.contains(pair[1])
        });
        if mentions.count() != predicates(statement.text).len() {
            wrong.push(statement);
        }
        assert!(predicates(&without_all(statement.text)).is_empty());
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A few statements of each table.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t03_each_predicate_may_be_forgotten() {
    let report = replay_all(heard! {
        t01_foreign_ids_reach_nothing
        t12_a_withdrawn_consent_hides_what_was_derived_on_every_way_in
        m04_a_session_is_taken_back_with_what_came_of_it
        m04_a_purge_takes_what_was_derived_as_well
    });
    let report = report.await;
    let (tried, missed) = (report.tried.len(), report.missed.len());
    println!("{missed} of {tried}");
    // The control: what has no rows around it is not missed.
    assert!(tried > 200 && missed > 50, "{missed} of {tried}");
}

/// All of them: every statement on a workspace's rows is said, and every predicate of it taken out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes"]
async fn t03_every_predicate_may_be_forgotten() {
    let report = replay_all(all()).await;
    let spots = statements().flat_map(|statement| {
        let count = predicates(statement.text).len();
        (0..count).map(move |number| (statement.text.to_owned(), number))
    });
    let spots: BTreeSet<_> = spots.collect();
    let unsaid: Vec<_> = spots.difference(&report.tried).collect();
    let unmissed: Vec<_> = report.tried.difference(&report.missed).collect();
    println!("unsaid {}: {unsaid:#?}", unsaid.len());
    println!("unmissed {}: {unmissed:#?}", unmissed.len());
    println!(
        "{} predicates, {} said, {} missed, {} times",
        spots.len(),
        report.tried.len(),
        report.missed.len(),
        report.times
    );
}

#[expect(clippy::too_many_lines, reason = "it is a list")]
fn all() -> Vec<Property> {
    heard! {
        t01_another_organizations_agents_and_keys_do_not_exist
        t20_names_of_agents_that_look_alike_are_one
        a19_of_fifty_takers_as_many_get_a_ticket_as_it_has_uses
        a15_a_ticket_is_there_for_its_own_secret_kind_and_time
        l01_each_organization_has_a_record_of_its_own_without_gaps
        a19_an_address_finds_its_owner_and_nobody_near
        a19_a_changed_address_is_the_only_one
        t01_foreign_ids_reach_nothing
        t01_another_tenants_key_opens_nothing
        t09_the_same_names_are_disjoint
        t10_every_way_in_follows_the_ring
        t10_a_count_follows_the_ring
        every_writing_commit_adds_one
        what_changes_nothing_adds_nothing
        a_turn_is_appended_once
        ordinals_have_no_gap
        a_session_is_found_again_and_widened
        a_project_is_found_again
        the_last_cursor_counts
        the_same_statement_is_one_memory
        a_forgotten_statement_can_be_kept_again
        what_was_injected_reads_back_exactly
        a_model_has_what_was_injected_since_its_context_was_emptied
        t10_a_shared_session_does_not_open_a_closed_memory
        t01_injections_of_another_workspace_do_not_exist
        m08_a_days_cap_holds_for_each_workspace_and_what_was_killed_stays_spent
        m08_reservations_at_once_do_not_pass_the_cap
        t01_what_was_refused_is_counted_by_day_and_workspace
        a_model_goes_on_where_one_stopped
        t01_a_proposal_stays_in_its_workspace
        a_proposal_is_decided_once
        memories_page_without_gap_or_double_while_more_arrive
        sessions_page_without_gap_or_double_while_more_arrive
        turns_page_by_ordinal
        changes_page_without_gap_while_rows_move
        as_of_reads_both_times
        t01_foreign_participants_reach_nothing
        t12_those_who_share_no_session_do_not_reach_each_other
        t12_a_withdrawn_consent_hides_what_was_derived_on_every_way_in
        t12_a_consent_hides_no_memory_that_does_not_rest_on_it
        t20_names_that_look_alike_are_one
        t12_members_see_the_turns_of_their_stay
        t18_a_deleted_participant_leaves_an_id_and_no_words
        a_merge_is_undone_without_loss_and_carries_no_consent
        uncommitted_rows_are_invisible
        t05_a_dropped_transaction_leaves_nothing
        t05_a_call_given_up_half_way_leaves_nothing
        an_error_ends_the_transaction
        a_reader_keeps_its_view
        writers_take_turns
        a_topic_is_shared_within_a_project_and_a_ring
        t10_a_file_is_found_where_it_stands_by_who_may_see_it
        m04_only_a_word_as_strong_takes_a_place
        t10_nobody_replaces_what_they_may_not_read_or_do_not_own
        what_is_replaced_stays_in_the_past
        t10_a_conflict_shows_to_who_reads_both
        m04_a_session_is_taken_back_with_what_came_of_it
        what_was_replaced_again_stays_replaced
        t18_erasure_leaves_a_tombstone
        t18_an_edited_memory_is_erased_in_every_version
        t10_an_import_is_taken_back_by_who_may_see_it
        m04_an_outside_source_yields_no_procedure
        m04_derived_trust_is_the_least_of_the_lineage
        only_a_human_raises_trust
        m02_quarantined_memories_are_on_no_way_in
        m02_a_human_releases_what_is_held_back
        a_memory_is_accepted_only_if_nothing_says_the_same
        t10_a_history_follows_the_ring
        distilling_goes_on_where_it_stopped
        ended_sessions_are_distilled_first
        a_vector_is_a_change
        t01_a_walk_meets_every_row_of_its_own_workspace_once
        another_model_asks_for_its_own_vectors
        counts_count
        what_was_received_is_the_sum_of_its_outcomes
        t01_a_pause_holds_for_its_holder_its_session_and_its_time
        t01_a_directory_is_bound_for_whoever_bound_it
        a_document_consists_of_its_pieces
        m04_a_purge_takes_what_was_derived_as_well
        m04_a_preview_counts_what_a_removal_takes
        t01_what_a_server_said_of_a_page_stays_with_its_source
        t01_a_source_is_its_workspaces_own
        a_workspace_is_made_once
        t09_a_credential_opens_one_workspace
        an_install_token_is_replaced
        a_snapshot_belongs_to_its_workspace
        a_wrong_root_key_changes_nothing
        everything_is_there_after_reopening
    }
}
