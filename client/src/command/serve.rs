//! `halfopen serve`: the service for other programs.

use std::env;

use halfopend::ServeOptions;

use crate::exit;
use crate::failure::Failure;

const EXAMPLES: &str = "\
Once it listens it prints one line of JSON, {\"listening\":\"127.0.0.1:7950\"}. Ctrl-C or SIGTERM lets open runs finish, a second one
does not. The log is on standard error; HALFOPEN_LOG says how much of it.

Examples:
  halfopen serve
  halfopen serve --listen 127.0.0.1:0 --threads 4
  HALFOPEN_TOKEN=$(openssl rand -hex 32) halfopen serve --listen 0.0.0.0:7950 --tls-cert cert.pem --tls-key key.pem";

/// How to serve.
#[derive(clap::Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    options: ServeOptions,
}

pub(super) async fn execute(args: &Args) -> Result<u8, Failure> {
    // Elsewhere an empty variable is one that is not set. Here somebody's secret got lost, and the port would be open.
    if args.options.token.is_none() && env::var_os("HALFOPEN_TOKEN").is_some_and(|token| token.is_empty()) {
        let message = "HALFOPEN_TOKEN is empty: give it a token, or unset it to serve everybody";
        return Err(Failure::Usage(message.to_owned()));
    }
    halfopend::log_to_stderr();
    halfopend::run(&args.options).await.map_err(Failure::Serve)?;
    Ok(exit::PASSED)
}
