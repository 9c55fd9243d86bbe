//! Systems other than Linux: no layer can be applied, so no plan is run.

use std::ffi::OsString;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::layer::{Layer, Missing};
use crate::outcome::{ExecError, Outcome};
use crate::plan::Plan;

/// Refuses plans.
#[derive(Debug)]
pub struct Runner(());

impl Runner {
    /// A runner that touches nothing.
    pub fn new<P: Into<PathBuf>>(
        _jobs: impl Into<PathBuf>,
        _guarded: impl IntoIterator<Item = P>,
    ) -> io::Result<Self> {
        Ok(Self(()))
    }

    /// The same.
    #[must_use]
    pub fn with_launcher(self, _program: impl Into<PathBuf>) -> Self {
        self
    }

    /// Refuses the plan, with every layer as missing.
    pub async fn run(
        &self,
        _plan: Plan,
        _cancel: impl Future<Output = ()>,
    ) -> Result<Outcome, ExecError> {
        let missing = Layer::ALL.into_iter().map(|layer| Missing {
            layer,
            reason: "there is no such layer on this system".to_owned(),
        });
        Err(ExecError::Refused {
            missing: missing.collect(),
        })
    }
}

/// Never asked for here.
#[must_use]
pub fn launcher(_arguments: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    None
}
