//! A program that whoever runs this daemon has named, for keys: no shell, an environment that says next to
//! nothing, an end to its time and to what it may say.

use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use skep_app::Stopwatch as _;
use skep_crypto::Plain;

use crate::clock::Monotonic;
use crate::config::{Order, environment};

/// Bytes of its complaints that are read, and of those that are told.
const COMPLAINT: usize = 16 << 10;
const TOLD: usize = 600;
/// As long as a root key in any form of text, or longer.
const LIKE_A_KEY: usize = 40;
/// Between two looks at whether a program that has said everything has ended.
const LOOK: Duration = Duration::from_millis(2);

/// How it ended.
pub(crate) struct Answer {
    /// Zero is success.
    pub(crate) code: Option<i32>,
    pub(crate) output: Plain<Vec<u8>>,
    /// What it complained, without what could be a key.
    pub(crate) complaint: String,
}

enum Part {
    Output(Plain<Vec<u8>>),
    Complaint(Vec<u8>),
}

/// Runs it with these further arguments and this on its standard input; `most` bytes may come back.
pub(crate) fn run(
    order: &Order,
    more: &[&str],
    input: &[u8],
    most: usize,
) -> anyhow::Result<Answer> {
    let program = order.argv.first().map_or("", String::as_str);
    check(Path::new(program))?;
    let mut child = prepared(order, more)
        .spawn()
        .with_context(|| format!("starting {program}"))?;
    let clock = Monotonic::start();
    let answer = heard(&mut child, input, most, &|| {
        order
            .patience
            .saturating_sub(Duration::from_micros(clock.micros()))
    });
    if answer.is_err() {
        // It and what it started; what left its group on purpose is out of reach.
        if let Ok(group) = i32::try_from(child.id()) {
            let _ = Pid::from_raw(group).map(|group| kill_process_group(group, Signal::KILL));
        }
        let _ = child.wait();
    }
    answer.with_context(|| program.to_owned())
}

impl Answer {
    /// What it said, if it succeeded.
    pub(crate) fn success(self, program: &Order) -> anyhow::Result<Plain<Vec<u8>>> {
        if self.code == Some(0) {
            return Ok(self.output);
        }
        let program = program.argv.first().map_or("", String::as_str);
        let how = self.code.map_or_else(
            || "was killed".to_owned(),
            |code| format!("ended with status {code}"),
        );
        let said = if self.complaint.is_empty() {
            "it said nothing on its standard error".to_owned()
        } else {
            format!("it said: {}", self.complaint)
        };
        bail!("{program} {how}; {said}")
    }
}

/// Whoever can change the program has the key.
fn check(program: &Path) -> anyhow::Result<()> {
    let shown = program.display();
    let facts = std::fs::metadata(program).with_context(|| format!("looking for {shown}"))?;
    let own = rustix::process::geteuid().as_raw();
    if !facts.is_file() || facts.mode() & 0o111 == 0 {
        bail!("{shown} is no program");
    }
    if facts.uid() != 0 && facts.uid() != own {
        bail!(
            "{shown} belongs to another user, who could put something else there: install it as root"
        );
    }
    if facts.mode() & 0o022 != 0 {
        bail!("{shown} can be changed by others: run `chmod go-w {shown}`");
    }
    Ok(())
}

fn prepared(order: &Order, more: &[&str]) -> Command {
    let mut command = Command::new(order.argv.first().map_or("", String::as_str));
    command
        .args(order.argv.iter().skip(1))
        .args(more)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LC_ALL", "C")
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for name in ["HOME"]
        .into_iter()
        .chain(order.pass_on.iter().map(String::as_str))
    {
        if let Some(value) = environment(name) {
            command.env(name, value);
        }
    }
    command
}

fn heard(
    child: &mut Child,
    input: &[u8],
    most: usize,
    left: &dyn Fn() -> Duration,
) -> anyhow::Result<Answer> {
    let (says, hears) = channel();
    if let Some(mut pipe) = child.stdin.take() {
        let input = Plain::new(input.to_vec());
        // One that does not read what it is given may still answer.
        std::thread::spawn(move || pipe.write_all(input.expose()));
    }
    if let Some(pipe) = child.stdout.take() {
        listen(pipe, most, says.clone(), |bytes| {
            Part::Output(Plain::new(bytes))
        });
    }
    if let Some(pipe) = child.stderr.take() {
        listen(pipe, COMPLAINT, says, Part::Complaint);
    }
    let (output, complaint) = both(&hears, most, left)?;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Answer {
                code: status.code(),
                output,
                complaint: told(&complaint),
            });
        }
        if left().is_zero() {
            bail!(LATE);
        }
        std::thread::sleep(LOOK);
    }
}

const LATE: &str =
    "it took too long and was killed; a setting `timeout_seconds` says how long it may take";

