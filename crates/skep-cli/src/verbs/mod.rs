//! The verbs: each a few calls of the client and what a person or a program sees of them.

mod access;
mod audit;
mod backup;
mod budgets;
mod capture;
mod capture_control;
mod completions;
mod conflicts;
mod consent;
mod directive;
mod doctor;
mod entity;
mod erase;
mod exec;
mod explain;
mod export;
mod forget;
mod grants;
mod humans;
mod import;
mod inject;
mod injected;
mod jobs;
mod keys;
mod lifecycle;
mod limits;
mod login;
mod mcp;
mod memory_view;
mod participant;
mod posture;
mod provider;
mod recall;
mod reconcile;
mod remember;
mod resolve;
mod review;
mod rewind;
mod run;
mod secret_import;
mod sessions;
mod setup;
mod sinks;
mod skill;
mod source;
mod sso;
mod status;
mod template;
mod tree;
mod vault;
mod versions;

use std::process::ExitCode;

use crate::args::{Verb, Verify};
use crate::context::Context;
use crate::failure::Failure;

/// Runs one verb.
#[expect(clippy::too_many_lines, reason = "one arm for each verb")]
pub(crate) async fn perform(verb: Verb, context: &Context<'_>) -> Result<ExitCode, Failure> {
    match verb {
        Verb::Setup(arguments) => setup::run(context, arguments).await,
        Verb::Status { posture } => status::run(context, posture).await,
        Verb::Limits { what } => limits::run(context, what).await,
        Verb::Doctor => doctor::run(context).await,
        Verb::Start => lifecycle::start(context).await,
        Verb::Stop => lifecycle::stop(context).await,
        Verb::Restart => lifecycle::restart(context).await,
        Verb::Logs { lines } => lifecycle::logs(context, lines),
        Verb::Backup(arguments) => backup::run(context, &arguments).await,
        Verb::Restore { arguments } => backup::hand_over(context, "restore", &arguments),
        Verb::MigrateDb { arguments } => backup::hand_over(context, "migrate-db", &arguments),
        Verb::Remember(arguments) => remember::run(context, arguments).await,
        Verb::Recall(arguments) => recall::run(context, arguments).await,
        Verb::Forget { id, reason } => forget::run(context, &id, reason).await,
        Verb::Skill(verb) => skill::run(context, verb).await,
        Verb::Secret(verb) => vault::secret(context, verb).await,
        Verb::Exec(arguments) => exec::run(context, arguments).await,
        Verb::Setting(verb) => vault::setting(context, verb).await,
        Verb::Directive(verb) => directive::run(context, verb).await,
        Verb::Provider(verb) => provider::run(context, verb).await,
        Verb::Template(verb) => template::run(context, verb).await,
        Verb::Access(verb) => grants::run(context, verb).await,
        Verb::Run(arguments) => run::run(context, arguments).await,
        Verb::Verify(Verify::Secrets(wanted)) => crate::verify::secrets(context, wanted).await,
        Verb::Entity(verb) => entity::run(context, verb).await,
        Verb::Ontology(verb) => entity::ontology(context, verb).await,
        Verb::Erase { id, yes } => erase::run(context, &id, yes).await,
        Verb::Edit(arguments) => versions::edit(context, arguments).await,
        Verb::History { id } => versions::history(context, &id).await,
        Verb::Memories(arguments) => versions::list(context, arguments).await,
        Verb::Ls(arguments) => tree::ls(context, arguments).await,
        Verb::Cat(arguments) => tree::cat(context, arguments).await,
        Verb::Grep(arguments) => tree::grep(context, arguments).await,
        Verb::Find(arguments) => tree::find(context, arguments).await,
        Verb::Conflicts { action } => conflicts::run(context, action).await,
        Verb::Review(arguments) => review::run(context, arguments).await,
        Verb::Rewind {
            what,
            dry_run,
            erase,
            yes,
            reason,
        } => {
            let request = rewind::request(what, (!yes, erase), reason);
            rewind::run(context, &request, dry_run || yes).await
        }
        Verb::Explain(arguments) => explain::run(context, arguments).await,
        Verb::Inject(arguments) => inject::inject(context, arguments).await,
        Verb::Prime(arguments) => inject::prime(context, arguments).await,
        Verb::Context(arguments) => injected::context(context, arguments).await,
        Verb::Why { of } => injected::why(context, &of).await,
        Verb::Login { url, yes } => login::login(context, url.as_deref(), yes).await,
        Verb::Logout { all } => login::logout(context, all).await,
        Verb::Whoami => access::whoami(context).await,
        Verb::Key(verb) => keys::key(context, verb).await,
        Verb::Token(verb) => keys::token(context, verb).await,
        Verb::Agent(verb) => keys::agent(context, verb).await,
        Verb::Member(verb) => humans::member(context, verb).await,
        Verb::Mfa(verb) => humans::mfa(context, verb).await,
        Verb::Org(verb) => access::org(context, verb).await,
        Verb::Workspace(verb) => access::workspace(context, verb).await,
        Verb::Budget(verb) => budgets::budget(context, verb).await,
        Verb::Rates(verb) => budgets::rates(context, verb).await,
        Verb::Usage(asked) => budgets::usage(context, &asked).await,
        Verb::Sink(verb) => sinks::run(context, verb).await,
        Verb::Job(verb) => jobs::run(context, verb).await,
        Verb::Audit(verb) => audit::run(context, verb).await,
        Verb::Participant(verb) => participant::run(context, verb).await,
        Verb::Consent(verb) => consent::run(context, verb).await,
        Verb::Observe(arguments) => consent::observe(context, arguments).await,
        Verb::Sessions(arguments) => sessions::run(context, arguments).await,
        Verb::Resolve { id, tier } => resolve::run(context, id, tier).await,
        Verb::Capture(arguments) => capture::run(context, arguments).await,
        Verb::Hook { words } => {
            crate::hook::run(context, &words).await;
            Ok(ExitCode::SUCCESS)
        }
        Verb::Mcp(arguments) => mcp::run(context, &arguments).await,
        Verb::Pause(arguments) => capture_control::pause(context, arguments).await,
        Verb::Resume(arguments) => capture_control::resume(context, arguments).await,
        Verb::Source(arguments) => source::run(context, arguments).await,
        Verb::Project(arguments) => capture_control::project(context, arguments).await,
        Verb::Import(arguments) => import::run(context, arguments).await,
        Verb::Export(arguments) => export::run(context, arguments).await,
        Verb::Completions { shell } => completions::run(context, shell),
        Verb::HelpMarkdown => help(context),
    }
}

/// Every verb with its help, for the generated page.
fn help(context: &Context<'_>) -> Result<ExitCode, Failure> {
    context.output.bytes(crate::help_markdown().as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
