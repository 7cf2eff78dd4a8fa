//! The Rust client of halfopen: a connection to a service, and the execution of many runs.
//!
//! ```no_run
//! use halfopen_client::{Client, ClientError, RunOptions, Source};
//!
//! # async fn example() -> Result<(), ClientError> {
//! let mut client = Client::connect("http://127.0.0.1:7950").await?;
//! let dead_client = Source::Bundled("dead-client".to_owned());
//! let mut events = client.run(&dead_client, &RunOptions { seed: Some(1), ..RunOptions::default() }).await?;
//! while let Some(batch) = events.next().await? {
//!     println!("{} more events", batch.len());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Without a server, `halfopend::Service::connect` gives a connection inside the process for [`Client::new`].
//!
//! In a [`session`], the caller's own code is the application: its streams run on TCP in virtual time.
//!
//! A [`Plan`] says which runs there are: scenarios, with their variants, times seeds, times repetitions. An [`Executor`] carries
//! them out, several at once, and passes them to a [`Reporter`](halfopen_view::report::Reporter) in the order of the plan. What is
//! made of events is in `halfopen_view`.

mod client;
mod connection;
mod error;
mod events;
mod executor;
mod fetch;
mod filter;
mod plan;
mod repeat;
mod seeds;
pub mod session;

pub use client::{Client, Source};
pub use connection::ConnectOptions;
pub use error::{BadOptions, ClientError, Refusal};
pub use events::EventStream;
pub use executor::{Executor, Progress, Summary};
pub use filter::Filter;
pub use plan::{Input, Plan, PlanError, PlanOptions, Planned};
pub use seeds::{Seeds, SeedsError};

pub use halfopen_proto::{InvalidToken, Token};
pub use halfopen_view::record::RunOptions;
