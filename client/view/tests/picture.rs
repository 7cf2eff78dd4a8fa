//! Pictures of every bundled run: what fits, what is kept, what is selected; and some of them to the last character.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::time::Duration;

use common::{MS, Script, bundled_runs, by_call, by_segment, handshake};
use halfopen_proto::v1::{
    Event, FaultKind, HostState, LossReason, StepKind, TcpCall, TcpPurpose, TcpState, event,
};
use halfopen_view::picture::mermaid::mermaid;
use halfopen_view::picture::svg::{SvgOptions, svg};
use halfopen_view::picture::text::{AsciiWriter, Drawing, Pace, Paper, draw, play};
use halfopen_view::picture::{
    Alike, Arrows, Between, Kind, Part, Picture, PictureOptions, Row, Selection, What,
};
use halfopen_view::timeline::Timeline;
use halfopen_view::words;
use snapbox::{Data, assert_data_eq, file};
use unicode_width::UnicodeWidthStr;

const ALL: usize = usize::MAX;

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

fn drawn(events: &[Event], options: &PictureOptions, paper: Paper) -> String {
    plain(&draw(&Picture::new(&Timeline::new(events), options), paper))
}

/// How many rows of the unfolded picture a picture stands for.
fn rows_shown(picture: &Picture) -> usize {
    let told = |row: &Row| match &row.what {
        What::Arrow(_) | What::Notes(_) => 1,
        What::Folded(folded) => folded.rows,
        What::Omitted(rows) => *rows,
        What::Silence(_) => 0,
    };
    picture.rows.iter().map(told).sum()
}

#[test]
fn every_bundled_run_fits_its_paper_is_ascii_if_asked_and_loses_nothing_by_folding() {
    for (name, _, events) in bundled_runs() {
        let timeline = Timeline::new(&events);
        for arrows in [Arrows::Flat, Arrows::Sloped] {
            let options = PictureOptions { arrows, timers: true, ..PictureOptions::default() };
            let picture = Picture::new(&timeline, &options);
            for width in [60, 80, 100, 200] {
                let text = plain(&draw(&picture, Paper { width, ascii: false }));
                let too_wide = text.lines().find(|line| line.width() > width);
                assert_eq!(too_wide, None, "{name} is wider than {width}:\n{text}");
            }
            let ascii = draw(&picture, Paper { width: 80, ascii: true });
            assert!(ascii.is_ascii(), "{name}:\n{ascii}");
            let widest = plain(&ascii).lines().map(str::len).max();
            assert!(widest <= Some(80), "{name} takes {widest:?} columns:\n{ascii}");
        }
        let options = |fold| PictureOptions { fold, rows: ALL, ..PictureOptions::default() };
        let (folded, whole) =
            (Picture::new(&timeline, &options(true)), Picture::new(&timeline, &options(false)));
        let states = |picture: &Picture| {
            let mut lives: Vec<_> = picture.rows.iter().map(|row| row.lives.clone()).collect();
            lives.dedup();
            lives
        };
        // The states of connections that are folded as a whole are those of the one that they are like.
        if folded.rows.iter().all(|row| alike(row).is_none()) {
            assert_eq!(states(&folded), states(&whole), "{name}: a state is folded away");
        }
        assert_eq!(rows_shown(&folded), rows_shown(&whole), "{name}: the folded rows are counted");
        let events: usize = whole.rows.iter().map(|row| row.events.len()).sum();
        let distinct: BTreeSet<u64> = whole.rows.iter().flat_map(|row| row.events.iter().copied()).collect();
        assert_eq!(events, distinct.len(), "{name}: an event is in one row");
        let shown: BTreeSet<u64> = folded.rows.iter().flat_map(|row| row.events.iter().copied()).collect();
        let mut hidden = distinct.difference(&shown);
        assert!(hidden.all(|event| folded.rows.iter().any(|row| row.shows(*event))), "{name}");
    }
}

/// The connections that a row folds as a whole.
fn alike(row: &Row) -> Option<&Alike> {
    if let What::Folded(folded) = &row.what { folded.alike.as_ref() } else { None }
}

