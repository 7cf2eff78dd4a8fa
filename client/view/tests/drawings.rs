//! SVG and Mermaid of runs made by hand, as expected to the last character, and of every bundled run.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::collections::BTreeSet;
use std::time::Duration;

use common::{MS, Script, bundled_runs, dead_client, handshake};
use halfopen_proto::v1::{Event, FaultApplied, FaultKind, LossReason, SegmentLost, TcpPurpose, Verdict};
use halfopen_view::picture::svg::{SvgOptions, svg};
use halfopen_view::picture::{Part, Picture, PictureOptions, What, mermaid};
use halfopen_view::timeline::Timeline;
use roxmltree::{Document, Node};
use snapbox::{assert_data_eq, file, str};

const UP: (&str, &str) = ("client", "server");

fn picture(events: &[Event]) -> Picture {
    Picture::new(&Timeline::new(events), &PictureOptions::default())
}

fn drawn(picture: &Picture, title: &str) -> String {
    svg(picture, &SvgOptions { title: title.to_owned() })
}

/// A scenario and its hosts whose every name tries to be something else, and a fault that does so too.
fn hostile() -> Vec<Event> {
    let title = "<script>alert(1)</script> \"&amp;' ; # %% \u{1}\n end";
    let mut script = Script::new("<svg onload=x>", title, &["client", "server"]);
    handshake(&mut script);
    let lost = script.send_for(UP, "PSH+ACK", (1025, 1, 5), TcpPurpose::Retransmission);
    let kind = FaultKind::Drop.into();
    let middlebox = "</text><script>drop</script>; #".to_owned();
    script.fault_with("", 1, FaultApplied { kind, segment: lost, middlebox, ..FaultApplied::default() });
    let (reason, middlebox) = (LossReason::Middlebox.into(), "]]> --> <b>; #\n note".to_owned());
    script.lost("server", SegmentLost { segment: lost, reason, middlebox, ..SegmentLost::default() });
    script.at(Duration::from_secs(99)).error("client", "E<&\"'>;#");
    script.finish(Verdict::Failed, &[])
}

#[test]
fn a_client_that_dies_drawn_as_svg() {
    assert_data_eq!(drawn(&picture(&dead_client()), "dead-client"), file!["drawings/dead-client.svg"].raw());
}

