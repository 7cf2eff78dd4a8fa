//! RenderService: pictures, explanations and reports of runs, for clients in every language.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;

use anstream::StripStream;
use futures_util::{FutureExt, Stream, stream};
use halfopen_proto::v1::event::Kind;
use halfopen_proto::v1::render_request::Source;
use halfopen_proto::v1::render_service_server::RenderService;
use halfopen_proto::v1::{Event, ExecuteRunRequest, RenderFormat, RenderRequest, RenderResponse};
use halfopen_sim::{Interruption, RunOptions, Sink};
use halfopen_view::explain::{self, ExplainOptions};
use halfopen_view::picture::PictureOptions;
use halfopen_view::picture::text::{AsciiWriter, Paper};
use halfopen_view::record::RunRecord;
use halfopen_view::report::{
    DrawingForm, DrawingReporter, HtmlReporter, JsonReporter, JunitReporter, NdjsonReporter, Reporter,
    TapReporter, TextOptions, TextReporter,
};
use prost::Message;
use tonic::{Request, Response, Status};

use crate::convert::Converter;
use crate::cost::Meter;
use crate::deadline::deadline;
use crate::execution::Runner;
use crate::lifecycle::OpenStream;
use crate::loading::{Latest, Wanted, named};
use crate::port::{caller, require};
use crate::session::Watch;
use crate::shared::Shared;
use crate::status;
use crate::tenant::Role;
use crate::work::{Caller, Work};

/// The size, in bytes, of a part of the text.
const PART: usize = 256 * 1024;
/// The number of events that are rendered at most.
const MAX_EVENTS: usize = 500_000;
/// The width of text, in columns.
const WIDTH: usize = 100;
const WIDTHS: std::ops::RangeInclusive<usize> = 20..=1000;

/// Handles the calls of RenderService.
pub(crate) struct RenderHandler(pub(crate) Arc<Shared>);

#[tonic::async_trait]
impl RenderService for RenderHandler {
    type RenderStream = Pin<Box<dyn Stream<Item = Result<RenderResponse, Status>> + Send>>;

    async fn render(&self, request: Request<RenderRequest>) -> Result<Response<Self::RenderStream>, Status> {
        let shared = &self.0;
        let open = shared.lifecycle.open()?;
        let (deadline, caller) = (deadline(request.metadata()), caller(request.extensions()));
        let bytes = request.get_ref().encoded_len();
        if matches!(request.get_ref().source, Some(Source::Run(_))) {
            require(request.extensions(), Role::Run, "Render of a run")?;
        }
        let mut request = request.into_inner();
        if request.format() == RenderFormat::Unspecified {
            return Err(status::format_missing());
        }
        let source = self.source(&caller, request.source.take().ok_or_else(status::source_missing)?).await?;
        let render =
            move |is_wanted: &dyn Fn() -> bool| rendered(&request, source.events(is_wanted)?, is_wanted);
        let text = shared.pool.compute((caller, Work::Rendering), bytes, deadline, render).await??;
        let text = Streamed { text, sent: 0, open };
        Ok(Response::new(Box::pin(stream::unfold(text, Streamed::next))))
    }
}

impl RenderHandler {
    /// Where the events come from. They are made on a thread of the pool.
    async fn source(&self, caller: &Caller, asked: Source) -> Result<Events, Status> {
        let Shared { sessions, latest, runner, .. } = self.0.as_ref();
        match asked {
            Source::Session(session) => {
                let events = sessions.look(caller.tenant(), &session).await?.events;
                match usize::try_from(events).ok().filter(|events| *events <= MAX_EVENTS) {
                    Some(events) => {
                        let watch = sessions.watch(caller.tenant(), &session, 0)?;
                        Ok(Events::Session(Box::new(watch), events))
                    }
                    None => Err(status::render_too_large(events, MAX_EVENTS)),
                }
            }
            Source::Run(ExecuteRunRequest { source, seed, variant, profile, snapshot_length }) => {
                let source = source.ok_or_else(status::source_missing)?;
                let wanted = Wanted { source, variant, profile: named(&profile)?, session: false };
                let (options, meter) = (self.0.run_options(seed, snapshot_length), self.0.meter());
                let (latest, runner) = (latest.clone(), Arc::clone(runner));
                Ok(Events::Run(Box::new(Run { wanted, options, meter, latest, runner })))
            }
            Source::Recording(recording) => Ok(Events::Recording(recording.events)),
        }
    }
}

/// Where the events come from.
enum Events {
    /// The first events of a session, this many.
    Session(Box<Watch>, usize),
    /// A run that is to be executed.
    Run(Box<Run>),
    Recording(Vec<Event>),
}

/// A run that is to be executed.
struct Run {
    wanted: Wanted,
    options: RunOptions,
    meter: Meter,
    latest: Latest,
    runner: Arc<dyn Runner>,
}

impl Events {
    fn events(self, is_wanted: &dyn Fn() -> bool) -> Result<Vec<Event>, Status> {
        match self {
            Events::Recording(events) => Ok(events),
            Events::Session(mut watch, until) => Ok(watch.there().take(until).collect()),
            Events::Run(run) => {
                let Run { wanted, options, mut meter, latest, runner } = *run;
                let scenario = latest.load(wanted)?;
                let mut collector =
                    Collector { converter: Converter::default(), events: Vec::new(), is_wanted };
                runner.run(&scenario, &options, &mut meter.run(&mut collector));
                match collector.events.len() {
                    events if events > MAX_EVENTS => Err(status::render_too_large(events as u64, MAX_EVENTS)),
                    _ => Ok(collector.events),
                }
            }
        }
    }
}

