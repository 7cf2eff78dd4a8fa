//! `halfopen show`: the text of a bundled scenario.

use std::io::Write;

use crate::args::GlobalArgs;
use crate::bundled::Library;
use crate::failure::Failure;
use crate::{exit, output};

/// What to show.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Name of the scenario, or SUBJECT/NAME; NAME/VARIANT prints the variant as a scenario of its own, without comments
    name: String,
}

pub(super) async fn execute(global: &GlobalArgs, args: &Args) -> Result<u8, Failure> {
    let mut client = global.connect().await?;
    let text = Library::new(&mut client).text(&args.name).await?;
    let mut out = output::stdout();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(exit::PASSED)
}
