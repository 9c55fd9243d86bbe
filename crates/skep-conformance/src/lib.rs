//! One storage suite for every backend: a generic function per property, over [`skep_store::Store`].
//!
//! A backend's tests implement [`Harness`] and say `skep_conformance::suite!(ItsHarness)`: every
//! property becomes a test of its own. Each works in a fresh store with **two workspaces of two
//! organizations that use the same names**, so that what leaks from one shows in the other.
//!
//! To add a property: an async function in the module it belongs to, and its name in `properties!`
//! below; one that is missing there is dead code, and the compiler says so.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a suite reports by panicking, as tests do"
)]

mod access;
mod answer;
mod as_of;
mod capture;
mod control;
pub mod crash;
mod directive;
mod door;
mod exec;
mod files;
mod harness;
mod idempotence;
mod injection;
mod isolation;
mod jobs;
mod ledger;
mod meter;
mod model;
mod moving;
mod ontology;
mod organization;
mod paging;
mod people;
mod people_life;
mod people_model;
mod reopen;
mod ring;
mod ring_model;
mod sample;
mod sequence;
mod sinks;
mod skill;
mod source;
mod template;
mod time;
mod tombstones;
mod transaction;
mod trust;
mod upkeep;
mod world;

pub use harness::Harness;
pub use moving::{across, backups_while_others_write};
pub use organization::keeper;
pub use sample::{new_memory, new_session, new_turn};
pub use tombstones::{enter, erase_entry};
pub use world::{Persona, Tenant, World};

macro_rules! properties {
    ($d:tt $($module:ident: $($name:ident)*;)*) => {
        $($(
            #[doc = concat!("See `", stringify!($module), "`.")]
            pub async fn $name<H: Harness>() {
                $module::$name::<H>().await;
            }
        )*)*

        /// Every property as a test of its own, on the harness given.
        #[macro_export]
        macro_rules! suite {
            ($d harness:ty) => {
                $($(
                    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                    async fn $name() {
                        $d crate::$name::<$d harness>().await;
                    }
                )*)*
            };
        }
    };
}

