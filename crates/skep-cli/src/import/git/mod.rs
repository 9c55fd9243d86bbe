//! The commit history of a repository: each commit a turn, the whole history one session.

mod command;
mod log;

use std::io::Read;
use std::path::Path;

use skep_api::capture::{SessionRef, TurnInput};
use skep_api::{Harness, Instant, Limits, Timestamp, TurnRole};

use self::command::{Git, GitError};
use self::log::{Commit, Commits};
use super::batch::Batcher;
use super::clip;
use super::progress::{Progress, Unit};
use super::sender::{Sender, source_name};
use super::transcript::spoken;
use crate::failure::Failure;
use crate::output::Output;

/// Imports the commits that HEAD can reach and that were not there the last time.
pub(crate) async fn run(
    sender: &mut Sender,
    path: &Path,
    max: Option<u32>,
    output: &Output,
) -> Result<(), Failure> {
    sender.report.sources += 1;
    let history = match History::open(path) {
        Ok(history) => history,
        Err(GitError::Missing) => {
            return Err(Failure::new("NO_GIT", "the program git is not installed")
                .hint("install git; skep reads histories through it"));
        }
        Err(GitError::Failed(why)) => {
            sender.report.unreadable(&path.display().to_string(), why);
            return Ok(());
        }
    };
    let source = source_name(Harness::Git.as_str(), &history.name);
    let mark = sender
        .cursor(&source)
        .await?
        .and_then(|text| Mark::read(&text));
    let range = history.range(mark.as_ref(), max);
    let count = history
        .git
        .count(&range, max)
        .map_err(|error| unreadable(&error))?;
    if count == 0 {
        sender.report.unchanged += 1;
        return Ok(());
    }
    let mut progress = Progress::new(output, Unit::Commits, count);
    progress.name(&history.session.external_id);
    history
        .send(sender, &source, &range, max, &mut progress)
        .await?;
    progress.finish();
    Ok(())
}

fn unreadable(error: &GitError) -> Failure {
    match error {
        GitError::Missing => Failure::new("NO_GIT", "the program git is not installed"),
        GitError::Failed(why) => Failure::new("GIT", format!("git: {why}")),
    }
}

/// How far a history was read.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mark {
    commit: String,
    /// Older commits were left out, by `--max`.
    partial: bool,
}

impl Mark {
    fn write(&self) -> String {
        let extent = if self.partial { "newest" } else { "all" };
        format!("1:{}:{extent}", self.commit)
    }

    fn read(text: &str) -> Option<Self> {
        let (commit, extent) = text.strip_prefix("1:")?.split_once(':')?;
        let is_id = commit.len() >= 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_id.then(|| Self {
            commit: commit.to_owned(),
            partial: extent != "all",
        })
    }
}

/// A repository that has commits.
struct History {
    git: Git,
    /// Its path, as the source is named.
    name: String,
    session: SessionRef,
}

impl History {
    fn open(path: &Path) -> Result<Self, GitError> {
        let path = path
            .canonicalize()
            .map_err(|error| GitError::Failed(error.to_string()))?;
        let git = Git::at(&path);
        let root = git.root_commit()?;
        let top = git
            .top_level()
            .unwrap_or_else(|| path.display().to_string());
        let folder = clip::project(&top);
        let remote = git.remote().as_deref().and_then(clip::project);
        Ok(Self {
            session: SessionRef {
                harness: Harness::Git.as_str().into(),
                external_id: root,
                title: folder.clone(),
                project: remote.or(folder),
                cwd: Some(top.clone()),
            },
            name: top,
            git,
        })
    }

    /// What to read: everything, or what came after the mark.
    fn range(&self, mark: Option<&Mark>, max: Option<u32>) -> String {
        match mark {
            Some(mark)
                if (!mark.partial || max.is_some()) && self.git.is_ancestor(&mark.commit) =>
            {
                format!("{}..HEAD", mark.commit)
            }
            _ => "HEAD".into(),
        }
    }

    async fn send(
        &self,
        sender: &mut Sender,
        source: &str,
        range: &str,
        max: Option<u32>,
        progress: &mut Progress<'_>,
    ) -> Result<(), Failure> {
        let mut child = self
            .git
            .log(range, max)
            .map_err(|error| unreadable(&error))?;
        let mut commits = Commits::new(child.stdout()?);
        let partial = max.is_some();
        let mut session_id = None;
        let mut batcher = Batcher::new(None);
        let mut number = 0;
        while let Some(commit) = commits.next()? {
            number += 1;
            let after = Mark {
                commit: commit.id.clone(),
                partial,
            };
            let turns = self.turn(commit, number, sender).into_iter().collect();
            progress.advance(1);
            for batch in batcher.add(number, turns, after) {
                let written = batch.position.as_ref().map(Mark::write);
                session_id = sender
                    .send(&self.session, batch.at(written), source)
                    .await?
                    .or(session_id);
            }
        }
        child.finish().map_err(|error| unreadable(&error))?;
        if let Some(batch) = batcher.finish() {
            let written = batch.position.as_ref().map(Mark::write);
            session_id = sender
                .send(&self.session, batch.at(written), source)
                .await?
                .or(session_id);
        }
        if let Some(id) = session_id {
            sender.end(&id).await?;
        }
        Ok(())
    }

    fn turn(&self, commit: Commit, number: u64, sender: &mut Sender) -> Option<TurnInput> {
        let report = &mut sender.report;
        if commit.is_damaged() {
            report.fail(
                &self.name,
                number,
                format!("commit {} cannot be read", clip::head(&commit.id, 12)),
            );
            return None;
        }
        let (mut text, was_utf8) = commit.text();
        report.not_utf8 += u64::from(!was_utf8);
        if text.is_empty() {
            report.skip("commit without a message");
            return None;
        }
        if commit.says_only_that_it_merges(&text) {
            report.skip("merge");
            return None;
        }
        report.cut += u64::from(clip::body(&mut text) || commit.is_cut);
        let at = Instant(Timestamp::from_millis(
            commit.author_seconds.saturating_mul(1_000),
        ));
        let paths = clip::paths(commit.paths.iter().map(String::as_str), None);
        let branch = skep_api::capture::Branch::Main;
        Some(TurnInput {
            author: None,
            paths,
            ..spoken(commit.id, TurnRole::Commit, at, text, branch)
        })
    }
}

const _: () = assert!(log::MESSAGE_MAX >= Limits::TURN_BODY);

/// What `git log` prints.
type Stream = Box<dyn Read>;

#[cfg(test)]
mod tests {
    use super::Mark;

    #[test]
    fn marks_read_back_and_nothing_else_does() {
        for partial in [true, false] {
            let mark = Mark {
                commit: "a".repeat(40),
                partial,
            };
            assert_eq!(Mark::read(&mark.write()), Some(mark));
        }
        for text in ["", "1:", "1:abc:all", "1:--upload-pack=x:all", "2:aaaa:all"] {
            assert_eq!(Mark::read(text), None, "{text:?}");
        }
    }
}
