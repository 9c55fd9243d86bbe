//! Remembers and recalls one statement: `SKEP_HOME=… cargo run -p skep-client --example quickstart`.
#![expect(clippy::print_stdout, reason = "it shows what comes back")]

use std::path::PathBuf;

use skep_api::memory::RememberRequest;
use skep_api::recall::RecallRequest;
use skep_client::{Client, Endpoint, Home};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let usual = || std::env::home_dir().unwrap_or_default().join(".skep");
    let home = Home::new(std::env::var_os("SKEP_HOME").map_or_else(usual, PathBuf::from))?;
    let mut skep = Client::connect(&Endpoint::socket(&home)).await?;

    let text = "Deploys go out on Tuesdays, after the smoke tests.".into();
    let statement = RememberRequest {
        text,
        ..RememberRequest::default()
    };
    skep.remember(&statement).await?;

    let query = "When do deploys go out?".into();
    let question = RecallRequest {
        query,
        ..RecallRequest::default()
    };
    let answer = skep.recall(&question).await?;
    let best = answer.items.first().ok_or("nothing is remembered")?;
    println!("{}", best.memory.text);
    Ok(())
}
