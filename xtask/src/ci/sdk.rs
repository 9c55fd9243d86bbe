//! `sdk`: what stands under `sdk/`, held to its types, tested against a real daemon, and its quickstarts
//! run as they are written.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::count::{Count, Runner};
use super::stage::watched;
use crate::tree;

/// What a quickstart remembers, and so has to print.
const REMEMBERED: &str = "Deploys go out on Tuesdays, after the smoke tests.";
/// Names a folder of programs that are built already.
const PROGRAMS: &str = "SKEP_PROGRAMS";
/// That of `skep-client`, beside the programs.
const RUST: &str = "examples/quickstart";
const NEEDED: [&str; 3] = ["skep", "skepd", RUST];
const BEGINS: &str = "<!-- quickstart -->";
const ENDS: &str = "<!-- /quickstart -->";

/// Where things are.
struct Places {
    root: PathBuf,
    /// `skep` and `skepd`, in debug.
    programs: PathBuf,
    /// What was installed, to be found again.
    kept: PathBuf,
}

/// Builds the programs, unless it is said where they are, then does it all.
///
/// # Errors
/// When something is red.
pub(crate) fn run() -> Result<()> {
    let root = tree::root()?;
    let mut count = Count::default();
    if let Some(programs) = std::env::var_os(PROGRAMS) {
        let programs = fs::canonicalize(&programs).context(PROGRAMS)?;
        return all(&root, &programs, &mut count);
    }
    build(&root)?;
    all(&root, &beside()?, &mut count)
}

/// The same with the programs that the tests before have built.
///
/// # Errors
/// When something is red.
pub(super) fn run_built(root: &Path, count: &mut Count) -> Result<()> {
    let programs = beside()?;
    if NEEDED.iter().any(|name| !programs.join(name).exists()) {
        build(root)?;
    }
    all(root, &programs, count)
}

fn build(root: &Path) -> Result<()> {
    let status = Command::new("cargo")
        .args(["build", "--locked", "--bins", "--example", "quickstart"])
        .args(["-p", "skep-daemon", "-p", "skep-cli", "-p", "skep-client"])
        .current_dir(root)
        .status()
        .context("cargo is not on the path")?;
    ensure!(status.success(), "the programs cannot be built");
    Ok(())
}

/// The folder of this program.
fn beside() -> Result<PathBuf> {
    let this = std::env::current_exe().context("this program has no path")?;
    let folder = this.parent().context("this program has no folder")?;
    Ok(folder.to_owned())
}

fn all(root: &Path, programs: &Path, count: &mut Count) -> Result<()> {
    for name in NEEDED {
        ensure!(programs.join(name).exists(), "{name} is not built");
    }
    let places = Places {
        root: root.to_owned(),
        programs: programs.to_owned(),
        kept: beside()?.with_file_name("sdk"),
    };
    let parts = [
        ("python", python(&places, count)),
        ("typescript", typescript(&places, count)),
        ("quickstarts", quickstarts(&places, count)),
    ];
    let mut red = Vec::new();
    for (name, outcome) in parts {
        if let Err(error) = outcome {
            red.push(format!("{name}: {error:#}"));
        }
    }
    ensure!(red.is_empty(), "{}", red.join("\n"));
    Ok(())
}

fn python(places: &Places, count: &mut Count) -> Result<()> {
    let folder = places.root.join("sdk/python");
    let venv = places.kept.join("python");
    let wanted = fs::read_to_string(folder.join("requirements-test.txt"))?;
    if !is_kept(&venv, &wanted) {
        let mut make = Command::new("python3");
        make.args(["-m", "venv", "--clear"]).arg(&venv);
        quietly(&mut make)?;
        let mut install = Command::new(venv.join("bin/pip"));
        install
            .args([
                "install",
                "--quiet",
                "--no-compile",
                "-r",
                "requirements-test.txt",
            ])
            .current_dir(&folder);
        quietly(&mut install)?;
        keep(&venv, &wanted)?;
    }
    let tool = |name: &str| {
        let mut tool = Command::new(venv.join("bin").join(name));
        tool.current_dir(&folder)
            .env("PYTHONPATH", "src:.")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env(PROGRAMS, &places.programs);
        tool
    };
    let mut types = tool("mypy");
    types.arg("--cache-dir").arg(venv.join("mypy"));
    quietly(&mut types)?;
    watched(&mut tool("pytest"), Runner::Pytest, count)
}

fn typescript(places: &Places, count: &mut Count) -> Result<()> {
    let folder = places.root.join("sdk/typescript");
    // npm takes what it does not know out of its own folder.
    let mark = places.kept.join("typescript");
    let wanted = fs::read_to_string(folder.join("package-lock.json"))?;
    if !folder.join("node_modules").exists() || !is_kept(&mark, &wanted) {
        let mut install = Command::new("npm");
        install.args(["ci", "--silent"]).current_dir(&folder);
        quietly(&mut install)?;
        fs::create_dir_all(&mark)?;
        keep(&mark, &wanted)?;
    }
    let mut test = Command::new("npm");
    test.args(["test", "--silent"])
        .current_dir(&folder)
        .env(PROGRAMS, &places.programs);
    watched(&mut test, Runner::Node, count)
}