#[test]
fn a_client_that_dies_as_mermaid() {
    assert_data_eq!(
        mermaid::mermaid(&picture(&dead_client()), "dead-client"),
        str![[r#"
sequenceDiagram
    title dead-client
    accTitle: dead-client
    participant h0 as client
    participant h1 as server
    Note right of h1: 0s LISTEN, listen
    Note left of h0: 0s SYN-SENT
    h0->>h1: 0s SYN seq=0
    Note right of h1: 20ms SYN-RECEIVED
    h1->>h0: 20ms SYN+ACK seq=0 ack=1
    Note left of h0: 40ms ESTABLISHED
    h0->>h1: 40ms ACK seq=1 ack=1
    Note right of h1: 60ms ESTABLISHED
    Note left of h0: 40ms connect
    h0->>h1: 40ms PSH+ACK seq=1 ack=1 len=1024
    Note left of h0: 40ms send 1024
    Note right of h1: 60ms accept, receive 1024
    h1->>h0: 60ms PSH+ACK seq=1 ack=1025 len=1024
    Note right of h1: 60ms send 1024
    Note left of h0: 80ms receive 1024
    h0->>h1: 80ms ACK seq=1025 ack=1025
    Note left of h0: 1s fault 1: power-loss
    Note over h0,h1: 1h 59m 59.1s of silence
    h1-xh0: 2h 0m 0.1s ACK seq=1024 ack=1025 · keepalive probe · lost: host is down
    Note over h0,h1: 1m of silence
    h1-xh0: 2h 1m 0.1s ACK seq=1024 ack=1025 · keepalive probe · lost: host is down
    Note right of h1: 2h 2m 0.1s CLOSED, keepalive: dead after 2 probes, 2h 2m of silence, keepalive timer: gave up, receive: ETIMEDOUT

"#]]
    );
}

#[test]
fn whatever_a_text_says_it_stays_text() {
    let events = hostile();
    let title = "<script>alert(1)</script> \"&amp;' ; # %% \u{1}\n end";
    let text = drawn(&picture(&events), title);
    let document = Document::parse(&text).unwrap();
    let named = |name: &str| document.descendants().filter(|node| node.has_tag_name(name)).count();
    assert_eq!(document.descendants().filter(|node| node.tag_name().name() == "script").count(), 0);
    assert_eq!(named("b"), 0);
    let told: String = document.descendants().filter_map(|node| node.text()).collect();
    for wanted in ["<script>alert(1)</script>", "E<&\"'>;#", "]]> -->", "</text><script>drop</script>;"] {
        assert!(told.contains(wanted), "{wanted} is not in {told}");
    }
    let text = mermaid::mermaid(&picture(&events), title);
    assert_eq!(
        text.lines().filter(|line| !line.starts_with("    ")).collect::<Vec<_>>(),
        ["sequenceDiagram"]
    );
    let entity =
        |line: &str| line.split('#').skip(1).all(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    assert!(text.lines().all(entity), "{text}");
    assert!(
        !text.contains(['<', '"', '%', '&']) && !text.contains("note"[..].to_uppercase().as_str()),
        "{text}"
    );
}

#[test]
fn a_segment_that_takes_longer_falls_deeper() {
    let mut script = Script::new("slow", "", &["client", "server"]);
    handshake(&mut script);
    let slow = script.send(UP, "PSH+ACK", 1025, 1, 10);
    script.at(600 * MS).arrive("server", slow);
    let text = drawn(&picture(&script.events), "");
    let document = Document::parse(&text).unwrap();
    let falls: Vec<f64> = shafts(&document).iter().map(fall).collect();
    assert!(falls[0] > 0.0 && falls[falls.len() - 1] > 1.5 * falls[0], "{falls:?}");
}

#[test]
fn texts_of_segments_that_cross_stand_apart() {
    let mut script = Script::new("crossing", "", &["client", "server"]);
    handshake(&mut script);
    script.at(200 * MS);
    let first = script.send(UP, "FIN+ACK", 1025, 1, 0);
    let second = script.send(("server", "client"), "FIN+ACK", 1, 1025, 0);
    script.at(220 * MS).arrive("server", first).arrive("client", second);
    let text = drawn(&picture(&script.events), "");
    let document = Document::parse(&text).unwrap();
    let is_label = |node: &Node<'_, '_>| node.text() == Some("FIN+ACK");
    let place = |node: Node<'_, '_>| {
        let turned =
            node.ancestors().find_map(|node| node.attribute("transform").map(str::to_owned)).unwrap();
        turned["translate(".len()..].split(' ').next().unwrap().parse::<f64>().unwrap()
    };
    let places: Vec<f64> =
        document.descendants().filter(is_label).filter(Node::is_element).map(place).collect();
    let [first, second] = places[..] else { panic!("{places:?}") };
    assert!(first + 150.0 < second, "each nearer to its tail: {places:?}");
}

#[test]
fn texts_beside_a_lifeline_in_the_middle_stand_away_from_the_other_end() {
    let runs = bundled_runs();
    let (_, _, events) = runs.iter().find(|(run, ..)| run == "proxy-half-close/passed").unwrap();
    let picture = picture(events);
    let text = drawn(&picture, "");
    let document = Document::parse(&text).unwrap();
    let side = |wanted: &str| {
        let is_it = |node: &Node<'_, '_>| node.has_tag_name(("http://www.w3.org/2000/svg", "text"));
        let told = |node: &Node<'_, '_>| {
            node.descendants().filter_map(|node| node.text()).any(|text| text == wanted)
        };
        let node = document.descendants().filter(is_it).find(told).unwrap();
        node.attribute("text-anchor").unwrap().to_owned()
    };
    // The proxy stands between the client (#1) and the server (#2).
    assert_eq!(side("#1 SYN-RECEIVED"), "start");
    assert_eq!(side("#2 SYN-SENT"), "end");
}

#[test]
fn texts_that_an_earlier_one_must_not_hide_are_drawn() {
    let runs = bundled_runs();
    for (name, wanted, times) in [
        // Of a host that rebooted.
        ("exported-pool", "LISTEN", 2),
        ("reboot-same-port", "LISTEN", 3),
        // Of a segment that arrives late, whose departure has a row of its own.
        ("conntrack-invalid-rst/untranslated", "not used: no such connection", 2),
        // Below a segment of the other connection.
        ("proxy-half-close/passed", "#2 relay, end of", 1),
    ] {
        let (_, _, events) = runs.iter().find(|(run, ..)| run == name).unwrap();
        let text = drawn(&picture(events), "");
        let document = Document::parse(&text).unwrap();
        let found = document.descendants().filter(Node::is_text).filter(|node| node.text() == Some(wanted));
        assert_eq!(found.count(), times, "{name}: {wanted}");
    }
}

#[test]
fn a_lifeline_has_the_colour_of_a_state_from_where_the_state_begins() {
    let runs = bundled_runs();
    // A middlebox does something while the SYN is under way.
    for name in ["firewall-sack/forgets-sack", "nat-port-exhaustion/silent"] {
        let (_, _, events) = runs.iter().find(|(run, ..)| run == name).unwrap();
        let text = drawn(&picture(events), "");
        let document = Document::parse(&text).unwrap();
        let place =
            |node: Node<'_, '_>| ["x", "y"].map(|name| node.attribute(name).unwrap().parse::<f64>().unwrap());
        let opening = |node: &Node<'_, '_>| node.attribute("class") == Some("fill opening");
        let rects = document.descendants().filter(opening).map(place);
        let [_, colour] = rects.reduce(|one, other| if other[0] > one[0] { other } else { one }).unwrap();
        let received = |node: &Node<'_, '_>| node.text().is_some_and(|text| text.ends_with("SYN-RECEIVED"));
        let state = document.descendants().find(|node| node.is_text() && received(node)).unwrap();
        let text = state.ancestors().find(|node| node.has_attribute("y")).unwrap();
        assert_eq!(place(text)[1], colour + 4.0, "{name}");
    }
}

#[test]
fn a_connection_has_its_number_after_the_time_in_mermaid() {
    let runs = bundled_runs();
    let (_, _, events) = runs.iter().find(|(run, ..)| run == "tuple-reuse/time-wait").unwrap();
    let diagram = mermaid::mermaid(&picture(events), "");
    for expected in ["h0->>h1: 0s #35;1 SYN seq=0", "Note right of h1: 20ms #35;1 SYN-RECEIVED"] {
        assert!(diagram.contains(expected), "{expected}\n{diagram}");
    }
}

#[test]
fn every_bundled_run_has_a_drawing_that_is_well_formed_and_complete() {
    for (name, _, events) in bundled_runs() {
        check(&name, &picture(&events));
    }
}

/// A text of a drawing with the corners of the room that its letters take, in a font of the usual width.
struct Text {
    text: String,
    corners: [(f64, f64); 4],
}

impl Text {
    fn of(node: &Node<'_, '_>) -> Option<Text> {
        if !node.has_tag_name(("http://www.w3.org/2000/svg", "text")) {
            return None;
        }
        let text: String = node.descendants().filter(Node::is_text).filter_map(|node| node.text()).collect();
        let place = |attribute| node.attribute(attribute).unwrap().parse::<f64>().unwrap();
        let breadth = |character: char| match character {
            ' ' | '.' | ',' | ':' | ';' | 'i' | 'j' | 'l' | '\'' | '·' | '|' => 3.4,
            'A'..='Z' | 'm' | 'w' | '=' | '+' | '✗' | '…' => 7.9,
            _ => 6.3,
        };
        let width: f64 = text.chars().map(breadth).sum();
        let left = match node.attribute("text-anchor") {
            Some("middle") => place("x") - width / 2.0,
            Some("end") => place("x") - width,
            _ => place("x"),
        };
        let (right, top, bottom) = (left + width, place("y") - 7.5, place("y") + 0.5);
        let mut corners = [(left, top), (right, top), (right, bottom), (left, bottom)];
        for transform in node.ancestors().filter_map(|node| node.attribute("transform")) {
            let numbers: Vec<f64> = transform
                .split(|other: char| !other.is_ascii_digit() && other != '.' && other != '-')
                .filter_map(|number| number.parse().ok())
                .collect();
            let (sin, cos) = numbers.get(2).copied().unwrap_or(0.0).to_radians().sin_cos();
            for (x, y) in &mut corners {
                (*x, *y) = (numbers[0] + *x * cos - *y * sin, numbers[1] + *x * sin + *y * cos);
            }
        }
        Some(Text { text, corners })
    }

    /// Whether there is no line between them.
    fn covers(&self, other: &Text) -> bool {
        let is_between = |from: (f64, f64), to: (f64, f64)| {
            let normal = (to.1 - from.1, from.0 - to.0);
            let reach = |text: &Text| {
                let along = text.corners.map(|(x, y)| x * normal.0 + y * normal.1);
                along.into_iter().fold((f64::MAX, f64::MIN), |(low, high), at| (low.min(at), high.max(at)))
            };
            let (ours, theirs) = (reach(self), reach(other));
            ours.1 <= theirs.0 || theirs.1 <= ours.0
        };
        [self, other].iter().all(|text| {
            let [one, two, three, _] = text.corners;
            !is_between(one, two) && !is_between(two, three)
        })
    }
}

/// Every segment has an arrow, every id is one, nothing is outside, and no text stands on another.
fn check(name: &str, picture: &Picture) {
    let text = drawn(picture, name);
    assert_eq!(text, drawn(picture, name), "{name}: always the same");
    let document = Document::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut ids = BTreeSet::new();
    for id in document.descendants().filter_map(|node| node.attribute("id")) {
        assert!(ids.insert(id), "{name}: two have the id {id}");
    }
    let mut segments = BTreeSet::new();
    for row in &picture.rows {
        if let What::Arrow(arrow) = &row.what {
            let copy = if arrow.part == Part::Arrival { arrow.copy } else { 1 };
            segments.insert((arrow.segment, copy));
            assert!(ids.contains(format!("event-{}", row.events[0]).as_str()), "{name}: {row:?} has no id");
        }
    }
    assert_eq!(shafts(&document).len(), segments.len(), "{name}: an arrow a segment");
    let (width, height) = (number(&document, "width"), number(&document, "height"));
    for node in
        document.descendants().filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "text")))
    {
        let place = |attribute| node.attribute(attribute).and_then(|value: &str| value.parse::<f64>().ok());
        if let (Some(x), Some(y)) = (place("x"), place("y")) {
            assert!(x < width && y < height, "{name}: {:?} is outside", node.text());
        }
    }
    let texts: Vec<Text> = document.descendants().filter_map(|node| Text::of(&node)).collect();
    for (index, one) in texts.iter().enumerate() {
        let on = texts[index + 1..].iter().find(|other| one.covers(other)).map(|other| &other.text);
        assert_eq!(on, None, "{name}: {:?} stands on it", one.text);
    }
    assert!(
        !text.replace("http://www.w3.org/2000/svg", "").contains("://"),
        "{name}: needs nothing from elsewhere"
    );

    let diagram = mermaid::mermaid(picture, name);
    let arrows = picture.rows.iter().filter(|row| matches!(row.what, What::Arrow(_))).count();
    let lines = diagram.lines().filter(|line| {
        ["->>", "-)", "-x"].iter().any(|arrow| line.split(':').next().unwrap().contains(arrow))
    });
    assert_eq!(lines.count(), arrows, "{name}: a line an arrow");
}

/// The lines of segments as far as they went.
fn shafts<'a>(document: &'a Document<'_>) -> Vec<Node<'a, 'a>> {
    let classes = |node: &Node<'_, '_>| node.attribute("class").unwrap_or_default().to_owned();
    let shaft =
        |node: &Node<'_, '_>| classes(node).starts_with("shaft ") && !classes(node).contains("beyond");
    document.descendants().filter(shaft).collect()
}

/// How much lower a line ends than it begins.
fn fall(line: &Node<'_, '_>) -> f64 {
    let numbers: Vec<f64> =
        line.attribute("d").unwrap().split(['M', 'L', ' ']).filter_map(|part| part.parse().ok()).collect();
    numbers[3] - numbers[1]
}

fn number(document: &Document<'_>, attribute: &str) -> f64 {
    document.root_element().attribute(attribute).unwrap().parse().unwrap()
}
