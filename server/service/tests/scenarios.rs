//! ScenarioService: the bundled scenarios, and what is wrong with others.

mod common;

use std::sync::Arc;

use common::{SCENARIO, Server, config};
use halfopen_proto::v1::scenario_service_client::ScenarioServiceClient;
use halfopen_proto::v1::{GetScenarioRequest, ListScenariosRequest, ValidateScenarioRequest};
use halfopen_scenario::Scenario;
use halfopen_sim::{RunOptions, Sink};
use halfopend::Config;
use tonic::Code;
use tonic_types::StatusExt;

#[tokio::test]
async fn every_bundled_scenario_is_listed_and_valid() {
    let server = Server::start().await;
    let mut client = ScenarioServiceClient::new(server.channel().await);
    let request = ListScenariosRequest::default();
    let listed = client.list_scenarios(request).await.unwrap().into_inner().scenarios;
    let names: Vec<_> =
        listed.iter().map(|summary| format!("{}/{}", summary.subject, summary.name)).collect();
    assert!(names.contains(&"keepalive/dead-client".to_owned()), "{names:?}");
    assert!(names.is_sorted(), "{names:?}");
    for summary in listed {
        assert!(!summary.title.is_empty() && !summary.subject_title.is_empty(), "{summary:?}");
        let request = GetScenarioRequest { name: format!("{}/{}", summary.subject, summary.name) };
        let got = client.get_scenario(request).await.unwrap().into_inner();
        assert!(got.yaml.contains(&format!("scenario: {}", summary.name)), "{}", got.yaml);
        assert_eq!(got.summary, Some(summary));
        let request = ValidateScenarioRequest { yaml: got.yaml, ..ValidateScenarioRequest::default() };
        assert_eq!(client.validate_scenario(request).await.unwrap().into_inner().diagnostics, []);
    }
}

