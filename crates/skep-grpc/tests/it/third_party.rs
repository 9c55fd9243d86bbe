//! The client that others wrote. It is installed into the target directory at the first run, from
//! `PyPI`.

use std::path::Path;
use std::process::Output;

use skep_domain::Role;
use skep_test_support::program;
use tokio::process::Command;

use crate::house::{House, Oddity};

const PACKAGES: [&str; 9] = [
    "-m",
    "pip",
    "install",
    "--quiet",
    "--target",
    ".",
    "grpcio==1.85.1",
    "grpcio-reflection==1.85.1",
    "protobuf==7.36.2",
];

async fn run(house: &House) -> Output {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = program::fetched(place, "grpcio", "python3", &PACKAGES);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/auth_client.py");
    let pass = house.pass(Role::Operator).await;
    let mut python = Command::new("python3");
    let python = python
        .arg(script)
        .env("PYTHONPATH", &folder)
        .env("SKEP_SOCKET", &house.socket)
        .env("SKEP_TOKEN", &pass.token)
        .kill_on_drop(true);
    python.output().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn grpcio_reads_the_description_and_validates_over_the_socket() {
    let reflection = true;
    let house = House::with(Oddity {
        reflection,
        ..Oddity::default()
    })
    .await;
    let outcome = run(&house).await;
    let [said, failed] =
        [&outcome.stdout, &outcome.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(outcome.status.success(), "{said}{failed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn grpcio_is_told_nothing_where_reflection_is_off() {
    let house = House::start().await;
    let outcome = run(&house).await;
    let said = String::from_utf8_lossy(&outcome.stdout);
    assert_eq!(outcome.status.code(), Some(3), "{said}");
    assert!(said.starts_with("UNIMPLEMENTED"), "{said}");
}
