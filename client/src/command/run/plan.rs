//! Which runs the inputs mean.

use halfopen::client::{Client, ClientError, RunOptions, Source};
use halfopen::record::RunRecord;

use super::Args;
use crate::bundled;
use crate::input::Input;

/// A run that was asked for.
pub(super) struct Planned {
    pub(super) record: RunRecord,
    pub(super) source: Result<Source, ClientError>,
}

/// Every run that the inputs mean: one each, or one for each of its variants. What is wrong is left for the run to say.
pub(super) async fn plan(client: &mut Client, inputs: &[Input], args: &Args) -> Vec<Planned> {
    let mut runs = Vec::new();
    for input in inputs {
        let input = &bundled::resolve(client, input).await;
        let source = input.read();
        let variants = match (&input.variant, &source) {
            (Some(variant), _) => vec![variant.clone()],
            (None, Ok(source)) => client.variants(source).await.unwrap_or_default(),
            (None, Err(_)) => Vec::new(),
        };
        match source {
            Ok(source) if !variants.is_empty() => runs.extend(variants.into_iter().map(|variant| Planned {
                record: record(input, Some(variant), args),
                source: Ok(source.clone()),
            })),
            source => runs.push(Planned { record: record(input, None, args), source }),
        }
    }
    runs
}

/// The record of a run that has not begun.
fn record(input: &Input, variant: Option<String>, args: &Args) -> RunRecord {
    let of_variant = |name: String| match &variant {
        Some(variant) => format!("{name}/{variant}"),
        None => name,
    };
    let record = RunRecord {
        argument: input.argument().map(of_variant),
        file: input.name(),
        ..RunRecord::new(of_variant(input.name()))
    };
    let (seed, profile) = (args.seed, args.profile.clone());
    RunRecord { options: RunOptions { variant, seed, profile, ..RunOptions::default() }, ..record }
}
