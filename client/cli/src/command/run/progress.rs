//! A progress bar on the terminal.

use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::time::Duration;

use anstream::AutoStream;
use anstyle::Style;
use halfopen_client::Progress;
use halfopen_view::Stopped;
use halfopen_view::record::RunRecord;
use halfopen_view::words;
use indicatif::{ProgressDrawTarget, ProgressFinish, ProgressStyle};
use tokio::time::Instant;

use crate::wall_time::wall_time;
use crate::{output, unread};

const DIM: Style = Style::new().dimmed();
/// How many of the slowest runs are listed on a terminal.
const SLOWEST: usize = 3;
/// How often the elapsed time is updated.
const TICK: Duration = Duration::from_millis(100);

/// A bar on standard error while runs are under way, and how long they took when they are over. Nothing of it goes to
/// standard output, so that the same runs give the same text there.
#[derive(Debug)]
pub(super) struct ProgressBar {
    bar: indicatif::ProgressBar,
    begun: Instant,
    /// How many of the slowest runs are listed; `None`: no times are printed.
    listed: Option<usize>,
    /// The slowest runs, the slowest first.
    slowest: Vec<(Duration, String)>,
}

impl ProgressBar {
    /// Shows a bar if it is wanted, standard error is a terminal and there are several runs. `slowest`: how many slow
    /// runs are listed, terminal or not.
    pub(super) fn new(runs: u64, is_wanted: bool, slowest: Option<usize>) -> ProgressBar {
        let is_shown = is_wanted && runs > 1 && io::stderr().is_terminal();
        let target = if is_shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = indicatif::ProgressBar::with_draw_target(Some(runs), target)
            .with_finish(ProgressFinish::AndClear);
        if is_shown {
            let template = "[{bar:30}] {pos}/{len} runs{msg}, {elapsed}";
            let style = ProgressStyle::with_template(template).expect("a valid template");
            bar.set_style(style.progress_chars("=> "));
            bar.enable_steady_tick(TICK);
        }
        let listed = slowest.or(is_shown.then_some(SLOWEST));
        ProgressBar { bar, begun: Instant::now(), listed, slowest: Vec::new() }
    }

    /// Standard output, with colours where they are wanted. What is written never mixes with the bar.
    pub(super) fn stdout(&self) -> impl Write + 'static {
        let beside = Beside { out: AutoStream::auto(io::stdout()), bar: self.bar.clone() };
        BufWriter::with_capacity(64 * 1024, beside)
    }

    /// Removes the bar: no run is under way.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// Prints how long the runs took.
    pub(super) fn print_times(self) {
        if self.listed.is_none() {
            return;
        }
        output::print(&format!("{DIM}took {}{DIM:#}", wall_time(self.begun.elapsed())));
        for (took, name) in self.slowest {
            output::print(&format!("{DIM}{:>10}  {}{DIM:#}", wall_time(took), words::plain(&name)));
        }
    }
}

impl Progress for ProgressBar {
    fn ended(&mut self) {
        self.bar.inc(1);
    }

    /// Prints why on standard error, while the bar is hidden.
    fn stopped(&mut self, record: &RunRecord) {
        self.bar.suspend(|| output::print_stopped(record));
    }

    fn reported(&mut self, record: RunRecord, failed: u64) {
        if failed > 0 {
            self.bar.set_message(format!(", {failed} did not pass"));
        }
        if let (Some(took), Some(most)) = (record.took, self.listed) {
            let place = self.slowest.partition_point(|(slow, _)| *slow >= took);
            if place < most {
                self.slowest.insert(place, (took, record.name.clone()));
                self.slowest.truncate(most);
            }
        }
        if record.stopped == Some(Stopped::Interrupted) {
            // The program ends now; freeing a long run first would take time that the user does not grant.
            std::mem::forget(record);
        }
    }
}

/// Writes while the bar is hidden.
struct Beside<W> {
    out: W,
    bar: indicatif::ProgressBar,
}

impl<W: Write> Write for Beside<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let Beside { out, bar } = self;
        bar.suspend(|| unread::write_to_reader(out, octets))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
