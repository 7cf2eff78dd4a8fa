//! Standard output and standard error.

use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use halfopen_view::record::RunRecord;
use halfopen_view::{Stopped, words};
use serde::Serialize;

use crate::unread;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HELP: Style = AnsiColor::Cyan.on_default().bold();

/// The width of a ladder in columns where nothing says how wide the terminal is.
const DEFAULT_WIDTH: usize = 100;

/// What to do when no server answers.
pub(crate) const WITHOUT_SERVER: &str =
    "start one with `halfopen serve`, or leave out --server and HALFOPEN_SERVER to run inside this process";

/// What to do when no bundled scenario has a name.
pub(crate) const NAMES: &str = "`halfopen list` lists the names";

/// Standard output, with colours where they are wanted.
pub(crate) fn stdout() -> BufWriter<AutoStream<Stdout>> {
    BufWriter::with_capacity(64 * 1024, AutoStream::auto(io::stdout()))
}

/// The width of the terminal in columns, or of what stands for one.
pub(crate) fn width() -> usize {
    let columns = || std::env::var("COLUMNS").ok()?.parse().ok();
    terminal_width().or_else(columns).filter(|width| *width > 0).unwrap_or(DEFAULT_WIDTH)
}

/// The width of the terminal in columns; `None` if standard output is none: lines may have any length then.
pub(crate) fn terminal_width() -> Option<usize> {
    terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0))
}

/// Writes a value as JSON on a line of its own.
pub(crate) fn json_line(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

/// Whether standard output shows more than ASCII: a terminal does, unless it has [another charset](other_charset).
pub(crate) fn has_unicode() -> bool {
    !io::stdout().is_terminal() || other_charset(|name| std::env::var(name).ok()).is_none()
}

/// The variable that sets a charset other than UTF-8: `LC_ALL=C`. The one with the highest precedence that is set
/// decides; on Windows every terminal has UTF-8, as Rust writes it there.
pub(crate) fn other_charset(variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let set = |name| Some((name, variable(name).filter(|value| !value.is_empty())?));
    let (name, locale) = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set)?;
    let is_unicode = locale.to_ascii_lowercase().replace('-', "").contains("utf8");
    (!is_unicode && !cfg!(windows)).then(|| format!("{name}={locale}"))
}

/// Prints an error on standard error.
pub(crate) fn error(text: &str) {
    print(&format!("{ERROR}error{ERROR:#}: {}", lines(text)));
}

/// Prints a warning on standard error; the command goes on.
pub(crate) fn warning(text: &str) {
    print(&format!("{WARNING}warning{WARNING:#}: {}", lines(text)));
}

/// Prints on standard error what to do.
pub(crate) fn help(text: &str) {
    print(&format!("{HELP}help{HELP:#}: {}", lines(text)));
}

/// A text of several lines without terminal control characters: file names and messages of a server are not ours.
fn lines(text: &str) -> String {
    text.split('\n').map(words::plain).collect::<Vec<_>>().join("\n")
}

/// Prints on standard error. If nobody reads it, there is nobody to report that to.
pub(crate) fn print(text: &str) {
    let _ = unread::write_to_reader(&mut anstream::stderr().lock(), format!("{text}\n").as_bytes());
}

/// Prints on standard error why a run did not reach its end, if it did not.
pub(crate) fn print_stopped(record: &RunRecord) {
    match &record.stopped {
        None => {}
        Some(Stopped::Invalid { message, diagnostics }) => {
            for diagnostic in diagnostics {
                let text = diagnostic.rendered.trim_end();
                error(&format!("{text}\n"));
            }
            match diagnostics.len() {
                0 => error(&format!("{}: {message}", record.name)),
                1 => error(&format!("{} has a mistake", record.name)),
                many => error(&format!("{} has {many} mistakes", record.name)),
            }
        }
        Some(stopped @ Stopped::NoServer(_)) => {
            error(&stopped.to_string());
            help(WITHOUT_SERVER);
        }
        Some(stopped @ Stopped::NoScenario(_)) => {
            error(&stopped.to_string());
            help(NAMES);
        }
        Some(stopped) => error(&format!("{}: {stopped}", record.name)),
    }
}

#[cfg(test)]
mod tests {
    use super::{lines, other_charset};

    #[test]
    fn the_strongest_variable_says_what_the_terminal_has() {
        for (set, expected) in [
            (&[("LANG", "en_US.UTF-8")][..], None),
            (&[("LANG", "de_DE.utf8")], None),
            (&[("LANG", "C"), ("LC_ALL", "C.utf8")], None),
            (&[("LANG", "en_US.UTF-8"), ("LC_ALL", "C")], Some("LC_ALL=C")),
            (&[("LC_ALL", ""), ("LC_CTYPE", "POSIX")], Some("LC_CTYPE=POSIX")),
            (&[("LANG", "de_DE.ISO-8859-1")], Some("LANG=de_DE.ISO-8859-1")),
            (&[], None),
        ] {
            let variable = |name: &str| {
                set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            };
            let expected = expected.filter(|_| !cfg!(windows));
            assert_eq!(other_charset(variable).as_deref(), expected, "{set:?}");
        }
    }

    #[test]
    fn a_mistake_keeps_its_lines_and_steers_no_terminal() {
        assert_eq!(lines("error\n --> \u{1b}[2Jx.yaml\r\n"), "error\n -->  [2Jx.yaml \n");
    }
}