#[test]
fn connections_that_go_the_same_way_are_shown_once() {
    let runs = bundled_runs();
    let find = |name: &str| &runs.iter().find(|(run, ..)| run == name).unwrap().2;
    for (name, rows, expected) in [
        ("time-wait-exhaustion/client-closes", 30, "55 more connections like #1, every 1s: #2 to #56"),
        ("time-wait-exhaustion/slower", 30, "119 more connections like #1, every 1.08s: #2 to #120"),
    ] {
        let events = find(name);
        let timeline = Timeline::new(events);
        let picture = Picture::new(&timeline, &PictureOptions::default());
        assert!(picture.rows.len() <= rows, "{name}: {}", picture.rows.len());
        let drawn = drawn(events, &PictureOptions::default(), Paper { width: 120, ascii: false });
        assert!(drawn.contains(expected), "{name}\n{drawn}");
        // Who names connections sees them.
        let connections = (1..=5).collect();
        let selection = Selection { connections, ..Selection::default() };
        let picture = Picture::new(&timeline, &PictureOptions { selection, ..PictureOptions::default() });
        assert!(picture.rows.iter().all(|row| alike(row).is_none()), "{name}");
    }
    let events = find("lost-handshake-ack/full-queue");
    let picture = Picture::new(&Timeline::new(events), &PictureOptions::default());
    assert!(picture.rows.iter().all(|row| alike(row).is_none()), "two connections are both shown");
}

#[test]
fn a_ladder_says_what_was_so() {
    let runs = bundled_runs();
    for (name, wanted) in [
        // A call from outside of the scenario.
        ("exported-pool", "#1 call: ECONNRESET ┤"),
        // How long it was delayed, which is less than nothing happened.
        ("rolling-restart", "… 41ms: client delays its ACK …"),
        ("tuple-reuse/close-wait-rst-filtered", "… 1m: client's FIN-WAIT-2 timer runs …"),
        ("tuple-reuse/close-wait-rst-filtered", "every 1s, then doubling to 32s"),
        ("zero-window-forever/no-timeout", "doubling from 544ms to 2m 0.04s, then every 2m 0.04s"),
        ("simultaneous-open", "SYN+ACK seq=0 ack=1 · retransmission"),
        ("laptop-resume/router-drops", "fault 1: pause with stopped clock, fault 2: cable-pull"),
    ] {
        let (_, _, events) = runs.iter().find(|(run, ..)| run == name).unwrap();
        let text = drawn(events, &PictureOptions::default(), Paper { width: 200, ascii: false });
        assert!(text.contains(wanted), "{name}: {wanted}\n{text}");
    }
    for (name, _, events) in &runs {
        let text = drawn(events, &PictureOptions::default(), Paper { width: 200, ascii: false });
        for line in text.lines() {
            let of_listener = line.contains("stops listening") && line.contains("CLOSED");
            assert!(!of_listener, "{name}: the state of a listener is no connection's\n{line}");
            let error = line.find(" ETIMEDOUT, ").zip(line.find(": gave up"));
            assert!(error.is_none_or(|(error, cause)| error > cause), "{name}: effect and cause\n{line}");
        }
    }
}

/// The states that each end went through, in order, as their events say.
fn paths(events: &[Event]) -> BTreeMap<(String, u32), Vec<TcpState>> {
    let mut paths: BTreeMap<(String, u32), Vec<TcpState>> = BTreeMap::new();
    for event in events {
        if let Some(event::Kind::StateTransition(transition)) = &event.kind {
            let end = (event.host.clone(), event.connection);
            paths.entry(end).or_default().push(transition.after());
        }
    }
    // A host that reboots may listen twice.
    paths.values_mut().for_each(Vec::dedup);
    paths
}

