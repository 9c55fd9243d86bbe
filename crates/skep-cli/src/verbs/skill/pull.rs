//! `skep skill pull` and `skep skill installed`: what was approved comes onto this machine, and nothing else.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use rustix::fs::{FlockOperation, flock};
use serde::Serialize;
use skep_api::skill::{Skill as Version, SkillFile};
use skep_api::{SkillName, check_skill_path};
use skep_client::{Approval, ApprovalError, ApprovalKey, Client};

use super::{approved, no_skill};
use crate::args::{Places, Pull};
use crate::context::Context;
use crate::failure::Failure;
use crate::layout::{columns, one_line};
use crate::skills::{Found, Keys, Place, Shelf, places, there, what_is};

/// A skill whose files are those that its approval names.
struct Verified {
    name: SkillName,
    files: Vec<SkillFile>,
    envelope: String,
    approval: Approval,
}

/// What became of one skill in one folder.
#[derive(Debug, Serialize)]
struct Done {
    skill: String,
    folder: String,
    version: u32,
    /// `installed`, `updated`, `current`, `removed`, `changed`, `foreign`, `older`.
    outcome: &'static str,
}

impl Done {
    fn new(place: &Place, skill: &str, version: u32, outcome: &'static str) -> Self {
        Self {
            skill: skill.to_owned(),
            folder: place.folder.display().to_string(),
            version,
            outcome,
        }
    }

    /// Whether somebody must see to it.
    fn is_left(&self) -> bool {
        matches!(self.outcome, "changed" | "foreign" | "older")
    }

    fn told(&self) -> &'static str {
        match self.outcome {
            "changed" => "left alone: changed by hand since it was pulled (--force replaces it)",
            "foreign" => "left alone: a folder of that name is not ours (rename or remove it)",
            "older" => {
                "left alone: approved earlier than what is or was here (--force goes back to it)"
            }
            other => other,
        }
    }
}

pub(super) async fn run(context: &Context<'_>, wanted: &Pull) -> Result<ExitCode, Failure> {
    let places = places(&wanted.places, &context.environment)?;
    let _turn = turn(context)?;
    let mut keys = Keys::read(&context.home)?;
    let mut client = context.client().await?;
    let workspace = client.whoami().await?.workspace;
    let listed = approved(&mut client).await?;
    for name in &wanted.skills {
        if !listed.iter().any(|one| &one.name == name) {
            return Err(no_skill(name));
        }
    }
    let is_wanted = |one: &&Version| wanted.skills.is_empty() || wanted.skills.contains(&one.name);
    let mut skills = Vec::new();
    for one in listed.iter().filter(is_wanted) {
        let (skill, key) = fetch(context, &mut client, one, &workspace).await?;
        trust(context, &mut keys, (&workspace, &key), wanted)?;
        skills.push(skill);
    }
    let destination = destination(context)?;
    let of = (&*destination, &*workspace);
    let ours: Vec<ApprovalKey> = keys.of(of.0, of.1).into_iter().collect();
    let mut done = Vec::new();
    let mut put = Vec::new();
    for place in &places {
        for skill in &skills {
            let is_older = keys.is_older(of, &skill.approval);
            let one = bring(place, (skill, is_older), &ours, wanted)?;
            if matches!(one.outcome, "installed" | "updated") {
                put.push(&skill.approval);
            }
            done.push(one);
        }
        if wanted.skills.is_empty() {
            done.extend(sweep(place, &listed, &ours, wanted)?);
        }
    }
    if !wanted.dry_run {
        keys.note(&context.home, of, put.into_iter())?;
    }
    tell(context, &done, wanted.dry_run)
}

/// Fetches one with the key that signed its approval, which is yet to be trusted.
async fn fetch(
    context: &Context<'_>,
    client: &mut Client,
    one: &Version,
    workspace: &str,
) -> Result<(Verified, ApprovalKey), Failure> {
    let refused = |why: String| not_approved(&one.name, &why);
    let unfit = |error: ApprovalError| not_approved(&one.name, &error.to_string());
    let folder = client.skill(&one.id).await?;
    let envelope = folder.approval.clone();
    let envelope = envelope.ok_or_else(|| refused("it comes without an approval".into()))?;
    let key = ApprovalKey::named_by(&envelope).map_err(unfit)?;
    let approval = key.verify(&envelope).map_err(unfit)?;
    let said = (
        &approval.skill,
        &approval.id,
        approval.version,
        &*approval.workspace,
    );
    if said != (&one.name, &one.id, one.version, workspace) {
        return Err(refused("its approval is for something else".into()));
    }
    approval.check(&folder.files).map_err(unfit)?;
    for file in &folder.files {
        check_skill_path(&file.path).map_err(|error| refused(error.to_string()))?;
    }
    let name = SkillName::parse(&one.name).map_err(|error| refused(error.to_string()))?;
    context.output.note(&format!(
        "{}: signed by {}",
        name.as_str(),
        approval.approved_by
    ));
    let verified = Verified {
        name,
        files: folder.files,
        envelope,
        approval,
    };
    Ok((verified, key))
}

/// Whether the key is the workspace's, as it was when it was seen first.
fn trust(
    context: &Context<'_>,
    keys: &mut Keys,
    (workspace, key): (&str, &ApprovalKey),
    wanted: &Pull,
) -> Result<(), Failure> {
    let destination = destination(context)?;
    let since = match keys.of(&destination, workspace) {
        Some(known) if known == *key => return Ok(()),
        Some(_) if !wanted.trust_new_key => {
            let why = "approvals are signed with another key than this workspace's so far";
            return Err(Failure::new("NOT_APPROVED", why).hint(
                "nothing was changed; if the daemon was set up anew, `--trust-new-key` believes the new key",
            ));
        }
        Some(_) => "in the place of the one before",
        None => "which is kept: no other will do from now on",
    };
    context
        .output
        .note(&format!("the workspace's key is {}, {since}", key.as_str()));
    keys.keep(
        &context.home,
        (&destination, workspace),
        key,
        wanted.dry_run,
    )
}

