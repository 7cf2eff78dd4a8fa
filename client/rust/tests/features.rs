//! Options that a server does not support: the client refuses them, because the server would silently ignore them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "common/fake.rs"]
mod fake;

use fake::Fake;
use halfopen_client::{Client, ClientError, Source};
use halfopen_proto::v1::ServerFeature;
use halfopen_view::record::RunOptions;

/// Every feature, with the options that need it.
fn options() -> [(ServerFeature, RunOptions); 3] {
    let none = RunOptions::default;
    [
        (ServerFeature::Variants, RunOptions { variant: Some("held".to_owned()), ..none() }),
        (ServerFeature::Profiles, RunOptions { profile: Some("freebsd".to_owned()), ..none() }),
        (ServerFeature::Snapshots, RunOptions { snapshot_length: 64, ..none() }),
    ]
}

async fn run(server: &Fake, options: &RunOptions) -> Result<(), ClientError> {
    let mut client = Client::connect(&server.address).await.unwrap();
    client.run(&Source::Bundled("dead-client".to_owned()), options).await.map(|_| ())
}

#[tokio::test]
async fn an_option_that_the_server_does_not_support_is_refused() {
    let all = options().map(|(feature, _)| feature);
    for (feature, options) in options() {
        let others: Vec<ServerFeature> = all.into_iter().filter(|other| *other != feature).collect();
        for features in [Some(&others[..]), Some(&[]), None] {
            let server = Fake::start(features).await;
            let error = run(&server, &options).await.expect_err("it is not supported");
            assert!(matches!(error, ClientError::Unsupported { .. }), "{feature:?}, {features:?}: {error:?}");
            assert!(error.to_string().contains("update the server, or run without"), "{error}");
            assert_eq!(server.runs(), 0, "{feature:?}, {features:?}");
        }
    }
}

#[tokio::test]
async fn an_option_that_the_server_supports_is_sent() {
    for (feature, options) in options() {
        let server = Fake::start(Some(&[feature])).await;
        run(&server, &options).await.unwrap_or_else(|error| panic!("{feature:?}: {error}"));
        assert_eq!(server.runs(), 1, "{feature:?}");
    }
}

#[tokio::test]
async fn a_run_without_options_needs_no_feature() {
    for features in [Some(&[][..]), None] {
        let server = Fake::start(features).await;
        run(&server, &RunOptions { seed: Some(7), ..RunOptions::default() }).await.unwrap();
        assert_eq!(server.runs(), 1, "{features:?}");
    }
}
