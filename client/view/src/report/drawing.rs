//! The picture of a run for other programs: SVG or Mermaid.

use std::io::{self, Write};

use super::Reporter;
use crate::picture::svg::{self, SvgOptions};
use crate::picture::{Picture, PictureOptions, mermaid};
use crate::record::RunRecord;
use crate::timeline::Timeline;
use crate::words;

/// The format of a drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrawingForm {
    /// An SVG document.
    Svg,
    /// A Mermaid sequence diagram.
    Mermaid,
}

/// Writes the picture of each run. A file of these formats holds one picture, so this is for one run.
#[derive(Debug)]
pub struct DrawingReporter<W> {
    out: W,
    form: DrawingForm,
    options: PictureOptions,
}

impl<W: Write> DrawingReporter<W> {
    /// Writes to `out`.
    pub fn new(out: W, form: DrawingForm, options: PictureOptions) -> DrawingReporter<W> {
        DrawingReporter { out, form, options }
    }
}

impl<W: Write> Reporter for DrawingReporter<W> {
    fn run(&mut self, record: &RunRecord) -> io::Result<()> {
        // A run that did not begin has no picture.
        let Some(started) = record.started() else { return Ok(()) };
        let name = words::run(&started.scenario, &started.variant);
        let title = match started.title.as_str() {
            "" => name,
            title => format!("{name}: {title}"),
        };
        let picture = Picture::new(&Timeline::new(&record.events), &self.options);
        let text = match self.form {
            DrawingForm::Svg => svg::svg(&picture, &SvgOptions { title }),
            DrawingForm::Mermaid => mermaid::mermaid(&picture, &title),
        };
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}
