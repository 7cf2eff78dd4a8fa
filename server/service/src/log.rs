//! The log on standard error.

use std::env;
use std::io::{self, IsTerminal};

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// The environment variable that selects what is logged.
pub const LOG_VARIABLE: &str = "HALFOPEN_LOG";

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

/// Writes the log to standard error: warnings, or what `HALFOPEN_LOG` selects (`info` has a line for each run;
/// `halfopend=debug,h2=info`).
pub fn log_to_stderr(format: LogFormat) {
    let wanted = env::var(LOG_VARIABLE).unwrap_or_default();
    let mut filter =
        EnvFilter::builder().with_default_directive(LevelFilter::WARN.into()).parse_lossy(&wanted);
    // turmoil tells each of its steps.
    if !wanted.contains("turmoil") {
        filter = filter.add_directive("turmoil=off".parse().expect("a directive"));
    }
    let color = io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(color).with_writer(io::stderr);
    // A log that is already set up stays.
    let _ = match format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
}
