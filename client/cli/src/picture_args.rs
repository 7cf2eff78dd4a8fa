//! The options of all commands that draw a run.

use clap::{Args, ValueEnum};
use halfopen_view::picture::text::Paper;
use halfopen_view::picture::{self, Between, Kind, PictureOptions, Selection};

use crate::output;

/// The heading of these options in the help.
pub(crate) const HEADING: &str = "Picture";

/// How a run is drawn.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = HEADING)]
pub(crate) struct PictureArgs {
    /// Show when timers are set, fire and are cancelled
    #[arg(long)]
    timers: bool,

    /// The maximum number of rows of a picture; rows in the middle are left out
    #[arg(long, value_name = "N", default_value_t = PictureOptions::default().rows)]
    rows: usize,

    /// Width of a picture in columns [default: that of the terminal]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(20..))]
    width: Option<u16>,

    /// Use only ASCII characters; this is the default on terminals whose locale is not UTF-8
    #[arg(long)]
    ascii: bool,

    /// Whether a segment has one row, or one where it departs and one where it arrives
    #[arg(long, value_enum, default_value_t)]
    arrows: Arrows,

    /// Show every row, even repetitions
    #[arg(long)]
    no_fold: bool,

    /// Show only these kinds of rows: segments, data, syn, fin, rst, lost, retransmissions, probes, states, timers,
    /// application, errors, faults, middleboxes
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    only: Vec<Kind>,

    /// Show only these connections, by their numbers
    #[arg(long, value_name = "N", value_delimiter = ',')]
    connection: Vec<u32>,

    /// Show only what happens between two times or two hosts: 1h..2h, client..server
    #[arg(long, value_name = "A..B")]
    between: Option<Between>,
}

/// Which rows a segment has.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Arrows {
    /// One row per segment
    #[default]
    Flat,
    /// One row where it departs and one where it arrives
    Sloped,
}

impl PictureArgs {
    /// What a picture shows.
    pub(crate) fn options(&self) -> PictureOptions {
        let selection = Selection {
            only: self.only.iter().copied().collect(),
            connections: self.connection.iter().copied().collect(),
            between: self.between.clone(),
        };
        let arrows = match self.arrows {
            Arrows::Flat => picture::Arrows::Flat,
            Arrows::Sloped => picture::Arrows::Sloped,
        };
        PictureOptions { timers: self.timers, rows: self.rows, fold: !self.no_fold, arrows, selection }
    }

    /// How many columns the text around it has: those that the terminal has or --width says; `None`: any number.
    pub(crate) fn columns(&self) -> Option<usize> {
        self.width.map(usize::from).or_else(output::terminal_width)
    }

    /// What it is drawn on: as wide as the terminal, unless --width says otherwise.
    pub(crate) fn paper(&self) -> Paper {
        Paper {
            width: self.width.map_or_else(output::width, usize::from),
            ascii: self.ascii || !output::has_unicode(),
        }
    }
}
