//! `halfopen show`: the text of a bundled scenario.

use std::io::Write;

use halfopen_client::ClientError;

use crate::args::GlobalArgs;
use crate::failure::Failure;
use crate::{bundled, exit, output};

/// What to show.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Name of the scenario, or SUBJECT/NAME
    name: String,
}

pub(super) async fn execute(global: &GlobalArgs, args: &Args) -> Result<u8, Failure> {
    let Args { name } = args;
    let mut client = global.connect().await?;
    match client.text(name).await {
        Ok(text) => {
            let mut out = output::stdout();
            out.write_all(text.as_bytes())?;
            out.flush()?;
            Ok(exit::PASSED)
        }
        Err(error) => {
            output::error(&error.to_string());
            if matches!(error, ClientError::NotFound(_)) {
                bundled::suggest(&mut client, name).await;
            }
            Ok(exit::of_error(&error))
        }
    }
}
