//! `sdk`: what stands under `sdk/`, held to its types, tested against a real daemon, and its quickstarts
//! run as they are written.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::built::{Built, PROGRAMS, RUST, absent, is_kept, keep, quietly, said};
use super::count::{Count, Runner};
use super::stage::watched;
use crate::tree;

/// What a quickstart remembers, and so has to print.
const REMEMBERED: &str = "Deploys go out on Tuesdays, after the smoke tests.";
const BEGINS: &str = "<!-- quickstart -->";
const ENDS: &str = "<!-- /quickstart -->";

/// Builds the programs, unless it is said where they are, then does it all.
///
/// # Errors
/// When something is red.
pub(crate) fn run() -> Result<()> {
    all(&Built::ready(&tree::root()?)?, &mut Count::default())
}

/// The same with the programs that the tests before have built.
///
/// # Errors
/// When something is red.
pub(super) fn run_built(root: &Path, count: &mut Count) -> Result<()> {
    all(&Built::beside(root)?, count)
}

fn all(built: &Built, count: &mut Count) -> Result<()> {
    let parts = [
        ("python", python(built, count)),
        ("typescript", typescript(built, count)),
        ("quickstarts", quickstarts(built, count)),
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

fn python(built: &Built, count: &mut Count) -> Result<()> {
    let folder = built.root.join("sdk/python");
    let venv = built.kept("sdk").join("python");
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
            .env(PROGRAMS, &built.programs);
        tool
    };
    let mut types = tool("mypy");
    types.arg("--cache-dir").arg(venv.join("mypy"));
    quietly(&mut types)?;
    watched(&mut tool("pytest"), Runner::Pytest, count)
}

fn typescript(built: &Built, count: &mut Count) -> Result<()> {
    let folder = built.root.join("sdk/typescript");
    // npm takes what it does not know out of its own folder.
    let mark = built.kept("sdk").join("typescript");
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
        .env(PROGRAMS, &built.programs);
    watched(&mut test, Runner::Node, count)
}

/// Each in an empty folder that holds nothing but the checkout, with a daemon of its own.
fn quickstarts(built: &Built, count: &mut Count) -> Result<()> {
    // A socket's path is short.
    let home = std::env::temp_dir().join(format!("skep-sdk-{}", std::process::id()));
    let skep = |verb: &[&str]| {
        let mut skep = Command::new(built.programs.join("skep"));
        skep.args(verb)
            .env("SKEP_HOME", &home)
            .env("SKEP_SERVER__TCP", "off");
        quietly(&mut skep)
    };
    skep(&["--local", "--quiet", "start"])?;
    let done = ["rust", "python", "typescript"].map(|name| {
        let outcome = match name {
            "rust" => shown(Command::new(built.programs.join(RUST)), &home),
            _ => quickstart(built, name, &home),
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

fn quickstart(built: &Built, name: &str, home: &Path) -> Result<()> {
    let place = built.kept("sdk").join(format!("quickstart-{name}"));
    absent(&place)?;
    fs::create_dir_all(&place)?;
    std::os::unix::fs::symlink(&built.root, place.join("skep"))?;
    let page = fs::read_to_string(built.root.join("sdk").join(name).join("README.md"))?;
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
