//! Programs as they come: what they send arrives with the value, and they hold none of it.

use std::path::Path;

use base64ct::{Base64, Encoding};
use skep_test_support::{mcp, program::fetched};

use super::world::{CALL, World, said};
use crate::values::VALUE;

fn place() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

#[tokio::test(flavor = "multi_thread")]
async fn x03_curl_sends_a_value_that_it_never_holds() {
    let world = World::start().await;
    let ran = world
        .sh(&format!("{CALL}; env; cat /proc/self/environ"))
        .await;
    assert!(ran.status.success(), "{}", said(&ran));
    let got = world.origin.only();
    assert_eq!(got.header("authorization"), format!("Bearer {VALUE}"));
    let said = said(&ran);
    assert!(
        said.contains("authorization: Bearer __skep_key__"),
        "{said}"
    );
    assert!(said.contains("\nKEY=__skep_key__\n"), "{said}");
    assert!(said.contains("\nOTHER=__skep_other__\n"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn x03_python_sends_a_value_that_it_never_holds() {
    let world = World::start().await;
    let make = "python3 -m venv venv && venv/bin/pip install --quiet --no-compile requests==2.34.2";
    let folder = fetched(place(), "python-requests", "sh", &["-c", make]);
    let python = folder.join("venv/bin/python");
    let script = "
import os, requests
with requests.Session() as session:
    session.headers['Authorization'] = f'Bearer {os.environ[\"KEY\"]}'
    for n in range(3):
        answer = session.post('https://api.test/echo', json={'n': n})
        print(answer.status_code, answer.text)
    print(session.get('https://api.test/echo', auth=('user', os.environ['KEY'])).text)
print(dict(os.environ))
";
    let ran = world
        .skep(&["run", "--", python.to_str().unwrap(), "-c", script])
        .await;
    let got = world.origin.got();
    assert_eq!(got.len(), 4, "{}", said(&ran));
    for got in &got[..3] {
        assert_eq!(got.header("authorization"), format!("Bearer {VALUE}"));
    }
    let coded = Base64::encode_string(format!("user:{VALUE}").as_bytes());
    assert_eq!(got[3].header("authorization"), format!("Basic {coded}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn x03_node_sends_a_value_that_it_never_holds() {
    let world = World::start().await;
    let programs = mcp::programs(place());
    let script = "
const answer = await fetch('https://api.test/echo', {
  method: 'POST', headers: { authorization: `Bearer ${process.env.KEY}` }, body: 'hello',
});
console.log(answer.status, await answer.text(), JSON.stringify(process.env));
";
    let node = programs.node.to_str().unwrap();
    let ran = world
        .skep(&["run", "--", node, "--input-type=module", "-e", script])
        .await;
    assert!(ran.status.success(), "{}", said(&ran));
    let got = world.origin.only();
    assert_eq!(got.header("authorization"), format!("Bearer {VALUE}"));
    assert_eq!(got.body, "hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn x03_git_clones_and_pushes_with_a_placeholder_for_its_password() {
    let world = World::start().await;
    let (served, work) = (world.home.join("served"), world.home.join("work"));
    std::fs::create_dir_all(&served).unwrap();
    std::fs::create_dir_all(&work).unwrap();
    let script = format!(
        "cd {} && git init -q --bare -b main repo.git && git -C repo.git config http.receivepack true",
        served.display()
    );
    assert!(world.sh(&script).await.status.success());
    world.origin.serve_repositories(served);
    let script = format!(
        "set -e; cd {}; export GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0 GIT_CURL_VERBOSE=1
        git clone https://git:$KEY@api.test/repo.git first; cd first; git checkout -q -b main; echo text > text; git add text
        git -c user.name=a -c user.email=a@example.com commit -qm text; git push origin HEAD:main; cd ..
        git clone https://git:$KEY@api.test/repo.git second; cat second/text second/.git/config",
        work.display()
    );
    let ran = world.sh(&script).await;
    let said = said(&ran);
    assert!(ran.status.success(), "{said}");
    assert!(said.contains("__skep_key__@api.test"), "{said}");
    assert_eq!(
        std::fs::read_to_string(work.join("second/text")).unwrap(),
        "text\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn x03_a_base_url_needs_no_proxy_and_no_key() {
    let world = World::start().await;
    let script = r#"curl -sS --noproxy '*' "$API_URL/v1/models?limit=2""#;
    let ran = world
        .skep(&["run", "--base", "api:API_URL", "--", "sh", "-c", script])
        .await;
    assert!(ran.status.success(), "{}", said(&ran));
    let got = world.origin.only();
    assert_eq!(got.line, "GET /v1/models?limit=2");
    assert_eq!(got.header("authorization"), format!("Bearer {VALUE}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn x03_a_shell_takes_the_variables_and_ends_the_lease_itself() {
    let world = World::start().await;
    let skep = env!("CARGO_BIN_EXE_skep");
    let script = format!(
        r#"set -e; eval "$({skep} run --print-env --env MY_KEY=key --for 30m 2>note)"; cat note
        curl -sS -H "x-api-key: $MY_KEY" https://api.test/echo; {skep} run --list
        {skep} run --end "$SKEP_LEASE"; {skep} run --list; curl -sS https://api.test/echo || echo refused $?"#
    );
    let mut command = tokio::process::Command::new("sh");
    command
        .args(["-c", &script])
        .env_clear()
        .envs(crate::program::mutant())
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("SKEP_HOME", &world.home);
    let ran = command.current_dir(&world.home).output().await.unwrap();
    let said = said(&ran);
    assert!(ran.status.success(), "{said}");
    assert_eq!(world.origin.only().header("x-api-key"), VALUE);
    assert!(said.contains("x-api-key: __skep_key__"), "{said}");
    assert!(said.contains("1 uses, 0 refused"), "{said}");
    assert!(said.contains("there are no leases"), "{said}");
    assert!(said.contains("refused 7"), "nobody listens: {said}");
    crate::values::assert_no_value("a shell", &said);
}