/// Reads to the end, and keeps one byte more than it may be.
fn listen(
    mut pipe: impl Read + Send + 'static,
    most: usize,
    says: Sender<Part>,
    part: fn(Vec<u8>) -> Part,
) {
    std::thread::spawn(move || {
        // Room from the start, so that no half of it is left behind where it grew.
        let mut bytes = Vec::with_capacity(most + 1);
        let _ = Read::by_ref(&mut pipe)
            .take(most as u64 + 1)
            .read_to_end(&mut bytes);
        let is_too_long = bytes.len() > most;
        let _ = says.send(part(bytes));
        if !is_too_long {
            return;
        }
        // So that it does not wait for somebody to listen.
        let _ = std::io::copy(&mut pipe, &mut std::io::sink());
    });
}

fn both(
    hears: &Receiver<Part>,
    most: usize,
    left: &dyn Fn() -> Duration,
) -> anyhow::Result<(Plain<Vec<u8>>, Vec<u8>)> {
    let (mut output, mut complaint) = (None, None);
    loop {
        match hears.recv_timeout(left()) {
            // It may go on for ever, and has said enough to be ended.
            Ok(Part::Output(bytes)) if bytes.expose().len() > most => {
                bail!("it said more than {most} bytes")
            }
            Ok(Part::Output(bytes)) => output = Some(bytes),
            Ok(Part::Complaint(bytes)) => complaint = Some(bytes),
            Err(_) => bail!(LATE),
        }
        if let (Some(_), Some(_)) = (&output, &complaint) {
            return Ok((
                output.take().unwrap_or_else(|| Plain::new(Vec::new())),
                complaint.take().unwrap_or_default(),
            ));
        }
    }
}

/// For a person: one line, nothing that a terminal obeys, nothing that could be a key.
fn told(complaint: &[u8]) -> String {
    let text = String::from_utf8_lossy(complaint);
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        let mut run = 0;
        let mut longest = 0;
        for c in word.chars() {
            let of_keys = c.is_ascii_alphanumeric() || "+/=_-".contains(c);
            run = if of_keys { run + 1 } else { 0 };
            longest = longest.max(run);
        }
        if word.is_empty() {
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(if longest >= LIKE_A_KEY {
            "[left out]"
        } else {
            word
        });
    }
    line.chars().take(TOLD).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Answer, run, told};
    use crate::config::Order;

    fn order(argv: &[&str], millis: u64) -> Order {
        Order {
            argv: argv.iter().map(|part| (*part).to_owned()).collect(),
            pass_on: Vec::new(),
            patience: Duration::from_millis(millis),
        }
    }

    fn said(argv: &[&str], input: &[u8], most: usize) -> anyhow::Result<Answer> {
        run(&order(argv, 20_000), &[], input, most)
    }

    #[test]
    fn what_goes_in_comes_out_and_nothing_else_is_seen() {
        let answer = said(&["/bin/cat"], b"\x00key\xff", 16).unwrap();
        assert_eq!(answer.output.expose(), b"\x00key\xff");
        let answer = said(&["/usr/bin/env"], b"", 4096).unwrap();
        let seen = String::from_utf8(answer.output.expose().clone()).unwrap();
        let mut names: Vec<&str> = seen.lines().map(|l| l.split('=').next().unwrap()).collect();
        names.retain(|name| *name != "HOME");
        names.sort_unstable();
        assert_eq!(names, ["LC_ALL", "PATH"], "{seen}");
        // No shell: this is one argument, and stays one.
        let answer = said(&["/bin/echo", "$(id); `id`"], b"", 4096).unwrap();
        assert_eq!(answer.output.expose(), b"$(id); `id`\n");
    }

    #[test]
    fn one_that_says_too_much_or_never_ends_is_killed() {
        let much = said(&["/usr/bin/yes"], b"", 4096).map(|_| ()).unwrap_err();
        assert!(format!("{much:#}").contains("more than 4096"), "{much:#}");
        let late = run(&order(&["/bin/sleep", "600"], 100), &[], b"", 16).map(|_| ());
        assert!(format!("{:#}", late.unwrap_err()).contains("too long"));
        // Nor does what it leaves behind hold us up.
        let left = order(&["/bin/sh", "-c", "sleep 600 & exit 0"], 200);
        assert!(run(&left, &[], b"", 16).is_err());
    }

    #[test]
    fn a_failure_is_told_without_what_could_be_a_key() {
        let key = "c2tlcC1yb290LTEgc2tlcC1yb290LTEgc2tlcC1yb290LTE";
        let script = format!("echo 'no such key: {key}' >&2; exit 3");
        let order = order(&["/bin/sh", "-c", &script], 20_000);
        let answer = run(&order, &[], b"", 16).unwrap();
        let error = answer.success(&order).map(|_| ()).unwrap_err().to_string();
        assert!(
            error.contains("status 3") && error.contains("no such key"),
            "{error}"
        );
        assert!(
            !error.contains(&key[..20]) && error.contains("[left out]"),
            "{error}"
        );
        assert_eq!(told(b"a\x1b[31mb\r\nc"), "a [31mb c");
    }

    #[test]
    fn a_program_that_others_can_change_is_not_started() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tool");
        std::fs::copy("/bin/true", &path).unwrap();
        let shown = path.display().to_string();
        for (mode, is_fine) in [
            (0o755, true),
            (0o775, false),
            (0o757, false),
            (0o644, false),
        ] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(said(&[&shown], b"", 16).is_ok(), is_fine, "{mode:o}");
        }
    }
}