properties! { $
    answer:
        f03_a_key_stands_for_one_call
        f03_a_call_that_came_to_nothing_can_be_made_again
        t01_an_answer_that_is_not_to_be_given_makes_room_for_one_call
        t01_an_answer_is_of_who_asked
        answers_have_an_end;
    access:
        t01_another_organizations_agents_and_keys_do_not_exist
        t20_names_of_agents_that_look_alike_are_one
        a19_of_fifty_takers_as_many_get_a_ticket_as_it_has_uses
        a15_a_ticket_is_there_for_its_own_secret_kind_and_time
        l01_each_organization_has_a_record_of_its_own_without_gaps;
    ledger:
        l01_every_entry_is_a_leaf_of_its_own_log
        l04_what_was_shown_is_found_by_it
        l01_proofs_lead_to_the_signed_root
        l02_a_thousand_entries_have_a_checkpoint_at_once
        l06_an_event_is_recorded_once;
    tombstones:
        l07_proofs_outlive_the_lines_of_entries
        l07_of_an_erased_entry_only_its_place_time_and_act_stay
        l07_all_that_is_asked_for_is_erased_or_nothing
        l07_a_second_time_is_no_mistake_and_what_is_given_up_is_there
        l07_what_is_erased_was_signed_for;
    door:
        a19_an_address_finds_its_owner_and_nobody_near
        a19_a_changed_address_is_the_only_one;
    meter:
        a_budget_is_one_of_its_scope_period_and_kind
        l08_counts_of_budgets_add_up_in_their_windows
        rate_cards_have_versions_and_the_last_one_counts
        l06_what_is_set_aside_is_taken_once
        sums_of_days_add_up;
    sinks:
        a_sink_is_due_while_it_has_not_been_given_everything
        a_sink_of_nobodys_is_given_every_log
        of_many_logs_each_has_its_turn
        t01_a_sink_is_its_organizations;
    directive:
        directives_have_versions_and_the_one_named_last_counts;
    isolation:
        t01_foreign_ids_reach_nothing
        t01_another_tenants_key_opens_nothing
        t09_the_same_names_are_disjoint;
    ring:
        t10_every_way_in_follows_the_ring
        t10_a_count_follows_the_ring;
    ring_model:
        t10_a_million_random_decisions_agree_with_the_model;
    sequence:
        every_writing_commit_adds_one
        what_changes_nothing_adds_nothing;
    idempotence:
        a_turn_is_appended_once
        ordinals_have_no_gap
        a_session_is_found_again_and_widened
        a_project_is_found_again
        the_last_cursor_counts
        the_same_statement_is_one_memory
        a_forgotten_statement_can_be_kept_again;
    injection:
        what_was_injected_reads_back_exactly
        a_model_has_what_was_injected_since_its_context_was_emptied
        t10_a_shared_session_does_not_open_a_closed_memory
        t01_injections_of_another_workspace_do_not_exist;
    model:
        m08_a_days_cap_holds_for_each_workspace_and_what_was_killed_stays_spent
        m08_reservations_at_once_do_not_pass_the_cap
        t01_what_was_refused_is_counted_by_day_and_workspace
        a_model_goes_on_where_one_stopped;
    moving:
        f10_an_archive_puts_back_every_row
        f10_a_damaged_archive_writes_nothing
        t19_a_workspace_comes_back_and_no_other_changes
        t18_what_was_erased_since_stays_erased
        f10_a_restore_that_stopped_half_way_can_be_run_again
        f10_a_backup_while_others_write_is_of_one_moment;
    ontology:
        t01_a_proposal_stays_in_its_workspace
        a_proposal_is_decided_once;
    exec:
        a_run_takes_each_step_once
        t01_a_run_is_seen_by_who_asked_and_by_who_approves
        a_run_that_waits_is_over_when_it_is_cancelled
        runs_are_kept_for_so_long;
    skill:
        t01_a_skill_stays_in_its_workspace
        a_skill_is_read_as_it_was_proposed
        only_what_was_approved_last_is_handed_out
        so_many_skills_wait_and_no_more;
    template:
        x03_a_template_stays_in_its_workspace
        a_template_is_read_as_it_was_drafted
        x03_what_was_approved_last_is_used
        so_many_templates_wait_and_no_more
        x03_a_grant_is_for_its_agent_its_template_and_its_time
        x03_grants_go_with_what_is_withdrawn
        what_waits_is_asked_for_once;
    paging:
        memories_page_without_gap_or_double_while_more_arrive
        sessions_page_without_gap_or_double_while_more_arrive
        turns_page_by_ordinal
        changes_page_without_gap_while_rows_move;
    as_of:
        as_of_reads_both_times;
    people:
        t01_foreign_participants_reach_nothing
        t12_those_who_share_no_session_do_not_reach_each_other
        t12_a_withdrawn_consent_hides_what_was_derived_on_every_way_in
        t12_a_consent_hides_no_memory_that_does_not_rest_on_it
        t20_names_that_look_alike_are_one;
    people_life:
        t12_members_see_the_turns_of_their_stay
        t18_a_deleted_participant_leaves_an_id_and_no_words
        a_merge_is_undone_without_loss_and_carries_no_consent;
    people_model:
        t12_windows_and_consent_agree_with_a_naive_model;
    transaction:
        uncommitted_rows_are_invisible
        t05_a_dropped_transaction_leaves_nothing
        t05_a_call_given_up_half_way_leaves_nothing
        an_error_ends_the_transaction
        readers_go_on_during_a_long_write
        a_reader_keeps_its_view
        writers_take_turns;
    files:
        t10_a_file_is_found_where_it_stands_by_who_may_see_it;
    time:
        a_topic_is_shared_within_a_project_and_a_ring
        m04_only_a_word_as_strong_takes_a_place
        t10_nobody_replaces_what_they_may_not_read_or_do_not_own
        what_is_replaced_stays_in_the_past
        t10_a_conflict_shows_to_who_reads_both
        m04_a_session_is_taken_back_with_what_came_of_it
        what_was_replaced_again_stays_replaced
        t18_erasure_leaves_a_tombstone
        t18_an_edited_memory_is_erased_in_every_version
        t10_an_import_is_taken_back_by_who_may_see_it;
    trust:
        m04_an_outside_source_yields_no_procedure
        m04_derived_trust_is_the_least_of_the_lineage
        only_a_human_raises_trust
        m02_quarantined_memories_are_on_no_way_in
        m02_a_human_releases_what_is_held_back
        a_memory_is_accepted_only_if_nothing_says_the_same
        t10_a_history_follows_the_ring;
    upkeep:
        distilling_goes_on_where_it_stopped
        ended_sessions_are_distilled_first
        a_vector_is_a_change
        t01_a_walk_meets_every_row_of_its_own_workspace_once
        another_model_asks_for_its_own_vectors
        counts_count;
    capture:
        what_was_received_is_the_sum_of_its_outcomes
        t01_a_pause_holds_for_its_holder_its_session_and_its_time
        t01_a_directory_is_bound_for_whoever_bound_it;
    source:
        a_document_consists_of_its_pieces
        m04_a_purge_takes_what_was_derived_as_well
        m04_a_preview_counts_what_a_removal_takes
        t01_what_a_server_said_of_a_page_stays_with_its_source
        t01_a_source_is_its_workspaces_own;
    control:
        a_workspace_is_made_once
        t09_a_credential_opens_one_workspace
        an_install_token_is_replaced
        a_snapshot_belongs_to_its_workspace
        a_wrong_root_key_changes_nothing
        x09_another_root_key_opens_everything_and_the_old_one_nothing;
    organization:
        x09_what_an_organization_closes_is_closed_within_a_minute
        x09_a_keeper_that_does_not_answer_is_waited_for_no_longer_than_a_minute
        x09_the_root_key_alone_opens_nothing_of_such_an_organization
        x09_a_key_that_is_withdrawn_here_is_closed_at_once_and_for_good
        x09_whoever_reads_while_such_a_key_changes_does_not_notice
        x09_a_node_that_had_not_heard_of_such_a_key_leaves_nothing_outside;
    jobs:
        t06_a_queue_of_one_organization_does_not_hold_up_another
        t06_a_long_job_lets_others_have_their_turn
        a_job_is_had_by_one_at_a_time
        a_lease_that_ran_out_is_taken_over
        a_job_that_failed_waits_and_says_why
        t18_a_deleted_workspace_is_nowhere_at_once
        t18_an_erasure_goes_on_after_a_kill_at_every_step
        t18_only_the_holder_of_the_job_erases_and_only_what_was_deleted;
    reopen:
        everything_is_there_after_reopening
        many_workspaces_open_in_turn;
}
