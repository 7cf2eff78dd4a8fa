//! `halfopen new`: a scenario to start from.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::args::GlobalArgs;
use crate::bundled::Library;
use crate::failure::Failure;
use crate::{exit, output};

/// The default scenario.
const TEMPLATE: &str = include_str!("../../templates/new.yaml");

/// What to write.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The file to write, which must not exist; .yaml is added to a name without an extension
    file: PathBuf,

    /// Copy this bundled scenario, or NAME/VARIANT, instead of a template
    #[arg(long, value_name = "NAME")]
    from: Option<String>,
}

pub(super) async fn execute(global: &GlobalArgs, args: &Args) -> Result<u8, Failure> {
    let file = match args.file.extension() {
        Some(_) => args.file.clone(),
        None => args.file.with_extension("yaml"),
    };
    let name = name(&file).map_err(Failure::Usage)?;
    let text = match &args.from {
        Some(bundled) => Library::new(&mut global.connect().await?).text(bundled).await?,
        None => TEMPLATE.to_owned(),
    };
    let failed = |error| Failure::Usage(format!("cannot write `{}`: {error}", file.display()));
    let mut new = OpenOptions::new().write(true).create_new(true).open(&file).map_err(failed)?;
    new.write_all(named(&text, name).as_bytes()).map_err(failed)?;
    let mut out = output::stdout();
    let path = file.display();
    writeln!(
        out,
        "wrote {path}: `halfopen run {path}` runs it, `halfopen watch {path}` whenever you save it"
    )?;
    out.flush()?;
    Ok(exit::PASSED)
}

/// The name of the scenario in a file of that name.
fn name(file: &Path) -> Result<&str, String> {
    let name = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let is_right = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    match !name.is_empty() && name.chars().all(is_right) {
        true => Ok(name),
        false => Err(format!(
            "`{}` cannot name a scenario: use letters, digits, `-` and `_`, as in hang.yaml",
            file.display()
        )),
    }
}

/// The text with another name of the scenario.
fn named(text: &str, name: &str) -> String {
    let line = |line: &str| match line.starts_with("scenario:") {
        true => format!("scenario: {name}\n"),
        false => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_called_like_its_file() {
        for (file, expected) in [
            ("a/b/dead-client_2.yaml", Some("dead-client_2")),
            ("x", Some("x")),
            ("a b.yaml", None),
            ("größe.yaml", None),
            ("..", None),
            ("", None),
        ] {
            assert_eq!(name(Path::new(file)).ok(), expected, "{file}");
        }
        assert_eq!(named("# a\nscenario: b\nhosts: {}\n", "c"), "# a\nscenario: c\nhosts: {}\n");
    }
}