#[test]
fn no_state_that_an_end_was_in_is_missing_from_a_picture() {
    for (name, _, events) in bundled_runs() {
        let paths = paths(&events);
        let timeline = Timeline::new(&events);
        for arrows in [Arrows::Flat, Arrows::Sloped] {
            let options = PictureOptions { arrows, rows: ALL, ..PictureOptions::default() };
            let picture = Picture::new(&timeline, &options);
            let mut shown: BTreeMap<(String, u32), Vec<TcpState>> = BTreeMap::new();
            let mut show = |host: Option<usize>, connection, states: &[TcpState]| {
                let Some(host) = host else { return };
                let path = shown.entry((picture.lifelines[host].name.clone(), connection)).or_default();
                path.extend(states);
            };
            for row in &picture.rows {
                match &row.what {
                    What::Arrow(arrow) => [&arrow.from, &arrow.to]
                        .into_iter()
                        .for_each(|end| show(end.host, end.connection, &end.states)),
                    What::Notes(notes) => show(notes.host, row.connection, &notes.states),
                    What::Silence(_) | What::Folded(_) | What::Omitted(_) => {}
                }
            }
            let folded: BTreeMap<u32, u32> = picture
                .rows
                .iter()
                .filter_map(alike)
                .flat_map(|alike| alike.connections.iter().map(|number| (*number, alike.like)))
                .collect();
            for (end, path) in &paths {
                if let Some(like) = folded.get(&end.1) {
                    assert_eq!(path, &paths[&(end.0.clone(), *like)], "{name}: {end:?} is like {like}");
                    continue;
                }
                let mut shown = shown.get(end).cloned().unwrap_or_default();
                shown.dedup();
                assert_eq!(&shown, path, "{name}, {arrows:?}: {end:?}");
            }
            let states: BTreeSet<&str> = paths.values().flatten().map(|state| words::state(*state)).collect();
            for text in [
                plain(&draw(&picture, Paper { width: 120, ascii: false })),
                plain(&draw(&picture, Paper { width: 60, ascii: true })),
                svg(&picture, &SvgOptions::default()),
                mermaid(&picture, ""),
            ] {
                let missing = states.iter().find(|state| !text.contains(**state));
                assert_eq!(missing, None, "{name}, {arrows:?}:\n{text}");
            }
        }
    }
}

#[test]
fn a_segment_that_arrives_at_another_connection_shows_the_state_of_that_one() {
    let (_, _, events) = bundled_runs().into_iter().find(|(name, ..)| name == "reboot-same-port").unwrap();
    let picture = Picture::new(&Timeline::new(&events), &PictureOptions::default());
    let arrows = picture.rows.iter().filter_map(|row| match &row.what {
        What::Arrow(arrow) => Some((row, arrow)),
        _ => None,
    });
    let (row, reset) = arrows.into_iter().find(|(_, arrow)| arrow.flags.rst).unwrap();
    assert_eq!((reset.from.connection, reset.to.connection), (2, 1));
    assert_eq!((row.connection, &reset.to.states), (2, &vec![TcpState::Closed]));
    assert_eq!(row.lives[1].state, Some(TcpState::Listen), "no connection is left");
    let only_first = Selection { connections: BTreeSet::from([1]), ..Selection::default() };
    let options = PictureOptions { selection: only_first, ..PictureOptions::default() };
    let drawn = drawn(&events, &options, Paper { width: 100, ascii: false });
    assert!(drawn.lines().any(|line| line.contains("RST") && line.contains("#1 CLOSED")), "{drawn}");
}

#[test]
fn a_stall_has_a_row_with_what_is_waited_for() {
    let runs = bundled_runs();
    for (name, expected) in [
        (
            "nagle-delayed-ack/nagle",
            "41ms: server delays its ACK, and client's Nagle algorithm holds 100 bytes",
        ),
        ("delayed-ack", "41ms: client delays its ACK"),
        ("delayed-ack", "41ms: server delays its ACK"),
        ("dropped-fin", "240ms: client's tail loss probe timer runs"),
        ("dropped-fin", "1m: client's TIME-WAIT timer runs"),
        ("dropped-syn", "1s: client's retransmission timer runs"),
        ("close-wait-leak", "1m: client's FIN-WAIT-2 timer runs"),
        ("dead-client", "2h: server's keepalive timer runs"),
        ("zero-window-forever/no-timeout", "256ms: server's persist timer runs"),
        ("lb-keepalive-race/backend-65s", "1m: balancer's application waits"),
    ] {
        let (_, _, events) = runs.iter().find(|(run, ..)| run == name).expect(name);
        let picture = Picture::new(&Timeline::new(events), &PictureOptions::default());
        let silences: Vec<String> = picture
            .rows
            .iter()
            .filter_map(|row| match &row.what {
                What::Silence(silence) => Some(silence.text()),
                _ => None,
            })
            .collect();
        assert!(silences.iter().any(|silence| silence == expected), "{name}: {silences:?}");
    }
    // An application that waits for less than ten seconds says so itself, and a round trip is no stall.
    for name in ["four-way-close", "three-way-handshake"] {
        let (_, _, events) = runs.iter().find(|(run, ..)| run == name).expect(name);
        let drawn = drawn(events, &PictureOptions::default(), Paper::default());
        let is_stall = |line: &&str| {
            line.contains("… ") && !line.contains("TIME-WAIT timer") && !line.contains("delays its ACK")
        };
        let stalls = drawn.lines().filter(is_stall);
        assert_eq!(stalls.count(), 0, "{drawn}");
    }
}

