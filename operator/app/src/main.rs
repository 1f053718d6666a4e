//! The operator's binary: commands, queue, metrics and wiring.

mod admin;
mod options;
mod plan;
mod ports;
mod run;
mod unit;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tikv_jemallocator::Jemalloc;
use tracing_subscriber::EnvFilter;

/// Gives back what a wave of looks took, and keeps what stays close together; built as `.cargo/config.toml` says.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// Turns LoadBalancer Services and Ingresses into load balancers and DNS records.
#[derive(Debug, Parser)]
#[command(name = "fairway", version)]
struct Cli {
    /// What is logged, such as `info` or `fairway_engine=debug`.
    #[arg(long, env = "FAIRWAY_LOG", default_value = "info", global = true)]
    log: String,
    /// Log lines as JSON objects.
    #[arg(long, global = true)]
    log_json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the controller.
    Run(Box<run::Run>),
    /// Say what would be done, and for whom; apply nothing.
    Plan(Box<plan::Plan>),
    /// Say what a first run would change in a cluster of the AWS Load Balancer Controller; apply nothing.
    Takeover(Box<plan::Takeover>),
    /// List what carries the cluster's tags on AWS and belongs to nothing in it; delete it when told to.
    Orphans(Box<plan::Orphans>),
    /// Say of one object what was read, decided and is to do, and whose move it is; apply nothing.
    Explain(Box<plan::Explain>),
    /// Write down what decisions are made from, for `plan --manifests --facts --observed`.
    Capture(Box<plan::Capture>),
}

fn main() -> ExitCode {
    let told = match Cli::try_parse() {
        Ok(cli) => start(cli),
        // clap's own status for a wrong flag is what `plan` says when there are changes.
        Err(asked) => asked
            .print()
            .map(|()| if asked.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
            .map_err(Into::into),
    };
    told.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn start(cli: Cli) -> anyhow::Result<ExitCode> {
    let filter = EnvFilter::try_new(&cli.log)?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if cli.log_json {
        subscriber.json().init();
    } else {
        subscriber.init();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match cli.command {
        Command::Run(command) => runtime.block_on(run::run(*command)).map(|()| ExitCode::SUCCESS),
        Command::Plan(command) => runtime.block_on(plan::plan(*command)),
        Command::Takeover(command) => runtime.block_on(plan::takeover(*command)),
        Command::Orphans(command) => runtime.block_on(plan::orphans_command(*command)),
        Command::Explain(command) => runtime.block_on(plan::explain(*command)),
        Command::Capture(command) => runtime.block_on(plan::capture(*command)),
    }
}
