//! `halfopen completions`: what a shell needs to complete a command line.

use std::io::Write;

use clap::builder::PossibleValuesParser;
use clap_complete::Shell;

use crate::args::GlobalArgs;
use crate::failure::Failure;
use crate::{exit, help, output};

/// For whom.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(super) async fn execute(global: &GlobalArgs, args: &Args) -> Result<u8, Failure> {
    let scenarios = global.connect().await?.list().await?;
    // `show` takes nothing else; what takes files too would get no files any more.
    let names = PossibleValuesParser::new(scenarios.into_iter().map(|scenario| scenario.name));
    let mut command =
        help::command().mut_subcommand("show", |show| show.mut_arg("name", |name| name.value_parser(names)));
    // The generators do not expect that writing may fail.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "halfopen", &mut script);
    let mut out = output::stdout();
    out.write_all(&script)?;
    out.flush()?;
    Ok(exit::PASSED)
}
