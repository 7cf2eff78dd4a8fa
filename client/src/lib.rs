//! The client of halfopen: talks to the service, and makes pictures and reports of what it says.
//!
//! ```no_run
//! use halfopen::client::{Client, ClientError, RunOptions, Source};
//!
//! # async fn example() -> Result<(), ClientError> {
//! let mut client = Client::connect("http://127.0.0.1:7950").await?;
//! let dead_client = Source::Bundled("dead-client".to_owned());
//! let mut events = client.run(&dead_client, &RunOptions { seed: Some(1), ..RunOptions::default() }).await?;
//! while let Some(batch) = events.next().await? {
//!     println!("{} events more", batch.len());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Without a server, `halfopend::Service::connect` gives a connection inside the process for [`client::Client::new`].
//!
//! A run is a list of events. [`client`] fetches it or [`recording`] reads it again, [`record`] keeps it with its result,
//! [`timeline`] joins its parts, [`picture`] and [`report`] write it down, [`explain`] tells it in
//! sentences, and [`diff`] says what two of them differ in.

pub mod client;
mod columns;
mod connection;
pub mod describe;
pub mod diff;
pub mod explain;
mod markup;
pub mod picture;
pub mod record;
pub mod recording;
pub mod report;
pub mod timeline;
pub mod words;
