//! Gives rules to the kernel through libnftables.
//!
//! They are for the network namespace of the calling thread, which needs `CAP_NET_ADMIN`. One input is one transaction:
//! either all of it is in force or nothing has changed.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use fairway_sys::{NftError, run_nft};
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};

use crate::render::{render, render_removal};
use crate::ruleset::Ruleset;

/// Why rules are not in force.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// No thread can be started, or the library cannot be used.
    #[error("rules cannot be given to the kernel")]
    Run(#[source] io::Error),
    /// The library, or the kernel, did not accept the rules. Nothing has changed.
    #[error("nftables did not accept the rules: {0}")]
    Refused(String),
    /// There is no answer; what is in force is unknown until the next install.
    #[error("nftables did not answer within {} s", PATIENCE.as_secs())]
    Silent,
}

impl From<NftError> for InstallError {
    fn from(error: NftError) -> Self {
        match error {
            NftError::Unusable(error) => Self::Run(error),
            other => Self::Refused(other.to_string()),
        }
    }
}

/// Far more than 5000 services take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The stack of a program's first thread, which is what the library is made for.
const STACK_BYTES: usize = 8 << 20;

/// Replaces and removes Fairway's table.
#[derive(Debug, Clone, Default)]
pub struct Installer {
    /// Held by the thread that talks to the kernel: what was given up waiting for still comes before what follows.
    turn: Arc<Mutex<()>>,
}

impl Installer {
    /// Makes the ruleset the one in force.
    pub async fn install(&self, ruleset: &Ruleset) -> Result<(), InstallError> {
        self.run(render(ruleset)).await
    }

    /// Removes the table; no error if there is none.
    pub async fn remove(&self) -> Result<(), InstallError> {
        self.run(render_removal()).await
    }

    async fn run(&self, commands: String) -> Result<(), InstallError> {
        let work = async {
            let turn = Arc::clone(&self.turn).lock_owned().await;
            let answer = start(commands, turn).map_err(InstallError::Run)?;
            answer.await.unwrap_or(Err(InstallError::Silent))
        };
        tokio::time::timeout(PATIENCE, work).await.unwrap_or(Err(InstallError::Silent))
    }
}

/// Runs the commands on a thread of its own: it is in the network namespace of the thread that starts it, which threads
/// of a pool need not be.
fn start(
    commands: String,
    turn: OwnedMutexGuard<()>,
) -> io::Result<oneshot::Receiver<Result<(), InstallError>>> {
    let (say, answer) = oneshot::channel();
    let run = move || {
        let result = run_nft(&commands).map_err(InstallError::from);
        drop(turn);
        // Who asked may have given up waiting.
        let _ = say.send(result);
    };
    thread::Builder::new().name("nftables".to_owned()).stack_size(STACK_BYTES).spawn(run)?;
    Ok(answer)
}
