//! Runs of bundled scenarios, executed in this process.

use std::sync::Arc;

use halfopen_client::{Client, Source};
use halfopen_view::record::{RunOptions, RunRecord};
use halfopen_view::words;
use halfopend::{Config, Service};

/// Every run of the bundled scenarios, whole, with its text.
pub(crate) fn bundled() -> Vec<RunRecord> {
    in_process(async |client| {
        let mut records = Vec::new();
        for scenario in client.list().await.unwrap() {
            let variants = match scenario.variants.is_empty() {
                true => vec![None],
                false => scenario.variants.into_iter().map(Some).collect(),
            };
            let text: Arc<str> = client.text(&scenario.name).await.unwrap().into();
            for variant in variants {
                let options = RunOptions { variant, ..RunOptions::default() };
                let record =
                    run(client, Source::Bundled(scenario.name.clone()), &scenario.name, options).await;
                records.push(RunRecord { source: Some(Arc::clone(&text)), ..record });
            }
        }
        records
    })
}

/// One run of a bundled scenario, whole.
pub(crate) fn one(scenario: &str, options: RunOptions) -> RunRecord {
    in_process(async |client| run(client, Source::Bundled(scenario.to_owned()), scenario, options).await)
}

/// The run of a text, whole.
pub(crate) fn written(text: &str) -> RunRecord {
    let source = Source::Text { file: "written.yaml".to_owned(), text: text.to_owned() };
    in_process(async |client| run(client, source, "written", RunOptions::default()).await)
}

fn in_process<T>(job: impl AsyncFnOnce(&mut Client) -> T) -> T {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let service = Service::new(&Config::default()).unwrap();
        let mut client = Client::new(service.connect(), "this process".to_owned());
        job(&mut client).await
    })
}

async fn run(client: &mut Client, source: Source, scenario: &str, options: RunOptions) -> RunRecord {
    let name = words::run(scenario, options.variant.as_deref().unwrap_or_default());
    let mut record = RunRecord::new(name);
    let mut stream = client.run(&source, &options).await.unwrap();
    while let Some(events) = stream.next().await.unwrap() {
        record.events.extend(events);
    }
    RunRecord { options, ..record }
}
