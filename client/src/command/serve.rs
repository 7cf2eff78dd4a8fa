//! `halfopen serve`: the service for other programs.

use halfopend::ServeOptions;

use crate::exit;
use crate::failure::Failure;

/// How to serve.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    options: ServeOptions,
}

pub(super) async fn execute(args: &Args) -> Result<u8, Failure> {
    halfopend::log_to_stderr();
    halfopend::run(&args.options).await.map_err(Failure::Serve)?;
    Ok(exit::PASSED)
}