#[tokio::test]
async fn the_list_comes_in_pages_of_any_size() {
    let server = Server::start().await;
    let mut client = ScenarioServiceClient::new(server.channel().await);
    let whole = client.list_scenarios(ListScenariosRequest::default()).await.unwrap().into_inner();
    assert_eq!(whole.next_page_token, "");
    for page_size in [1, 7, whole.scenarios.len() as i32, i32::MAX] {
        let (mut listed, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = ListScenariosRequest { page_size, page_token };
            let page = client.list_scenarios(request).await.unwrap().into_inner();
            assert!((1..=page_size as usize).contains(&page.scenarios.len()));
            listed.extend(page.scenarios);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(listed, whole.scenarios, "{page_size}");
    }
    for (page_size, page_token, reason) in
        [(-1, "", "PAGE_SIZE_INVALID"), (1, "nothing", "PAGE_TOKEN_INVALID")]
    {
        let request = ListScenariosRequest { page_size, page_token: page_token.to_owned() };
        let status = client.list_scenarios(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(status.get_error_details().error_info().unwrap().reason, reason);
    }
}

#[tokio::test]
async fn an_unknown_scenario_is_not_found() {
    let server = Server::start().await;
    let mut client = ScenarioServiceClient::new(server.channel().await);
    let status = client.get_scenario(GetScenarioRequest { name: "nothing".into() }).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert_eq!(status.get_error_details().error_info().unwrap().reason, "SCENARIO_UNKNOWN");
}

#[tokio::test]
async fn validation_returns_every_mistake_with_its_place_and_a_rendering() {
    let server = Server::start().await;
    let mut client = ScenarioServiceClient::new(server.channel().await);
    let wrong = SCENARIO.replace("server:80", "sever:80").replace("ECONNREFUSED", "ECONREFUSED");
    for (file, drawn_as) in [("", "scenario.yaml:8"), ("mine.yaml", "mine.yaml:8")] {
        let request = ValidateScenarioRequest { yaml: wrong.clone(), file: file.into(), session: false };
        let diagnostics = client.validate_scenario(request).await.unwrap().into_inner().diagnostics;
        let [host, errno] = diagnostics.as_slice() else { panic!("{diagnostics:#?}") };
        assert_eq!((host.line, host.column), (8, 16), "{host:?}");
        assert_eq!(host.path, "applications.client[0].connect");
        assert_eq!(errno.line, 10, "{errno:?}");
        assert!(host.rendered.contains(drawn_as), "{}", host.rendered);
        assert!(host.rendered.contains("connect: sever:80"), "{}", host.rendered);
        assert!(!host.rendered.contains('\u{1b}'), "plain text: {}", host.rendered);
    }
}

#[tokio::test]
async fn a_scenario_for_a_session_needs_no_applications() {
    let server = Server::start().await;
    let mut client = ScenarioServiceClient::new(server.channel().await);
    for (session, mistakes) in [(true, 0), (false, 1)] {
        let yaml = "scenario: two\nhosts: {client: {}, server: {}}\n".to_owned();
        let request = ValidateScenarioRequest { yaml, session, ..ValidateScenarioRequest::default() };
        let found = client.validate_scenario(request).await.unwrap().into_inner().diagnostics;
        assert_eq!(found.len(), mistakes, "{found:#?}");
    }
}

#[tokio::test]
async fn validation_returns_the_variants_of_a_text_and_of_its_mistakes() {
    let server = Server::start().await;
    let mut client = ScenarioServiceClient::new(server.channel().await);
    let mut validate = async |variants: &str| {
        let yaml = format!("{SCENARIO}variants: {variants}\n");
        let request = ValidateScenarioRequest { yaml, ..ValidateScenarioRequest::default() };
        client.validate_scenario(request).await.unwrap().into_inner()
    };
    let good = validate("{near: , far: {until: 1s}}").await;
    assert_eq!((good.diagnostics, good.variants), (vec![], vec!["near".to_owned(), "far".to_owned()]));
    let wrong = validate("{near: , far: {until: 1}}").await;
    assert_eq!(wrong.variants, [""; 0]);
    assert_eq!(wrong.diagnostics[0].variants, ["far"]);
    assert!(wrong.diagnostics[0].rendered.contains("in variant `far`"), "{}", wrong.diagnostics[0].rendered);
}

#[tokio::test]
async fn a_long_file_name_is_an_invalid_argument() {
    let server = Server::start().await;
    let mut client = ScenarioServiceClient::new(server.channel().await);
    for (length, code) in [(256, None), (257, Some(Code::InvalidArgument))] {
        let request =
            ValidateScenarioRequest { yaml: SCENARIO.into(), file: "x".repeat(length), session: false };
        assert_eq!(client.validate_scenario(request).await.err().map(|status| status.code()), code);
    }
}

/// A text of 9 KiB whose hundred variants take long to check.
fn costly() -> String {
    let list = |name: char| (0..10).map(|number| format!("    {name}{number}: {{}}\n")).collect::<String>();
    let steps = "    - *step\n".repeat(900);
    SCENARIO.replace(
        "    - connect: server:80\n",
        &format!("    - connect: server:80\n    - &step {{set: {{nodelay: on}}}}\n{steps}"),
    ) + &format!("matrix:\n  a:\n{}  b:\n{}", list('v'), list('w'))
}

#[tokio::test]
async fn validations_nobody_waits_for_are_not_done() {
    let server = Server::with(
        &Config { queue: 1000, ..config() },
        |_: &Arc<Scenario>, _: &RunOptions, _: &mut dyn Sink| {},
    )
    .await;
    let client = ScenarioServiceClient::new(server.channel().await);
    let request = ValidateScenarioRequest { yaml: costly(), file: String::new(), session: false };
    let calls: Vec<_> = (0..90)
        .map(|_| {
            let (mut client, request) = (client.clone(), request.clone());
            tokio::spawn(async move { client.validate_scenario(request).await })
        })
        .collect();
    server.until(|load| load.waiting_runs > 50).await;
    for call in &calls {
        call.abort();
    }
    let short = ValidateScenarioRequest { yaml: SCENARIO.into(), file: String::new(), session: false };
    client.clone().validate_scenario(short).await.expect("it is right");
    // All of them would take longer than it is patient.
    server.until(|load| load.waiting_runs == 0).await;
}
