//! What has happened in a session, and its ladder, which grows.

use std::io::{self, Write};

use halfopen_client::session::{CallError, Calls, Watch};
use halfopen_view::explain::{self, ExplainOptions};
use halfopen_view::picture::Picture;
use halfopen_view::picture::text::{AsciiWriter, Drawing, draw};
use halfopen_view::record::RunRecord;
use halfopen_view::report::{TextOptions, outcome};
use halfopen_view::timeline::Timeline;
use halfopen_view::{describe, words};

use super::player::PlayError;
use crate::output;
use crate::picture_args::PictureArgs;

/// The events so far, and where they are shown.
pub(super) struct Screen {
    watch: Watch,
    record: RunRecord,
    /// The last event of each part of the ladder.
    drawn: Vec<u64>,
    /// The names above the last part.
    heading: String,
    /// The terminal may become wider.
    picture: PictureArgs,
    out: Box<dyn Write>,
}

impl Screen {
    pub(super) fn new(name: String, watch: Watch, picture: PictureArgs) -> Screen {
        let out: Box<dyn Write> = match picture.paper().ascii {
            true => Box::new(AsciiWriter::new(output::stdout())),
            false => Box::new(output::stdout()),
        };
        let record = RunRecord { argument: None, ..RunRecord::new(name) };
        Screen { watch, record, drawn: Vec::new(), heading: String::new(), picture, out }
    }

    /// The run as far as it is.
    pub(super) fn record(&self) -> &RunRecord {
        &self.record
    }

    /// The sequence number of the last event that is known.
    pub(super) fn last_event(&self) -> u64 {
        self.record.events.last().map_or(0, |event| event.sequence)
    }

    /// Writes a line.
    pub(super) fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{}", words::plain(text))?;
        self.out.flush()
    }

    /// Reads what has happened since the last time.
    pub(super) async fn catch_up(&mut self, calls: &mut Calls) -> Result<(), CallError> {
        let happened = calls.state().await?.events;
        while (self.record.events.len() as u64) < happened {
            let Some(events) = self.watch.next().await? else { break };
            self.record.events.extend(events);
        }
        Ok(())
    }

    /// Draws the new rows of the ladder; above them the names of the hosts, if their places have changed.
    pub(super) fn draw_new(&mut self) -> io::Result<()> {
        let last = self.last_event();
        if self.drawn.last().copied().unwrap_or(0) >= last {
            return Ok(());
        }
        let timeline = Timeline::new(&self.record.events);
        let picture = Picture::next(&timeline, &self.picture.options(), &self.drawn);
        self.drawn.push(last);
        let drawing = Drawing::next(&picture, self.picture.paper());
        let heading = drawing.heading();
        if !heading.is_empty() && heading != self.heading {
            self.out.write_all(heading.as_bytes())?;
            self.heading = heading;
        }
        for (_, row) in drawing.rows() {
            self.out.write_all(row.as_bytes())?;
        }
        self.out.flush()
    }

    /// Draws everything so far.
    pub(super) fn ladder(&mut self) -> io::Result<()> {
        let picture = Picture::new(&Timeline::new(&self.record.events), &self.picture.options());
        self.out.write_all(draw(&picture, self.picture.paper()).as_bytes())?;
        self.out.flush()
    }

    /// Explains everything so far.
    pub(super) fn explain(&mut self) -> io::Result<()> {
        let explanation = explain::explain(&self.record, ExplainOptions::default());
        let text = explain::text::write(&explanation, self.picture.paper().width);
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    /// Lists the last events.
    pub(super) fn events(&mut self, last: usize) -> io::Result<()> {
        let first = self.record.events.len().saturating_sub(last);
        for event in &self.record.events[first..] {
            let time = words::duration(words::from_proto(event.time.as_ref()));
            let text = words::plain(&describe::event(event));
            writeln!(self.out, "{:>6}  {time:>12}  {text}", event.sequence)?;
        }
        self.out.flush()
    }

    /// Writes what came of the session: the expectations and the verdict.
    pub(super) fn outcome(&mut self) -> Result<(), PlayError> {
        let options = TextOptions {
            picture: self.picture.options(),
            paper: self.picture.paper(),
            columns: self.picture.columns(),
            ..TextOptions::default()
        };
        writeln!(self.out)?;
        outcome(&mut self.out, &self.record, &options)?;
        Ok(self.out.flush()?)
    }
}
