//! Gives rules to the kernel through the `nft` program.
//!
//! The program acts on the network namespace of the thread that starts it and needs `CAP_NET_ADMIN`. One input is
//! one transaction: either all of it is in force or nothing has changed.

use std::ffi::OsString;
use std::io;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::render::{render, render_removal};
use crate::ruleset::Ruleset;

/// Why rules are not in force.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The program could not be run.
    #[error("cannot run the nft program")]
    Run(#[source] io::Error),
    /// The program, or the kernel, did not accept the rules. Nothing has changed.
    #[error("nft did not accept the rules: {0}")]
    Refused(String),
    /// The program did not end; what it did is unknown until the next install.
    #[error("nft did not end within {} s", PATIENCE.as_secs())]
    Silent,
}

/// Far more than 5000 services take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Replaces and removes Fairway's table.
#[derive(Debug, Clone)]
pub struct Installer {
    program: OsString,
}

impl Default for Installer {
    fn default() -> Self {
        Self { program: "nft".into() }
    }
}

impl Installer {
    /// Uses this program instead of the `nft` of the search path.
    pub fn with_program(program: impl Into<OsString>) -> Self {
        Self { program: program.into() }
    }

    /// Makes the ruleset the one in force.
    pub async fn install(&self, ruleset: &Ruleset) -> Result<(), InstallError> {
        self.run(&render(ruleset)).await
    }

    /// Removes the table; no error if there is none.
    pub async fn remove(&self) -> Result<(), InstallError> {
        self.run(&render_removal()).await
    }

    async fn run(&self, input: &str) -> Result<(), InstallError> {
        let mut program = Command::new(&self.program);
        program.args(["-f", "-"]).kill_on_drop(true);
        program.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = program.spawn().map_err(InstallError::Run)?;
        let stdin = child.stdin.take();
        let work = async {
            let write = async {
                if let Some(mut stdin) = stdin {
                    // A program that stops reading tells why on its error output.
                    let _ = stdin.write_all(input.as_bytes()).await;
                }
            };
            let ((), output) = tokio::join!(write, child.wait_with_output());
            output.map_err(InstallError::Run)
        };
        let output = tokio::time::timeout(PATIENCE, work).await.map_err(|_| InstallError::Silent)??;
        if output.status.success() {
            return Ok(());
        }
        Err(InstallError::Refused(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }
}