/// Each in an empty folder that holds nothing but the checkout, with a daemon of its own.
fn quickstarts(places: &Places, count: &mut Count) -> Result<()> {
    // A socket's path is short.
    let home = std::env::temp_dir().join(format!("skep-sdk-{}", std::process::id()));
    let skep = |verb: &[&str]| {
        let mut skep = Command::new(places.programs.join("skep"));
        skep.args(verb)
            .env("SKEP_HOME", &home)
            .env("SKEP_SERVER__TCP", "off");
        quietly(&mut skep)
    };
    skep(&["--local", "--quiet", "start"])?;
    let done = ["rust", "python", "typescript"].map(|name| {
        let outcome = match name {
            "rust" => shown(Command::new(places.programs.join(RUST)), &home),
            _ => quickstart(places, name, &home),
        };
        count.add(Count {
            passed: usize::from(outcome.is_ok()),
            failed: usize::from(outcome.is_err()),
        });
        outcome.with_context(|| format!("the quickstart for {name}"))
    });
    let stopped = skep(&["--local", "--quiet", "stop"]);
    absent(&home)?;
    done.into_iter().collect::<Result<()>>()?;
    stopped
}

fn quickstart(places: &Places, name: &str, home: &Path) -> Result<()> {
    let place = places.kept.join(format!("quickstart-{name}"));
    absent(&place)?;
    fs::create_dir_all(&place)?;
    std::os::unix::fs::symlink(&places.root, place.join("skep"))?;
    let page = fs::read_to_string(places.root.join("sdk").join(name).join("README.md"))?;
    let mut script = String::new();
    for (about, text) in blocks(&page)? {
        match about.split_once(' ') {
            Some((_, file)) => fs::write(place.join(file), text)?,
            None => script += &text,
        }
    }
    let mut shell = Command::new("sh");
    shell.args(["-e", "-c", &script]).current_dir(&place);
    shown(shell, home)?;
    println!("sdk: the quickstart of sdk/{name} does what it says");
    absent(&place)
}

/// Whether a quickstart says what it remembered.
fn shown(mut quickstart: Command, home: &Path) -> Result<()> {
    quickstart
        .env("SKEP_HOME", home)
        .env_remove("SKEP_URL")
        .env_remove("SKEP_TOKEN_FILE");
    let said = said(&mut quickstart)?;
    let last = said.trim_end().lines().last();
    ensure!(last == Some(REMEMBERED), "it printed {said:?}");
    Ok(())
}

/// The blocks of code between the marks: what stands behind the fence, and the text.
fn blocks(page: &str) -> Result<Vec<(&str, String)>> {
    let (_, rest) = page.split_once(BEGINS).context("there is no quickstart")?;
    let (inside, _) = rest.split_once(ENDS).context("the quickstart has no end")?;
    let mut blocks = Vec::new();
    let mut open: Option<(&str, String)> = None;
    for line in inside.lines() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(about), None) => open = Some((about, String::new())),
            (Some(_), Some(block)) => blocks.push(block),
            (None, Some((about, text))) => open = Some((about, text + line + "\n")),
            (None, None) => {}
        }
    }
    ensure!(open.is_none() && blocks.len() > 1, "a quickstart is blocks");
    Ok(blocks)
}

/// Whether a folder was made for just this.
fn is_kept(folder: &Path, wanted: &str) -> bool {
    fs::read_to_string(folder.join("made-for")).is_ok_and(|held| held == wanted)
}

fn keep(folder: &Path, wanted: &str) -> Result<()> {
    fs::write(folder.join("made-for"), wanted).with_context(|| folder.display().to_string())
}

fn absent(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| folder.display().to_string())
        }
        _ => Ok(()),
    }
}

fn quietly(command: &mut Command) -> Result<()> {
    said(command).map(|_| ())
}

/// What a command prints; all of it, in the error, when it fails.
fn said(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .with_context(|| format!("{name} is needed"))?;
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        output.status.success(),
        "{name}: {}\n{out}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::{BEGINS, ENDS, blocks};

    #[test]
    fn the_blocks_between_the_marks_are_read() {
        let page = format!(
            "```sh\nrm x\n```\n{BEGINS}\nfirst\n```sh\na\nb\n```\n\n```python c.py\nd\n```\n{ENDS}\n```sh\ne\n```\n"
        );
        let found = blocks(&page).unwrap();
        assert_eq!(
            found,
            [
                ("sh", "a\nb\n".to_owned()),
                ("python c.py", "d\n".to_owned())
            ]
        );
        for page in ["", BEGINS, &format!("{BEGINS}\n```sh\na\n{ENDS}")] {
            assert!(blocks(page).is_err(), "{page}");
        }
    }

    #[test]
    fn both_packages_have_a_quickstart_of_five_lines_of_code() {
        let root = crate::tree::root().unwrap();
        for name in ["python", "typescript"] {
            let page = std::fs::read_to_string(root.join(format!("sdk/{name}/README.md"))).unwrap();
            let (_, code) = &blocks(&page).unwrap()[1];
            let lines = code.lines().filter(|line| !line.is_empty()).count();
            assert!(lines <= 5, "{name}: {lines}");
        }
    }
}
