//! `halfopen list`: the bundled scenarios.

use std::io::Write;

use anstyle::Style;
use halfopen_proto::v1::ScenarioSummary;
use halfopen_view::columns;
use halfopen_view::words::plain;

use crate::args::{GlobalArgs, Output};
use crate::bundled::Library;
use crate::failure::Failure;
use crate::{exit, output};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const UNDERLINED: Style = Style::new().underline();

/// Options of `list`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Names, subjects or quoted patterns of names [default: all]
    #[arg(value_name = "NAME|SUBJECT|PATTERN")]
    names: Vec<String>,

    /// Output format
    #[arg(long, short, value_enum, default_value_t)]
    output: Output,
}

pub(super) async fn execute(global: &GlobalArgs, args: &Args) -> Result<u8, Failure> {
    let mut client = global.connect().await?;
    let scenarios = Library::new(&mut client).summaries(&args.names).await?;
    let mut out = output::stdout();
    let widest = scenarios.iter().map(|scenario| scenario.name.len()).max().unwrap_or(0);
    let terminal = output::terminal_width();
    let mut subject = None;
    for scenario in &scenarios {
        let ScenarioSummary { name, title, .. } = scenario;
        match args.output {
            Output::Text => {
                let before = subject.replace(&scenario.subject);
                if before != subject {
                    let gap = if before.is_some() { "\n" } else { "" };
                    let (title, subject) = (plain(&scenario.subject_title), plain(&scenario.subject));
                    writeln!(out, "{gap}{UNDERLINED}{title}{UNDERLINED:#} ({subject})")?;
                }
                let (name, title) = (plain(name), plain(title));
                let mut name = name.as_str();
                for line in lines(&title, widest, terminal) {
                    writeln!(out, "  {BOLD}{name:<widest$}{BOLD:#}  {line}")?;
                    name = "";
                }
                if !scenario.variants.is_empty() {
                    let variants = plain(&format!("variants: {}", scenario.variants.join(", ")));
                    for line in lines(&variants, widest, terminal) {
                        writeln!(out, "  {:widest$}  {DIM}{line}{DIM:#}", "")?;
                    }
                }
            }
            Output::Json | Output::Ndjson => output::json_line(&mut out, scenario)?,
        }
    }
    out.flush()?;
    Ok(exit::PASSED)
}

/// The lines of a text beside the names, as long as a terminal is wide.
fn lines(text: &str, names: usize, terminal: Option<usize>) -> Vec<String> {
    match terminal {
        Some(width) => columns::wrap(columns::words(text), width.saturating_sub(names + 4).max(LEAST)),
        None => vec![text.to_owned()],
    }
}

/// A text is not broken into shorter lines.
const LEAST: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_broken_between_words_on_a_terminal_only() {
        let title = "An acknowledgment is delayed by 40 ms, waiting for data";
        assert_eq!(lines(title, 26, None), [title]);
        assert_eq!(
            lines(title, 26, Some(60)),
            ["An acknowledgment is delayed", "by 40 ms, waiting for data"]
        );
        assert_eq!(lines(title, 26, Some(10)).join(" "), title);
    }
}
