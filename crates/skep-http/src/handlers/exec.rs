//! Runs of approved programs: asked for, listed, waited for, cancelled.

use axum::response::Response;
use base64ct::{Base64, Encoding as _};
use skep_api::Instant;
use skep_api::exec::{
    Exec, ExecExit, ExecHealth, ExecOutput, ExecQuery, ExecRedacted, ExecRequest, ExecSandbox,
    ExecStream, ExecUncovered, LayerMissing,
};
use skep_api::page::{Page, PageQuery};
use skep_app::{
    AskExec, ExecJob, ExecOutcome, ExecState, Piece, REDACTION_GRADE, REDACTION_UNCOVERED, show,
};
use skep_authz::{Authorized, rights};
use skep_domain::{ExecId, Id, Limits};

use super::explain::name as principal;
use super::page;
use crate::call::{Call, accepted, ok};
use crate::error::ApiError;

const RUNS: &str = "exec";

pub(crate) async fn ask(
    authorized: Authorized<rights::SecretUse>,
    call: Call,
) -> Result<Response, ApiError> {
    let request: ExecRequest = call.body()?;
    if request.arguments.len() > Limits::EXEC_ARGUMENTS {
        return Err(ApiError::field(
            "arguments",
            "TOO_MANY",
            "More arguments than any template has parameters.",
        ));
    }
    let ask = AskExec {
        template: request.template,
        arguments: request.arguments,
    };
    let label = |id: ExecId| call.text(id);
    let job = call.app().ask_exec(authorized, ask, label).await?;
    accepted(&shown(&call, job, None))
}

pub(crate) async fn get(
    authorized: Authorized<rights::SecretUse>,
    call: Call,
) -> Result<Response, ApiError> {
    let query: ExecQuery = call.query()?;
    let wait = query.wait.unwrap_or(0);
    if wait > Limits::EXEC_WAIT {
        return Err(ApiError::field(
            "wait",
            "INVALID",
            "At most 30 seconds: ask again for what is not over then.",
        ));
    }
    let id: ExecId = call.path_id()?;
    let all = call.caller.authorize().ok();
    let found = call.app().get_exec(authorized, all, id, wait).await?;
    ok(&shown(&call, found.job, found.outcome))
}

pub(crate) async fn list(
    authorized: Authorized<rights::SecretUse>,
    call: Call,
) -> Result<Response, ApiError> {
    let query: PageQuery = call.query()?;
    let wanted = page::wanted(&call, &query, RUNS)?;
    let all = call.caller.authorize().ok();
    let found = call.app().list_execs(authorized, all, wanted).await?;
    let next = found
        .next
        .map(|last| page::seal(&call, &last.to_bytes(), RUNS));
    let items = found.items.into_iter();
    ok(&Page {
        items: items.map(|job| shown(&call, job, None)).collect(),
        next,
    })
}

pub(crate) async fn cancel(
    authorized: Authorized<rights::SecretUse>,
    call: Call,
) -> Result<Response, ApiError> {
    let id: ExecId = call.path_id()?;
    let all = call.caller.authorize().ok();
    let job = call.app().cancel_exec(authorized, all, id).await?;
    ok(&shown(&call, job, None))
}

/// How programs are run here, for whoever looks after the daemon.
pub(crate) fn health(state: ExecState) -> ExecHealth {
    ExecHealth {
        workers: state.workers as u64,
        queue: state.queue as u64,
        waiting: state.waiting as u64,
        running: state.running as u64,
        missing: state.missing.map(layers),
        problem: state.problem,
    }
}

fn layers(missing: Vec<(String, String)>) -> Vec<LayerMissing> {
    let missing = missing.into_iter();
    missing
        .map(|(layer, reason)| LayerMissing { layer, reason })
        .collect()
}

fn shown(call: &Call, job: ExecJob, outcome: Option<ExecOutcome>) -> Exec {
    show(job.asker, Piece::Run(job.id));
    let digest = job.digest.iter().map(|byte| format!("{byte:02x}"));
    let mut exec = Exec {
        id: call.text(job.id),
        state: job.state.as_str().into(),
        template: job.name,
        template_id: call.text(job.template),
        digest: format!("sha256:{}", digest.collect::<String>()),
        arguments: job.arguments.into_iter().collect(),
        asker: principal(call, job.asker),
        asked_at: Instant(job.created_at),
        started_at: job.started_at.map(Instant),
        ended_at: job.ended_at.map(Instant),
        cancelling: job.is_cancelled && !job.state.is_final(),
        exit: None,
        reason: None,
        output: None,
        sandbox: None,
    };
    let Some(outcome) = outcome else {
        return exec;
    };
    let exit = outcome.exit;
    exec.exit = exit.map(|(how, number)| ExecExit { how, number });
    exec.reason = outcome.reason;
    if exec.exit.is_some() {
        exec.output = Some(ExecOutput {
            stdout: stream(outcome.stdout),
            stderr: stream(outcome.stderr),
            cut: outcome.is_cut,
            redaction: REDACTION_GRADE.into(),
            redacted: outcome
                .redacted
                .into_iter()
                .map(|(secret, places)| ExecRedacted { secret, places })
                .collect(),
            uncovered: REDACTION_UNCOVERED
                .iter()
                .map(|way| ExecUncovered {
                    name: way.name.into(),
                    what: way.what.into(),
                })
                .collect(),
        });
    }
    // Also where no program ran, since that may be why.
    if exec.exit.is_some() || !outcome.missing.is_empty() {
        exec.sandbox = Some(ExecSandbox {
            applied: outcome.applied,
            missing: layers(outcome.missing),
        });
    }
    exec
}

fn stream(bytes: Vec<u8>) -> ExecStream {
    match String::from_utf8(bytes) {
        Ok(text) => ExecStream {
            text: Some(text),
            base64: None,
        },
        Err(error) => ExecStream {
            text: None,
            base64: Some(Base64::encode_string(error.as_bytes())),
        },
    }
}