#[test]
fn a_row_says_what_a_reader_would_have_to_look_up() {
    let runs = bundled_runs();
    for (name, expected) in [
        // What a fault is, and when its segment would have arrived.
        ("dropped-fin", "500ms    FIN-WAIT-1 ├── FIN+ACK seq=1025 ack=1025 ─✗ fault 1: drop"),
        ("dropped-fin", "0s      SYN-SENT ├── SYN seq=0 ──"),
        ("dropped-fin", "── 20ms ─▶│ SYN-RECEIVED"),
        ("dropped-fin", "20ms   ESTABLISHED ┃◀─ 40ms ──"),
        // The time of the row is that of the arrival already.
        ("proxy-half-close/passed", "3ms  #1             │┄┄ FIN+ACK seq=101 ack=1 ──"),
        ("proxy-half-close/passed", "──▶│ CLOSE-WAIT"),
        ("syn-flood/cookies", "── ACK seq=1 ack=1 · SYN cookie ──"),
        // Who loses an address.
        ("vip-failover/planned", "fault 1: move-address 10.0.0.100 from active to standby"),
        ("vip-failover/takeover", "fault 2: move-address 10.0.0.100 from active to standby"),
        ("syn-flood/cookies", "├ CLOSED · its program ended"),
        ("handover/short-gap", "┠ fault 1: return 192.0.2.10"),
        // A window that is shut.
        ("zero-window-forever/no-timeout", "── ACK seq=1 ack=82329 win=0 · duplicate ACK ──"),
    ] {
        let (_, _, events) = runs.iter().find(|(run, ..)| run == name).expect(name);
        let drawn = drawn(events, &PictureOptions::default(), Paper { width: 140, ascii: false });
        assert!(drawn.contains(expected), "{name}: {expected}\n{drawn}");
    }
}

#[test]
fn what_is_not_selected_is_counted_and_what_is_selected_is_there() {
    for (name, _, events) in bundled_runs() {
        let timeline = Timeline::new(&events);
        let timers = PictureOptions { timers: true, fold: false, rows: ALL, ..PictureOptions::default() };
        let all = Picture::new(&timeline, &timers);
        let select = |selection| Picture::new(&timeline, &PictureOptions { selection, ..timers.clone() });
        let mut found: BTreeSet<u64> = BTreeSet::new();
        for kind in Kind::names() {
            let only = BTreeSet::from([kind.parse().unwrap()]);
            let picture = select(Selection { only, ..Selection::default() });
            assert_eq!(rows_shown(&picture) + picture.not_selected, rows_shown(&all), "{name} {kind}");
            found.extend(picture.rows.iter().flat_map(|row| row.events.iter().copied()));
            for row in &picture.rows {
                let What::Arrow(arrow) = &row.what else { continue };
                let fits = match kind {
                    "syn" => arrow.flags.syn,
                    "fin" => arrow.flags.fin,
                    "rst" => arrow.flags.rst,
                    "lost" => !matches!(arrow.part, Part::Whole),
                    "probes" => {
                        matches!(arrow.purpose, TcpPurpose::KeepaliveProbe | TcpPurpose::WindowProbe)
                    }
                    "timers" | "application" | "errors" => false,
                    _ => true,
                };
                assert!(fits, "{name} {kind}: {arrow:?}");
            }
        }
        let missed: Vec<u64> = all.rows.iter().flat_map(|row| row.events.iter().copied()).collect();
        let missed: Vec<&u64> = missed.iter().filter(|event| !found.contains(*event)).collect();
        assert!(missed.is_empty(), "{name}: no kind has the events {missed:?}");

        let (from, to) = (Duration::from_millis(30), Duration::from_secs(60));
        let between = select(Selection { between: Some(Between::Times(from, to)), ..Selection::default() });
        let times = between.rows.iter().filter(|row| !row.events.is_empty()).map(|row| row.time);
        assert!(times.into_iter().all(|time| (from..=to).contains(&time)), "{name}");
    }
}

