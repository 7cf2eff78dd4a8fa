//! Faults, segments and destinations that are said about a scenario by themselves.

use std::time::Duration;

use halfopen_scenario::{
    Effect, HostId, LoadOptions, Scenario, SegmentAction, When, destination, load, load_faults, load_match,
    load_with,
};
use halfopen_tcp::Flags;

/// The time at which faults are added.
const NOW: Duration = Duration::from_secs(3);

fn scenario() -> Scenario {
    let session = LoadOptions { session: true, ..LoadOptions::default() };
    load_with("scenario: test\nhosts: {client: {}, server: {}}\n", session).expect("right")
}

#[test]
fn a_scenario_for_a_session_need_not_say_what_applications_do() {
    assert!(scenario().programs.is_empty());
    let mistakes = load("scenario: test\nhosts: {client: {}, server: {}}\n").expect_err("nothing runs");
    assert!(mistakes.to_string().contains("the key `applications` is missing"), "{mistakes}");
    let other = LoadOptions { session: true, variant: Some("big"), ..LoadOptions::default() };
    let none = load_with("scenario: test\nhosts: {client: {}, server: {}}\n", other).expect_err("no variant");
    assert!(none.to_string().contains("no variants"), "{none}");
}

#[test]
fn a_program_may_connect_to_a_host_that_a_session_plays() {
    let text = |server: &str| {
        format!(
            "scenario: test\nhosts: {{client: {{}}, server: {{}}}}\napplications: {{client: [connect: server:80]{server}}}\n"
        )
    };
    let session = LoadOptions { session: true, ..LoadOptions::default() };
    assert!(load_with(&text(""), session).is_ok());
    for mistakes in [load(&text("")).map_err(Into::into), load_with(&text(", server: [listen: 81]"), session)]
    {
        let mistakes = mistakes.expect_err("nobody listens").to_string();
        assert!(mistakes.contains("nobody listens on port 80"), "{mistakes}");
    }
}

#[test]
fn faults_are_those_that_a_scenario_could_have() {
    let list = "- {drop: {flags: FIN, from: client}, first: 2}\n- {power-loss: server, at: 5s}\n";
    let faults = load_faults(list, &scenario(), NOW).expect("right");
    let whole = format!(
        "scenario: test\nhosts: {{client: {{}}, server: {{}}}}\napplications: {{client: [hold]}}\nfaults:\n{list}"
    );
    let wanted = load(&whole).expect("right").faults;
    let plain = |fault: &halfopen_scenario::Fault| (fault.effect.clone(), fault.when, fault.text.clone());
    assert_eq!(faults.iter().map(plain).collect::<Vec<_>>(), wanted.iter().map(plain).collect::<Vec<_>>());
    assert_eq!(faults[1].location.path, "faults[1]");

    let one = load_faults("{freeze: server, resumes-after: 1s}", &scenario(), NOW).expect("right");
    assert_eq!(one.len(), 1);
    assert_eq!(one[0].when, When::At(NOW));
    let frozen = Effect::Freeze { host: HostId(1), resumes_after: Some(Duration::from_secs(1)) };
    assert_eq!(one[0].effect, frozen);
}

#[test]
fn a_segment_is_what_stands_beside_drop() {
    let fin = load_match("FIN", &scenario()).expect("right");
    assert_eq!((fin.from, fin.flags.is_some_and(|flags| flags.matches(Flags::FIN))), (None, true));
    let syn = load_match("{flags: SYN, from: server}", &scenario()).expect("right");
    assert_eq!(syn.from, Some(HostId(1)));
    let dropped =
        load_faults("{drop: {flags: SYN, from: server}}", &scenario(), NOW).expect("right").remove(0);
    assert!(
        matches!(dropped.effect, Effect::Segment { matching, action: SegmentAction::Drop, .. } if matching == syn)
    );
}

#[test]
fn a_destination_is_what_stands_beside_connect() {
    let to = |text: &str| destination(text, HostId(0), &scenario()).map(|to| to.to_string());
    assert_eq!(to("server:80").as_deref(), Ok("10.0.0.2:80"));
    assert_eq!(to("localhost:80").as_deref(), Ok("127.0.0.1:80"));
    assert_eq!(to("192.0.2.1:80").as_deref(), Ok("192.0.2.1:80"));
}

#[test]
fn what_is_wrong_is_said_with_its_place_and_a_way_out() {
    let scenario = scenario();
    let faults = |text: &str| load_faults(text, &scenario, NOW).expect_err("wrong").to_string();
    for (text, wanted) in [
        ("", "the text is empty"),
        ("[", "not YAML"),
        (
            "- {drop: FIN}\n- {power-loss: sevrer}\n",
            "2:16: no host is called `sevrer`; did you mean `server`?",
        ),
        ("{dorp: FIN}", "did you mean `drop`?"),
        ("{drop: FIN, at: 1s, nth: 0}", "the least is 1"),
        ("{applications: {}}", "applications"),
    ] {
        let said = faults(text);
        assert!(said.contains(wanted), "{text:?}: {said}");
    }
    let segment = |text: &str| load_match(text, &scenario).expect_err("wrong").to_string();
    assert!(
        segment("{flags: FIN, form: client}").contains("did you mean `from`?"),
        "{}",
        segment("{flags: FIN, form: client}")
    );
    let to = |text: &str| destination(text, HostId(0), &scenario).expect_err("wrong").to_string();
    assert!(to("server").contains("`server` has no port; write `server:80`"), "{}", to("server"));
    assert!(to("srver:80").contains("did you mean `server`?"), "{}", to("srver:80"));
}
