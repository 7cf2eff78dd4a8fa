//! The service binary.

use std::process::ExitCode;

use clap::Parser;
use halfopend::{ServeOptions, log_to_stderr, run};

/// Gives memory back to the system after a peak, also while all threads are idle.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Runs halfopen scenarios and streams their events over gRPC.
///
/// One port answers gRPC, gRPC-Web, reflection, health checks, GET /healthz and GET /metrics. The log is on standard error;
/// HALFOPEN_LOG sets its level.
#[derive(Parser)]
#[command(name = "halfopend", version)]
struct Program {
    #[command(flatten)]
    serve: ServeOptions,
}

#[tokio::main]
async fn main() -> ExitCode {
    let program = Program::parse();
    log_to_stderr(program.serve.log_format);
    match run(&program.serve).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("halfopend: {error}");
            ExitCode::FAILURE
        }
    }
}
