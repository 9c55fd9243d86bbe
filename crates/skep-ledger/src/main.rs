//! `skep-audit-verify FILE [--witness FILE] [--key KEY]`: checks an export of a log, and nothing else. It opens no
//! connection and has no key; `skep audit verify` does the same.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that says what it found"
)]

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::ExitCode;

use skep_ledger::{VerifierKey, VerifyError, verify};

const USAGE: &str = "usage: skep-audit-verify FILE [--witness FILE] [--key NAME+ID+KEY]";

#[derive(Default)]
struct Asked {
    export: Option<String>,
    witness: Option<String>,
    key: Option<VerifierKey>,
}

fn main() -> ExitCode {
    let Some(asked) = asked(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match check(&asked) {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn asked(mut arguments: impl Iterator<Item = String>) -> Option<Asked> {
    let mut asked = Asked::default();
    while let Some(argument) = arguments.next() {
        match &*argument {
            "--witness" => asked.witness = Some(arguments.next()?),
            "--key" => asked.key = Some(VerifierKey::parse(&arguments.next()?)?),
            _ if argument.starts_with('-') || asked.export.is_some() => return None,
            _ => asked.export = Some(argument),
        }
    }
    asked.export.is_some().then_some(asked)
}

fn check(asked: &Asked) -> Result<String, VerifyError> {
    let mut export = BufReader::new(File::open(asked.export.as_deref().unwrap_or(""))?);
    let witness = asked.witness.as_deref().map(File::open).transpose()?;
    let mut witness = witness.map(BufReader::new);
    let witness = witness.as_mut().map(|file| file as &mut dyn BufRead);
    let held = verify(&mut export, witness, asked.key.as_ref())?;
    Ok(held.to_string())
}
