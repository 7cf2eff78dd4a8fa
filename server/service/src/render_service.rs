//! RenderService: pictures, explanations and reports of runs, for clients in every language.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;

use anstream::StripStream;
use futures_util::{Stream, stream};
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

use crate::config::Config;
use crate::convert::Converter;
use crate::cost::Meter;
use crate::deadline::deadline;
use crate::loading::{Wanted, named};
use crate::port::caller;
use crate::shared::Shared;
use crate::status;
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
        let _open = shared.lifecycle.open()?;
        let (deadline, caller) = (deadline(request.metadata()), caller(request.extensions()));
        let bytes = request.get_ref().encoded_len();
        let mut request = request.into_inner();
        if request.format() == RenderFormat::Unspecified {
            return Err(status::format_missing());
        }
        let events = match request.source.take().ok_or_else(status::source_missing)? {
            Source::Session(session) => self.of_session(&session).await?,
            Source::Run(run) => self.of_run(caller, deadline, run).await?,
            Source::Recording(recording) => recording.events,
        };
        let render = move |_: &dyn Fn() -> bool| rendered(&request, events);
        let text = shared.pool.compute((caller, Work::Rendering), bytes, deadline, render).await??;
        Ok(Response::new(Box::pin(stream::unfold(text, |rest| async { next_part(rest) }))))
    }
}

impl RenderHandler {
    /// The events of a session so far.
    async fn of_session(&self, session: &str) -> Result<Vec<Event>, Status> {
        let until = self.0.sessions.look(session).await?.events;
        if until > MAX_EVENTS as u64 {
            return Err(status::render_too_large(until, MAX_EVENTS));
        }
        let mut watch = self.0.sessions.watch(session, 0)?;
        let mut events: Vec<Event> = Vec::new();
        while (events.len() as u64) < until {
            let Some(more) = watch.next().await else { break };
            events.extend(more);
        }
        Ok(events)
    }

    /// The events of a run, which is executed.
    async fn of_run(
        &self,
        caller: Caller,
        deadline: Option<tokio::time::Instant>,
        request: ExecuteRunRequest,
    ) -> Result<Vec<Event>, Status> {
        let ExecuteRunRequest { source, seed, variant, profile, snapshot_length } = request;
        let source = source.ok_or_else(status::source_missing)?;
        let wanted = Wanted { source, variant, profile: named(&profile)?, session: false };
        let Config { budget, processor_time, .. } = self.0.config;
        let seed = seed.unwrap_or(RunOptions::default().seed);
        let options = RunOptions { seed, snapshot_length, budget, keeps_trace: false };
        let mut meter = Meter::new(self.0.memory.clone(), processor_time);
        let (latest, runner, bytes) = (self.0.latest.clone(), Arc::clone(&self.0.runner), wanted.bytes());
        let run = move |is_wanted: &dyn Fn() -> bool| {
            let scenario = latest.load(wanted)?;
            let mut collector = Collector { converter: Converter::default(), events: Vec::new(), is_wanted };
            runner.run(&scenario, &options, &mut meter.run(&mut collector));
            match collector.events.len() {
                events if events > MAX_EVENTS => Err(status::render_too_large(events as u64, MAX_EVENTS)),
                _ => Ok(collector.events),
            }
        };
        self.0.pool.compute((caller, Work::Rendering), bytes, deadline, run).await?
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
fn rendered(request: &RenderRequest, events: Vec<Event>) -> Result<String, Status> {
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
        true => write(request, &record, &mut out),
        false => write(request, &record, &mut StripStream::new(&mut out)),
    };
    written.map_err(|error| status::render_failed(&error))?;
    String::from_utf8(out).map_err(|error| status::render_failed(&error))
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

/// The next part of a text, and what is left.
fn next_part(mut text: String) -> Option<(Result<RenderResponse, Status>, String)> {
    if text.is_empty() {
        return None;
    }
    let rest = match text.len() <= PART {
        true => String::new(),
        false => text.split_off((0..=PART).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(PART)),
    };
    Some((Ok(RenderResponse { text }), rest))
}
