//! `halfopen serve`: the service for other programs.

use std::env;

use halfopend::ServeOptions;

use crate::exit;
use crate::failure::Failure;

/// Options of `serve`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    options: ServeOptions,
}

pub(super) async fn execute(args: &Args) -> Result<u8, Failure> {
    // Elsewhere an empty variable counts as not set. Here a secret got lost, and the port would be open to everybody.
    if args.options.token.is_none() && env::var_os("HALFOPEN_TOKEN").is_some_and(|token| token.is_empty()) {
        let message = "HALFOPEN_TOKEN is empty: set it to a token, or unset it to serve everybody";
        return Err(Failure::Usage(message.to_owned()));
    }
    halfopend::log_to_stderr(args.options.log_format);
    halfopend::run(&args.options, None).await.map_err(Failure::Serve)?;
    Ok(exit::PASSED)
}
