//! The halfopen gRPC service.
//!
//! [`Service`] executes scenarios and streams what happens. Served on a port ([`Service::serve`]) or over a connection
//! inside the process ([`Service::connect`]) it is the same. [`ServeOptions`] and [`run`] are the service as a program.

mod cli;
mod convert;
mod deadline;
mod lifecycle;
mod pool;
mod run_service;
mod scenario_service;
mod server_service;
mod service;
mod status;
mod tail;
mod tls;
mod token;

/// The JSON Schema of scenarios.
pub use halfopen_scenario::schema;

pub use cli::{ServeError, ServeOptions, log_to_stderr, run};
pub use halfopen_proto::Token;
pub use pool::Runner;
pub use service::{Access, Config, Load, Service};
pub use tls::{Tls, TlsError};