/// Collects the events of a run, until there are too many.
struct Collector<'a> {
    converter: Converter,
    events: Vec<Event>,
    is_wanted: &'a dyn Fn() -> bool,
}

impl Sink for Collector<'_> {
    fn chunk(&mut self, first_sequence: u64, events: &Arc<Vec<halfopen_trace::Event>>) {
        for (sequence, event) in (first_sequence..).zip(events.iter()) {
            self.events.push(self.converter.event(sequence, event).0);
        }
    }

    fn keep_going(&mut self, _memory: u64) -> ControlFlow<Interruption> {
        match self.events.len() <= MAX_EVENTS && (self.is_wanted)() {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(Interruption::Unwanted),
        }
    }
}

/// The text that is asked for.
fn rendered(
    request: &RenderRequest,
    events: Vec<Event>,
    is_wanted: &dyn Fn() -> bool,
) -> Result<String, Status> {
    let Some(Kind::RunStarted(started)) = events.first().and_then(|event| event.kind.as_ref()) else {
        return Err(status::events_invalid("the first is not `run_started`"));
    };
    if (1..).zip(&events).any(|(sequence, event)| event.sequence != sequence) {
        return Err(status::events_invalid("their sequence numbers are not 1, 2, 3, …"));
    }
    let name = match (request.name.as_str(), started.variant.as_str()) {
        ("", "") => started.scenario.clone(),
        ("", variant) => format!("{}/{variant}", started.scenario),
        (name, _) => name.to_owned(),
    };
    let record = RunRecord { events, ..RunRecord::new(name) };
    let mut out = Vec::new();
    let written = match request.colors {
        true => write(request, &record, &mut Asking { out: &mut out, is_wanted }),
        false => write(request, &record, &mut Asking { out: &mut StripStream::new(&mut out), is_wanted }),
    };
    written.map_err(|error| status::render_failed(&error))?;
    String::from_utf8(out).map_err(|error| status::render_failed(&error))
}

/// Fails once nobody wants what is written.
struct Asking<'a> {
    out: &'a mut dyn Write,
    is_wanted: &'a dyn Fn() -> bool,
}

impl Write for Asking<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match (self.is_wanted)() {
            true => self.out.write(bytes),
            false => Err(io::Error::other("nobody wants it any longer")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn write(request: &RenderRequest, record: &RunRecord, out: &mut dyn Write) -> io::Result<()> {
    let width = match request.width as usize {
        0 => WIDTH,
        width => width.clamp(*WIDTHS.start(), *WIDTHS.end()),
    };
    let mut picture = PictureOptions { timers: request.timers, ..PictureOptions::default() };
    if request.rows > 0 {
        picture.rows = request.rows as usize;
    }
    let mut reporter: Box<dyn Reporter + '_> = match request.format() {
        RenderFormat::Explanation => {
            let explanation = explain::explain(record, ExplainOptions::default());
            return out.write_all(explain::text::write(&explanation, width).as_bytes());
        }
        RenderFormat::Unspecified | RenderFormat::Text => {
            let paper = Paper { width, ascii: request.ascii };
            let options = TextOptions { picture, paper, columns: Some(width), ..TextOptions::default() };
            match request.ascii {
                true => Box::new(TextReporter::new(AsciiWriter::new(out), options, |_| true)),
                false => Box::new(TextReporter::new(out, options, |_| true)),
            }
        }
        RenderFormat::Svg => Box::new(DrawingReporter::new(out, DrawingForm::Svg, picture)),
        RenderFormat::Mermaid => Box::new(DrawingReporter::new(out, DrawingForm::Mermaid, picture)),
        RenderFormat::Html => Box::new(HtmlReporter::new(out)),
        RenderFormat::Junit => Box::new(JunitReporter::new(out)),
        RenderFormat::Tap => Box::new(TapReporter::new(out)),
        RenderFormat::Json => Box::new(JsonReporter::new(out)),
        RenderFormat::Ndjson => Box::new(NdjsonReporter::new(out)),
    };
    reporter.events(&record.events)?;
    reporter.run(record)?;
    reporter.end()
}

/// A text that is streamed, and how much of it was.
struct Streamed {
    text: String,
    sent: usize,
    open: OpenStream,
}

impl Streamed {
    /// The next part; `None` after the last.
    async fn next(mut self) -> Option<(Result<RenderResponse, Status>, Streamed)> {
        let limit = (self.sent + PART).min(self.text.len());
        let end = (self.sent..=limit).rev().find(|end| self.text.is_char_boundary(*end))?;
        if end == self.sent {
            return None;
        }
        if self.open.ended().now_or_never().is_some() {
            self.sent = self.text.len();
            return Some((Err(status::shutting_down()), self));
        }
        let text = self.text[self.sent..end].to_owned();
        self.sent = end;
        Some((Ok(RenderResponse { text }), self))
    }
}
