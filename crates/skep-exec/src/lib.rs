//! One program run with secrets that whoever asked for it never sees.
//!
//! A [`Draft`] becomes a [`Plan`] when everything in it holds; a [`Runner`] runs it and gives an
//! [`Outcome`]: how it ended, its output with every secret of the plan redacted as far as that
//! goes, and which layers of the sandbox were applied, with the reason for each that was not.
//!
//! ```no_run
//! use std::time::Duration;
//! use skep_crypto::Plain;
//! use skep_exec::{Demand, Draft, Egress, Runner, Secret};
//!
//! # async fn example(value: Plain<Vec<u8>>) -> Result<(), Box<dyn std::error::Error>> {
//! // Once, at the start of the daemon. The first folder is the runner's alone: it is emptied. What
//! // is below the others no plan may reach.
//! let runner = Runner::new("/var/lib/skep/jobs", ["/var/lib/skep"])?;
//!
//! let plan = Draft::new("/usr/bin/curl", Egress::None, Demand::usual())
//!     .arg("--version")
//!     .env("LANG", "C")
//!     .env_secret("TOKEN", Secret::new("deploy-token", value))
//!     .timeout(Duration::from_secs(60))
//!     .plan()?;
//! let outcome = runner.run(plan, std::future::pending()).await?;
//! println!("{:?} {}", outcome.exit, String::from_utf8_lossy(&outcome.stdout));
//! # Ok(()) }
//! ```
//!
//! The daemon starts itself once more as the [`launcher`], which must therefore be the first thing
//! that its `main` looks for, before there is a second thread:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! fn main() -> ExitCode {
//!     if let Some(code) = skep_exec::launcher(std::env::args_os()) {
//!         return code;
//!     }
//!     ExitCode::SUCCESS
//! }
//! ```
//!
//! A secret is a [`Secret`], which only those methods take that keep it out of argument lists:
//!
//! ```compile_fail,E0277
//! # use skep_crypto::Plain;
//! # use skep_exec::{Demand, Draft, Egress};
//! let value: Plain<Vec<u8>> = Plain::new(b"hunter2-hunter2".to_vec());
//! Draft::new("/bin/echo", Egress::None, Demand::usual()).arg(value);
//! ```
//!
//! ```compile_fail,E0277
//! # use skep_crypto::Plain;
//! # use skep_exec::{Demand, Draft, Egress, Secret};
//! let secret = Secret::new("token", Plain::new(b"hunter2-hunter2".to_vec()));
//! Draft::new("/bin/echo", Egress::None, Demand::usual()).env("TOKEN", secret);
//! ```
//!
//! What was not checked does not run, and a plan runs once:
//!
//! ```compile_fail,E0308
//! # use skep_exec::{Demand, Draft, Egress, Runner};
//! # async fn example(runner: &Runner) {
//! runner.run(Draft::new("/bin/true", Egress::None, Demand::usual()), std::future::pending()).await;
//! # }
//! ```
//!
//! ```compile_fail,E0382
//! # use skep_exec::{Plan, Runner};
//! # async fn example(runner: &Runner, plan: Plan) {
//! runner.run(plan, std::future::pending()).await;
//! runner.run(plan, std::future::pending()).await;
//! # }
//! ```
//!
//! Neither a secret nor a plan can be printed:
//!
//! ```compile_fail,E0277
//! # fn example(plan: skep_exec::Plan) { println!("{plan:?}"); }
//! ```

#[cfg(target_os = "linux")]
mod frame;
#[cfg(target_os = "linux")]
mod launch;
mod layer;
#[cfg(target_os = "linux")]
mod order;
mod outcome;
mod plan;
mod redact;
#[cfg(not(target_os = "linux"))]
#[path = "elsewhere.rs"]
mod run;
#[cfg(target_os = "linux")]
mod run;

pub use layer::{Demand, Layer, Missing};
pub use outcome::{ExecError, Exit, Outcome};
pub use plan::{Draft, Egress, Limits, Plan, PlanError, Secret};
pub use redact::{Captured, GRADE, Redacted, Redactor, SHORTEST, Stream, UNCOVERED, Uncovered};
pub use run::{Runner, launcher};
