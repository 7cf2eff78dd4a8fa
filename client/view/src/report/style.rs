//! The colours of reports in text.

use anstyle::{AnsiColor, Style};

use crate::record::Outcome;

pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const BAD: Style = AnsiColor::Red.on_default();
pub(super) const GOOD: Style = AnsiColor::Green.on_default();

/// That of the name of an outcome.
pub(super) const fn style(outcome: Outcome) -> Style {
    match outcome {
        Outcome::Passed => GOOD.bold(),
        Outcome::Failed | Outcome::Unfinished | Outcome::Invalid | Outcome::NotFound | Outcome::NoServer => {
            BAD.bold()
        }
    }
}