#[test]
fn the_rows_around_an_event_have_it_in_the_middle() {
    for (name, _, events) in bundled_runs().into_iter().step_by(7) {
        let timeline = Timeline::new(&events);
        let options = PictureOptions { fold: false, rows: ALL, ..PictureOptions::default() };
        let all = Picture::new(&timeline, &options);
        for event in all.rows.iter().flat_map(|row| row.events.first().copied()).step_by(5) {
            let part = Picture::around(&timeline, &options, event, 7);
            assert!(part.rows.iter().any(|row| row.events.contains(&event)), "{name}: event {event}");
            assert!(part.rows.iter().filter(|row| !row.events.is_empty()).count() <= 7, "{name}");
            assert_eq!(rows_shown(&part), rows_shown(&all), "{name}: what is left out is counted");
        }
        let end = Picture::around(&timeline, &options, u64::MAX, 3);
        assert_eq!(end.rows.last(), all.rows.last(), "{name}: the end of the run");
    }
}

#[test]
fn chosen_runs_are_drawn_to_the_last_character() {
    let flat = PictureOptions::default;
    let sloped = || PictureOptions { arrows: Arrows::Sloped, ..flat() };
    let only = |kinds: &[Kind]| {
        let selection = Selection { only: kinds.iter().copied().collect(), ..Selection::default() };
        PictureOptions { selection, ..flat() }
    };
    let paper = |width| Paper { width, ascii: false };
    let ascii = |width| Paper { width, ascii: true };
    let runs = bundled_runs();
    let cases: [(&str, PictureOptions, Paper, Data); 9] = [
        ("dead-client", flat(), ascii(100), file!["pictures/dead-client-ascii.txt"]),
        ("dead-client", sloped(), paper(60), file!["pictures/dead-client-sloped-60.txt"]),
        ("simultaneous-open", sloped(), paper(100), file!["pictures/simultaneous-open-sloped.txt"]),
        ("simultaneous-open", sloped(), ascii(80), file!["pictures/simultaneous-open-sloped-ascii.txt"]),
        ("gcp-nat/half-close", flat(), paper(100), file!["pictures/gcp-nat-half-close.txt"]),
        ("pmtu-blackhole/icmp", flat(), paper(60), file!["pictures/pmtu-blackhole-icmp-60.txt"]),
        (
            "power-loss-mid-request/comes-back",
            flat(),
            paper(100),
            file!["pictures/power-loss-comes-back.txt"],
        ),
        (
            "time-wait-exhaustion/client-closes",
            PictureOptions { rows: 40, ..flat() },
            paper(80),
            file!["pictures/time-wait-exhaustion-80.txt"],
        ),
        (
            "zero-window-forever/user-timeout",
            only(&[Kind::Probes, Kind::States, Kind::Errors]),
            paper(100),
            file!["pictures/zero-window-selected.txt"],
        ),
    ];
    for (name, options, paper, expected) in cases {
        let (_, _, events) = runs.iter().find(|(run, _, _)| run == name).expect(name);
        assert_data_eq!(drawn(events, &options, paper), expected.raw());
    }
}

