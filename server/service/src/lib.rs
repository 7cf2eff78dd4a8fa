//! The halfopen gRPC service.
//!
//! [`Service`] executes scenarios and streams their events, on a port ([`Service::serve`]) or over a connection inside the
//! process ([`Service::connect`]). [`ServeOptions`] and [`run`] are the service as a program.

mod access;
mod audience;
mod cli;
mod clock;
mod config;
mod convert;
mod cost;
mod credential;
mod deadline;
mod execution;
mod history;
mod history_service;
mod id;
mod lifecycle;
mod load;
mod loading;
mod log;
mod metrics;
mod pool;
mod port;
mod program;
mod render_service;
mod run_service;
mod scenario_service;
mod server_service;
mod service;
mod session;
mod session_service;
mod setup;
mod shared;
mod signals;
mod status;
mod tail;
mod tenant;
mod tenants;
mod text;
mod tls;
mod turn;
mod work;

/// The JSON Schema of scenarios.
pub use halfopen_scenario::schema;

/// The text of a variant as a scenario of its own, without the comments. Fails with what is wrong if the text is not a
/// scenario with that variant.
pub fn standalone(text: &str, variant: &str) -> Result<String, String> {
    let scenario = halfopen_scenario::load_variant(text, Some(variant)).map_err(|error| error.to_string())?;
    Ok(halfopen_scenario::write(&scenario))
}

pub use access::{Access, Origin};
pub use cli::{BudgetOptions, HistoryOptions, ServeError, ServeOptions, run};
pub use config::Config;
pub use execution::Runner;
pub use halfopen_history::{OpenError, Retention};
pub use halfopen_proto::Token;
pub use halfopen_sim::Budget;
pub use history::KeptRuns;
pub use load::Load;
pub use log::{LOG_VARIABLE, LogFormat, log_to_stderr};
pub use port::PortLimits;
pub use program::program;
pub use service::Service;
pub use setup::{Setup, SetupError};
pub use tenants::Tenants;
pub use tls::{Tls, TlsError};