fn not_approved(skill: &str, why: &str) -> Failure {
    Failure::new(
        "NOT_APPROVED",
        format!("{}: {}", one_line(skill), one_line(why)),
    )
    .hint("nothing was changed; ask who runs the daemon")
}

/// Which daemon a workspace is of.
fn destination(context: &Context<'_>) -> Result<String, Failure> {
    Ok(context
        .reach()?
        .destination()
        .unwrap_or_else(|| "local".into()))
}

/// Puts one into a folder, unless what lies there is somebody else's, was changed, or is newer.
fn bring(
    place: &Place,
    (skill, was_newer): (&Verified, bool),
    ours: &[ApprovalKey],
    wanted: &Pull,
) -> Result<Done, Failure> {
    let name = skill.name.as_str();
    let failed = |error: io::Error| unwritable(&place.folder, &error);
    let found = what_is(&place.folder, name, ours).map_err(failed)?;
    let new = &skill.approval;
    let is_older = |old: &Approval| old.approved_at > new.approved_at;
    let mut outcome = match &found {
        Found::Nothing if was_newer && !wanted.force => "older",
        Found::Nothing => "installed",
        Found::Foreign => "foreign",
        Found::Whole(old) if **old == *new => "current",
        Found::Whole(old) | Found::Changed(old) if is_older(old) && !wanted.force => "older",
        Found::Changed(_) if !wanted.force => "changed",
        Found::Whole(_) | Found::Changed(_) => "updated",
    };
    if matches!(outcome, "installed" | "updated") && !wanted.dry_run {
        let shelf = Shelf::open(&place.folder, ours).map_err(failed)?;
        let put = shelf.put((name, &found), &skill.files, &skill.envelope);
        if !put.map_err(failed)? {
            outcome = "changed";
        }
    }
    Ok(Done::new(place, name, new.version, outcome))
}

/// Takes out what we put there and is approved no more.
fn sweep(
    place: &Place,
    listed: &[Version],
    ours: &[ApprovalKey],
    wanted: &Pull,
) -> Result<Vec<Done>, Failure> {
    let failed = |error: io::Error| unwritable(&place.folder, &error);
    let mut done = Vec::new();
    for name in there(&place.folder).map_err(failed)? {
        if listed.iter().any(|one| one.name == name) {
            continue;
        }
        let found = what_is(&place.folder, &name, ours).map_err(failed)?;
        let (old, mut outcome) = match &found {
            Found::Whole(old) => (old, "removed"),
            Found::Changed(old) if wanted.force => (old, "removed"),
            Found::Changed(old) => (old, "changed"),
            Found::Nothing | Found::Foreign => continue,
        };
        if outcome == "removed" && !wanted.dry_run {
            let shelf = Shelf::open(&place.folder, ours).map_err(failed)?;
            if !shelf.take_out(&name, &found).map_err(failed)? {
                outcome = "changed";
            }
        }
        done.push(Done::new(place, &name, old.version, outcome));
    }
    Ok(done)
}

/// Checks what lies here against what was approved; no daemon is asked.
pub(super) fn installed(context: &Context<'_>, wanted: &Places) -> Result<ExitCode, Failure> {
    let keys = Keys::read(&context.home)?;
    let mut done = Vec::new();
    for place in places(wanted, &context.environment)? {
        let failed = |error: io::Error| unwritable(&place.folder, &error);
        for name in there(&place.folder).map_err(failed)? {
            let found = what_is(&place.folder, &name, &keys.all()).map_err(failed)?;
            let (version, outcome) = match &found {
                Found::Whole(old) => (old.version, "current"),
                Found::Changed(old) => (old.version, "changed"),
                Found::Nothing | Found::Foreign => (0, "foreign"),
            };
            done.push(Done::new(&place, &name, version, outcome));
        }
    }
    tell(context, &done, false)
}

/// Held while skills are changed here: two pulls at once would work in one another's folders.
fn turn(context: &Context<'_>) -> Result<File, Failure> {
    let path = context.home.path().join("skills.lock");
    let locked = std::fs::create_dir_all(context.home.path())
        .and_then(|()| File::create(&path))
        .and_then(|file| {
            flock(&file, FlockOperation::LockExclusive)?;
            Ok(file)
        });
    locked.map_err(|error| unwritable(&path, &error))
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::new("UNWRITABLE", format!("{}: {error}", path.display()))
}

fn tell(context: &Context<'_>, done: &[Done], is_dry: bool) -> Result<ExitCode, Failure> {
    let out = context.output;
    let is_left = done.iter().any(Done::is_left);
    if out.is_json() {
        out.json(&serde_json::json!({ "skills": done, "dry_run": is_dry }))?;
    } else {
        if done.is_empty() {
            out.line("Nothing to do: no skill is approved, and none is here.")?;
        }
        let row = |one: &Done| {
            let version = format!("version {}", one.version);
            vec![
                one_line(&one.skill),
                version,
                one.folder.clone(),
                one.told().to_owned(),
            ]
        };
        let rows: Vec<Vec<String>> = done.iter().map(row).collect();
        for line in columns(&rows) {
            out.line(&line)?;
        }
        if is_dry {
            out.note("nothing was changed: --dry-run");
        }
    }
    Ok(if is_left {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