/// Three hosts: one talks to the other two, over whose lifelines arrows go; one stands still, one loses power.
fn three_hosts() -> Vec<Event> {
    use TcpState::{Closed, Established, SynSent};
    let mut script = Script::new("three", "", &["client", "server", "database"]);
    handshake(&mut script);
    script.state("database", Closed, SynSent, by_call(TcpCall::Connect));
    let syn = script.send(("database", "client"), "SYN", 0, 0, 0);
    script.at(80 * MS).arrive("client", syn);
    let reset = script.send_for(("client", "database"), "RST+ACK", (0, 1, 0), TcpPurpose::Reset);
    script.at(100 * MS).arrive("database", reset);
    script.state("database", SynSent, Closed, by_segment("RST+ACK", reset));
    script.error("database", "ECONNREFUSED").call("database", StepKind::Connect, 0, "ECONNREFUSED");
    script.at(200 * MS).fault("database", 1, FaultKind::Freeze, 0).host("database", HostState::Frozen);
    script.at(300 * MS).fault("client", 2, FaultKind::PowerLoss, 0).host("client", HostState::Down);
    let data = script.send(("server", "client"), "PSH+ACK", 1, 1025, 100);
    script.lose("client", data, LossReason::QueueFull);
    let again = script.send_for(("server", "client"), "PSH+ACK", (1, 1025, 100), TcpPurpose::Retransmission);
    script.lose("client", again, LossReason::HostDown).fault("", 3, FaultKind::Partition, 0);
    script.at(400 * MS).host("client", HostState::Up).host("database", HostState::Up);
    script.state("server", Established, Closed, by_call(TcpCall::Abort));
    script.events
}

#[test]
fn three_hosts_have_three_lifelines_and_names_at_their_arrows_where_there_is_no_room() {
    let flat = PictureOptions::default();
    let sloped = PictureOptions { arrows: Arrows::Sloped, ..PictureOptions::default() };
    let events = three_hosts();
    let paper = |width| Paper { width, ascii: false };
    assert_data_eq!(drawn(&events, &flat, paper(120)), file!["pictures/three-hosts-120.txt"].raw());
    assert_data_eq!(drawn(&events, &sloped, paper(80)), file!["pictures/three-hosts-sloped-80.txt"].raw());
    assert_data_eq!(drawn(&events, &flat, paper(50)), file!["pictures/three-hosts-50.txt"].raw());
    for width in 40..=130 {
        for options in [&flat, &sloped] {
            let text = drawn(&events, options, paper(width));
            let widest = text.lines().map(UnicodeWidthStr::width).max();
            assert!(widest <= Some(width), "{widest:?} columns where {width} are:\n{text}");
        }
    }
}

#[test]
fn a_played_run_waits_as_long_as_the_pace_says_and_shows_the_same() {
    let mut script = Script::new("handshake", "", &["client", "server"]);
    handshake(&mut script);
    let picture = Picture::new(&Timeline::new(&script.events), &PictureOptions::default());
    let drawing = Drawing::new(&picture, Paper::default());
    for (pace, expected) in [("2x", 30 * MS), ("1x", 60 * MS), ("0.5", 120 * MS)] {
        let (mut out, mut waited) = (Vec::new(), Duration::ZERO);
        play(&mut out, &drawing, pace.parse().unwrap(), &mut |time| {
            waited += time;
            true
        })
        .unwrap();
        assert_eq!((String::from_utf8(out).unwrap(), waited), (draw(&picture, Paper::default()), expected));
    }
    let (mut out, mut rows) = (Vec::new(), 0);
    let whole = play(&mut out, &drawing, "1x".parse().unwrap(), &mut |_| {
        rows += 1;
        rows < 3
    });
    assert!(!whole.unwrap(), "it was stopped");
    let out = String::from_utf8(out).unwrap();
    assert!(draw(&picture, Paper::default()).starts_with(&out) && out.lines().count() == 3, "{out}");
    for wrong in ["", "x", "0x", "-1x", "inf", "NaN", "fast"] {
        assert!(wrong.parse::<Pace>().is_err(), "{wrong}");
    }
}

#[test]
fn characters_that_come_in_parts_are_one_in_ascii_too() {
    let mut out = Vec::new();
    let mut writer = AsciiWriter::new(&mut out);
    for octet in "✓ 1µs → ┃ é\n".as_bytes() {
        writer.write_all(&[*octet]).unwrap();
    }
    writer.write_all(b"\xff end").unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "+ 1us > | ?\n? end");
}
