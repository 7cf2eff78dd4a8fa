//! `halfopen man`: the manual, made from the same source as `--help`.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::failure::Failure;
use crate::{exit, help, output};

/// Where to write it.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Write a page for each command into this folder, instead of the main page to standard output
    directory: Option<PathBuf>,
}

pub(super) fn execute(args: &Args, whole: Command) -> Result<u8, Failure> {
    let mut command = whole.disable_help_subcommand(true);
    command.build();
    let mut out = output::stdout();
    let Some(directory) = &args.directory else {
        out.write_all(&page(&command)?)?;
        out.flush()?;
        return Ok(exit::PASSED);
    };
    if directory.is_file() {
        return Err(Failure::Usage(format!("`{}` is a file: name a folder", directory.display())));
    }
    let write = || {
        fs::create_dir_all(directory)?;
        for command in command.get_subcommands().chain([&command]) {
            let name = command.get_display_name().unwrap_or_else(|| command.get_name());
            fs::write(directory.join(format!("{name}.1")), page(command)?)?;
        }
        Ok::<_, io::Error>(())
    };
    let failed = |error| io::Error::other(format!("{}: {error}", directory.display()));
    write().map_err(failed)?;
    Ok(exit::PASSED)
}

/// The page of a command, as troff.
fn page(command: &Command) -> io::Result<Vec<u8>> {
    let version = env!("CARGO_PKG_VERSION");
    let man = Man::new(command.clone()).source(format!("halfopen {version}")).manual("halfopen");
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    let mut more = Roff::new();
    if command.has_subcommands() {
        man.render_subcommands_section(&mut text)?;
        about_all(&mut more);
    } else {
        more.control("SH", ["EXAMPLES"]);
        for (line, meaning) in help::examples(command.get_name()) {
            more.control("TP", []).text([bold(*line)]).text([roman(*meaning)]);
        }
        more.control("SH", ["SEE ALSO"])
            .text([bold("halfopen"), roman("(1) describes the exit codes and the settings")]);
    }
    more.to_writer(&mut text)?;
    Ok(text)
}

/// The part about all commands.
fn about_all(page: &mut Roff) {
    page.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in exit::ALL {
        page.control("TP", []).text([bold(code.to_string())]).text([roman(meaning)]);
    }
    page.control("PP", []).text([roman(exit::OF_SEVERAL)]);
    page.control("SH", ["SETTINGS"]);
    for paragraph in help::SETTINGS.split("\n\n") {
        page.control("PP", []);
        if paragraph.starts_with(' ') {
            page.control("EX", []).text([roman(paragraph)]).control("EE", []);
        } else {
            page.text([roman(paragraph)]);
        }
    }
}
