//! The ladder of runs made by hand, drawn as expected to the last character.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::Duration;

use common::{MS, Script, by_call, by_segment, dead_client, handshake, proto};
use halfopen_proto::v1::event::Kind;
use halfopen_proto::v1::{
    Event, FaultApplied, FaultKind, HostState, LossReason, StepKind, TcpCall, TcpPurpose, TcpState, Verdict,
};
use halfopen_view::picture::text::{self, Paper};
use halfopen_view::picture::{Picture, PictureOptions};
use halfopen_view::timeline::Timeline;
use snapbox::{assert_data_eq, str};

const UP: (&str, &str) = ("client", "server");
const DOWN: (&str, &str) = ("server", "client");

fn draw(events: &[Event], options: &PictureOptions) -> String {
    draw_on(Paper::default(), events, options)
}

fn draw_on(paper: Paper, events: &[Event], options: &PictureOptions) -> String {
    let picture = Picture::new(&Timeline::new(events), options);
    anstream::adapter::strip_str(&text::draw(&picture, paper)).to_string()
}

#[test]
fn a_client_that_dies_and_a_server_that_finds_out() {
    assert_data_eq!(
        draw(&dead_client(), &PictureOptions::default()),
        str![[r#"
      time             client                                               server
        0s               ┊                                                    ├ LISTEN · listen
        0s      SYN-SENT ├── SYN seq=0 ─────────────────────────────── 20ms ─▶│ SYN-RECEIVED
      20ms   ESTABLISHED ┃◀─ 40ms ───────────────────── SYN+ACK seq=0 ack=1 ──┤
      40ms               ┠── ACK seq=1 ack=1 ───────────────────────── 60ms ─▶┃ ESTABLISHED
      40ms       connect ┨                                                    ┃
      40ms               ┠── PSH+ACK seq=1 ack=1 len=1024 ───────────────────▶┃
      40ms     send 1024 ┨                                                    ┃
      60ms               ┃                                                    ┠ accept, receive 1024
      60ms               ┃◀──────────────── PSH+ACK seq=1 ack=1025 len=1024 ──┨
      60ms               ┃                                                    ┠ send 1024
      80ms  receive 1024 ┨                                                    ┃
      80ms               ┠── ACK seq=1025 ack=1025 ──────────────────────────▶┃
        1s               ┠ fault 1: power-loss                                ┃
         …               ┃            … 1h 59m 59.1s of silence …             ┃
2h 0m 0.1s  host is down ┃✗──────── ACK seq=1024 ack=1025 · keepalive probe ──┨ ESTABLISHED
         …               ┃                 … 1m of silence …                  ┃
2h 1m 0.1s  host is down ┃✗──────── ACK seq=1024 ack=1025 · keepalive probe ──┨ ESTABLISHED
2h 2m 0.1s               ┃  keepalive: dead after 2 probes, 2h 2m of silence, ┤ CLOSED
                         ┃       keepalive timer: gave up, receive: ETIMEDOUT │

"#]]
    );
}

#[test]
fn what_went_wrong_is_red_and_what_went_well_beside_it_is_dim() {
    let red = "\u{1b}[31m";
    let paper = Paper { width: 120, ascii: false };
    let coloured = |events: &[Event]| {
        text::draw(&Picture::new(&Timeline::new(events), &PictureOptions::default()), paper)
    };
    let mut script = Script::new("failing", "", &["client", "server"]);
    handshake(&mut script);
    script.at(1000 * MS).call("client", StepKind::Wait, 0, "").call("client", StepKind::Send, 0, "EPIPE");
    script.at(2000 * MS).error("client", "ECONNRESET");
    let text = coloured(&script.events);
    for wanted in [format!("wait, \u{1b}[0m{red}send: EPIPE"), format!("{red}ECONNRESET")] {
        assert!(text.contains(&wanted), "{wanted:?}: {text:?}");
    }
}

/// Draws the events as they come: `ends` are the numbers of events so far at each drawing.
fn draw_in_parts(events: &[Event], ends: &[usize]) -> Vec<String> {
    let (mut drawn, mut parts) = (Vec::new(), Vec::new());
    for end in ends {
        let picture = Picture::next(&Timeline::new(&events[..*end]), &PictureOptions::default(), &drawn);
        let drawing = text::Drawing::next(&picture, Paper::default());
        let rows: String = drawing.rows().map(|(_, row)| row).collect();
        parts.push(anstream::adapter::strip_str(&(drawing.heading() + &rows)).to_string());
        drawn.push(*end as u64);
    }
    parts
}

#[test]
fn a_ladder_grows_and_nothing_above_changes() {
    let mut script = Script::new("handshake", "", &["client", "server"]);
    handshake(&mut script);
    script.at(20_000 * MS);
    let data = script.send(UP, "PSH+ACK", 1025, 1, 10);
    let sent = script.events.len();
    script.at(20_020 * MS).lose("client", data, LossReason::HostDown);
    let events = script.events;
    let event = |wanted: fn(&Kind) -> bool| {
        events.iter().position(|event| event.kind.as_ref().is_some_and(wanted)).unwrap() + 1
    };
    // The SYN is under way, then the handshake goes on; the data are under way, then lost.
    let syn = event(|kind| matches!(kind, Kind::SegmentSent(_)));
    let parts = draw_in_parts(&events, &[syn, sent - 1, sent, sent, events.len()]);
    let [leaves, arrives, data, nothing, lost] = parts.as_slice() else { panic!("{parts:#?}") };
    assert!(leaves.contains("SYN-SENT ├── SYN seq=0") && !leaves.contains("SYN-RECEIVED"), "{leaves}");
    assert!(arrives.contains("┄┄ SYN seq=0") && !arrives.contains("├── SYN seq=0"), "{arrives}");
    assert!(data.contains("len=10") && data.contains("…") && !data.contains("✗"), "{data}");
    assert_eq!(nothing, "");
    assert!(lost.contains("len=10") && lost.contains("✗┃ host is down") && !lost.contains("…"), "{lost}");
}

#[test]
fn a_ladder_that_is_drawn_at_once_is_the_same_as_its_first_part() {
    let events = dead_client();
    let timeline = Timeline::new(&events);
    let options = PictureOptions::default();
    assert_eq!(Picture::next(&timeline, &options, &[]), Picture::new(&timeline, &options));
    let nothing = Picture::next(&timeline, &options, &[events.len() as u64]);
    assert_eq!(nothing.rows, []);
}

#[test]
fn the_silence_before_the_end_is_shown_if_it_is_long() {
    let last_rows = |end: Duration| {
        let mut script = Script::new("handshake", "", &["client", "server"]);
        handshake(&mut script);
        script.at(end);
        let picture = draw(&script.finish(Verdict::Passed, &[]), &PictureOptions::default());
        let rows: Vec<String> = picture.trim_end().lines().map(str::to_owned).collect();
        rows[rows.len() - 2..].join("\n")
    };
    assert!(last_rows(9000 * MS).ends_with("accept, receive 1024"));
    assert_data_eq!(
        last_rows(Duration::from_secs(24 * 3600)),
        str![[r#"
   …              ┃               … 23h 59m 59.94s of silence …               ┃
 24h              ┃                      end of the run                       ┃
"#]]
    );
}

#[test]
fn timers_have_rows_only_when_asked_for() {
    let mut script = Script::new("handshake", "", &["client", "server"]);
    handshake(&mut script);
    let events = script.events;
    assert!(!draw(&events, &PictureOptions::default()).contains("timer"));
    assert_data_eq!(
        draw(&events, &PictureOptions { timers: true, ..PictureOptions::default() }),
        str![[r#"
time            client                                                      server
  0s              ┊                                                           ├ LISTEN · listen
  0s     SYN-SENT ├── SYN seq=0 ────────────────────────────────────── 20ms ─▶│ SYN-RECEIVED
  0s              ├ retransmission timer set to 1s                            │
20ms  ESTABLISHED ┃◀─ 40ms ──────────────────────────── SYN+ACK seq=0 ack=1 ──┤
40ms              ┠ retransmission timer cancelled                            │
40ms              ┠── ACK seq=1 ack=1 ──────────────────────────────── 60ms ─▶┃ ESTABLISHED
40ms      connect ┨                                                           ┃
40ms              ┠── PSH+ACK seq=1 ack=1 len=1024 ──────────────────────────▶┃
40ms    send 1024 ┨                                                           ┃
60ms              ┃                                                           ┠ accept, receive 1024

"#]]
    );
}

#[test]
fn segments_that_cross_leave_and_arrive_in_rows_of_their_own() {
    use TcpState::{Closed, Established, SynReceived, SynSent};
    let mut script = Script::new("simultaneous-open", "", &["client", "server"]);
    script.state("client", Closed, SynSent, by_call(TcpCall::Connect));
    let ours = script.send(UP, "SYN", 0, 0, 0);
    script.at(5 * MS).state("server", Closed, SynSent, by_call(TcpCall::Connect));
    let theirs = script.send(DOWN, "SYN", 0, 0, 0);
    script.at(20 * MS).arrive("server", ours).state("server", SynSent, SynReceived, by_segment("SYN", ours));
    let first = script.send(DOWN, "SYN+ACK", 0, 1, 0);
    script.at(25 * MS).arrive("client", theirs).state(
        "client",
        SynSent,
        SynReceived,
        by_segment("SYN", theirs),
    );
    let second = script.send(UP, "SYN+ACK", 0, 1, 0);
    script.at(40 * MS).arrive("client", first);
    script.state("client", SynReceived, Established, by_segment("SYN+ACK", first));
    script.at(45 * MS).arrive("server", second);
    script.state("server", SynReceived, Established, by_segment("SYN+ACK", second));
    assert_data_eq!(
        draw(&script.events, &PictureOptions::default()),
        str![[r#"
time             client                                                             server
  0s      SYN-SENT ├── SYN seq=0 ──────────────────────────────────────────────────┄┄ ┊
 5ms  SYN-RECEIVED │◀─ 25ms ───────────────────────────────────────────── SYN seq=0 ──┤ SYN-SENT
20ms               │┄┄ SYN seq=0 ────────────────────────────────────────────────────▶│ SYN-RECEIVED
20ms               │ ┄┄──────────────────────────────────────── SYN+ACK seq=0 ack=1 ──┤
25ms               ├── SYN+ACK seq=0 ack=1 ─────────────────────────────────── 45ms ─▶┃ ESTABLISHED
40ms   ESTABLISHED ┃◀────────────────────────────────────────── SYN+ACK seq=0 ack=1 ┄┄┃

"#]]
    );
}

#[test]
fn what_a_fault_did_to_a_segment_is_at_its_arrow() {
    let mut script = Script::new("faults", "", &["client", "server"]);
    handshake(&mut script);
    let dropped = script.send(DOWN, "PSH+ACK", 1, 1025, 100);
    script.fault("", 1, FaultKind::Drop, dropped).lose_by_fault("client", dropped, 1);
    script.at(260 * MS);
    let again = script.send_for(DOWN, "PSH+ACK", (1, 1025, 100), TcpPurpose::Retransmission);
    let by = Some(proto(300 * MS));
    script.fault_with(
        "",
        2,
        FaultApplied { kind: FaultKind::Delay.into(), segment: again, by, ..FaultApplied::default() },
    );
    script.at(300 * MS);
    let ack = script.send(UP, "ACK", 1025, 1, 0);
    script.fault("", 3, FaultKind::Duplicate, ack);
    script.at(320 * MS).arrive("server", ack).arrive("server", ack);
    script.at(580 * MS).arrive("client", again);
    let forged = script.send_for(UP, "RST", (1025, 0, 0), TcpPurpose::Reset);
    let Some(Kind::SegmentSent(sent)) = script.events.last_mut().and_then(|event| event.kind.as_mut()) else {
        panic!()
    };
    sent.injected = true;
    script.at(600 * MS).arrive("server", forged);
    assert_data_eq!(
        draw(&script.events, &PictureOptions::default()),
        str![[r#"
 time            client                                                     server
   0s              ┊                                                          ├ LISTEN · listen
   0s     SYN-SENT ├── SYN seq=0 ───────────────────────────────────── 20ms ─▶│ SYN-RECEIVED
 20ms  ESTABLISHED ┃◀─ 40ms ─────────────────────────── SYN+ACK seq=0 ack=1 ──┤
 40ms              ┠── ACK seq=1 ack=1 ─────────────────────────────── 60ms ─▶┃ ESTABLISHED
 40ms      connect ┨                                                          ┃
 40ms              ┠── PSH+ACK seq=1 ack=1 len=1024 ─────────────────────────▶┃
 40ms    send 1024 ┨                                                          ┃
 60ms              ┃                                                          ┠ accept, receive 1024
 60ms              ┃        fault 1: drop ✗─ PSH+ACK seq=1 ack=1025 len=100 ──┨
260ms              ┃ ┄┄──── PSH+ACK seq=1 ack=1025 len=100 · retransmission ──┨
                   ┃                                 · fault 2: delay 300ms   ┃
300ms              ┠── ACK seq=1025 ack=1 · fault 3: duplicate ──────────────▶┃
320ms              ┃┄┄ ACK seq=1025 ack=1 · a duplicate ─────────────────────▶┃
580ms              ┃◀────── PSH+ACK seq=1 ack=1025 len=100 · retransmission ┄┄┃
580ms              ┠── RST seq=1025 · injected ──────────────────────────────▶┃

"#]]
    );
}

#[test]
fn a_host_that_lost_its_state_shows_none() {
    let mut script = Script::new("reboot", "", &["client", "server"]);
    handshake(&mut script);
    script.at(1000 * MS).fault("client", 1, FaultKind::Reboot, 0).host("client", HostState::Down);
    let probe = script.send_for(DOWN, "ACK", (0, 1025, 0), TcpPurpose::KeepaliveProbe);
    script.at(1020 * MS).arrive("client", probe);
    let reset = script.send_for(UP, "RST", (1025, 0, 0), TcpPurpose::Reset);
    script.at(1040 * MS).arrive("server", reset);
    script.state("server", TcpState::Established, TcpState::Closed, by_segment("RST", reset));
    assert_data_eq!(
        draw(&script.events, &PictureOptions::default()),
        str![[r#"
 time            client                                                     server
   0s              ┊                                                          ├ LISTEN · listen
   0s     SYN-SENT ├── SYN seq=0 ───────────────────────────────────── 20ms ─▶│ SYN-RECEIVED
 20ms  ESTABLISHED ┃◀─ 40ms ─────────────────────────── SYN+ACK seq=0 ack=1 ──┤
 40ms              ┠── ACK seq=1 ack=1 ─────────────────────────────── 60ms ─▶┃ ESTABLISHED
 40ms      connect ┨                                                          ┃
 40ms              ┠── PSH+ACK seq=1 ack=1 len=1024 ─────────────────────────▶┃
 40ms    send 1024 ┨                                                          ┃
 60ms              ┃                                                          ┠ accept, receive 1024
   1s              ╳ fault 1: reboot                                          ┃
   1s               ◀───────────────── ACK seq=0 ack=1025 · keepalive probe ──┨
1.02s              ├── RST seq=1025 ───────────────────────────────── 1.04s ─▶│ CLOSED

"#]]
    );
}

#[test]
fn more_than_two_hosts_are_named_in_their_cells() {
    use TcpState::{Closed, Established, SynSent};
    let mut script = Script::new("three", "", &["client", "server", "other"]);
    handshake(&mut script);
    script.state("other", Closed, SynSent, by_call(TcpCall::Connect));
    let syn = script.send(("other", "server"), "SYN", 0, 0, 0);
    script.at(80 * MS).arrive("server", syn);
    let reset = script.send_for(("server", "other"), "RST+ACK", (0, 1, 0), TcpPurpose::Reset);
    script.at(100 * MS).arrive("other", reset).state("other", SynSent, Closed, by_segment("RST+ACK", reset));
    script.error("other", "ECONNREFUSED").call("other", StepKind::Connect, 0, "ECONNREFUSED");
    let nowhere = script.send(("client", ""), "SYN", 0, 0, 0);
    script.lose("", nowhere, LossReason::NoRoute);
    script.state("client", Established, Closed, by_call(TcpCall::Abort));
    assert_data_eq!(
        draw(&script.events, &PictureOptions::default()),
        str![[r#"
 time            client                             server                              other
   0s              ┊                                  ├ LISTEN · listen                   ┊
   0s     SYN-SENT ├── SYN seq=0 ───────────── 20ms ─▶│ SYN-RECEIVED                      ┊
 20ms  ESTABLISHED ┃◀─ 40ms ─── SYN+ACK seq=0 ack=1 ──┤                                   ┊
 40ms              ┠── ACK seq=1 ack=1 ─────── 60ms ─▶┃ ESTABLISHED                       ┊
 40ms      connect ┨                                  ┃                                   ┊
 40ms              ┠── PSH+ACK seq=1 ack=1 len=1024 ─▶┃                                   ┊
 40ms    send 1024 ┨                                  ┃                                   ┊
 60ms              ┃                                  ┠ accept, receive 1024              ┊
 60ms              ┃                                  ┃◀───────────────────── SYN seq=0 ──┤ SYN-SENT
 80ms              ┃                                  ┠── RST+ACK seq=0 ack=1 ─── 100ms ─▶┊ CLOSED
100ms              ┃                                  ┃             connect: ECONNREFUSED ┤
100ms              ┠── SYN seq=0 ───✗                 ┃                                   ┊
                   ┃         no host has this address ┃                                   ┊
100ms       CLOSED ├ abort()                          ┃                                   ┊

"#]]
    );
}

#[test]
fn a_narrow_terminal_breaks_labels_and_not_lines() {
    let events = dead_client();
    for width in [72, 80, 100, 140] {
        let text = draw_on(
            Paper { width, ascii: false },
            &events,
            &PictureOptions { timers: true, ..PictureOptions::default() },
        );
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(width), "{widest:?} columns where {width} are:\n{text}");
    }
    assert_data_eq!(
        draw_on(Paper { width: 72, ascii: false }, &events, &PictureOptions::default()),
        str![[r#"
      time    client                                             server
        0s      ┊                                  listen · LISTEN ┤
        0s      ├── SYN seq=0 ───────────────────────────── 20ms ─▶│
                │ SYN-SENT                            SYN-RECEIVED │
      20ms      ┃◀─ 40ms ─────────────────── SYN+ACK seq=0 ack=1 ──┤
                ┃ ESTABLISHED                                      │
      40ms      ┠── ACK seq=1 ack=1 ─────────────────────── 60ms ─▶┃
                ┃                                      ESTABLISHED ┃
      40ms      ┠ connect                                          ┃
      40ms      ┠── PSH+ACK seq=1 ack=1 len=1024 ─────────────────▶┃
      40ms      ┠ send 1024                                        ┃
      60ms      ┃                             accept, receive 1024 ┨
      60ms      ┃◀────────────── PSH+ACK seq=1 ack=1025 len=1024 ──┨
      60ms      ┃                                        send 1024 ┨
      80ms      ┠ receive 1024                                     ┃
      80ms      ┠── ACK seq=1025 ack=1025 ────────────────────────▶┃
        1s      ┠ fault 1: power-loss                              ┃
         …      ┃           … 1h 59m 59.1s of silence …            ┃
2h 0m 0.1s      ┃✗────── ACK seq=1024 ack=1025 · keepalive probe ──┨
                ┃ host is down                         ESTABLISHED ┃
         …      ┃                … 1m of silence …                 ┃
2h 1m 0.1s      ┃✗────── ACK seq=1024 ack=1025 · keepalive probe ──┨
                ┃ host is down                         ESTABLISHED ┃
2h 2m 0.1s      ┃                                           CLOSED │
                ┃         keepalive: dead after 2 probes, 2h 2m of │
                ┃      silence, keepalive timer: gave up, receive: │
                ┃                                        ETIMEDOUT │

"#]]
    );
}

#[test]
fn a_long_ladder_keeps_its_ends() {
    let mut script = Script::new("long", "", &["client", "server"]);
    for sequence in 0..1000 {
        script.send(UP, "ACK", sequence, 0, 1);
    }
    let options = PictureOptions { rows: 5, fold: false, ..PictureOptions::default() };
    assert_data_eq!(
        draw(&script.events, &options),
        str![[r#"
time    client                                                                               server
  0s      ├── ACK seq=0 ack=0 len=1 ────────────────────────────────────────────────────────┄┄ ┊
  0s      ├── ACK seq=1 ack=0 len=1 ────────────────────────────────────────────────────────┄┄ ┊
  0s      ├── ACK seq=2 ack=0 len=1 ────────────────────────────────────────────────────────┄┄ ┊
   …      ┊                               … 995 rows left out …                                ┊
  0s      ├── ACK seq=998 ack=0 len=1 ──────────────────────────────────────────────────────┄┄ ┊
  0s      ├── ACK seq=999 ack=0 len=1 ──────────────────────────────────────────────────────┄┄ ┊

"#]]
    );
    let all = PictureOptions { rows: 1000, ..options.clone() };
    assert_eq!(draw(&script.events, &all).lines().count(), 1001);
    assert_eq!(draw(&script.events, &PictureOptions { rows: 0, ..options }).lines().count(), 2);
}

#[test]
fn any_part_of_a_run_can_be_drawn() {
    let events = dead_client();
    for length in 0..=events.len() {
        for missing in 0..length {
            let mut part = events[..length].to_vec();
            part.remove(missing);
            let text = draw(&part, &PictureOptions { timers: true, ..PictureOptions::default() });
            assert!(text.lines().all(|line| line.chars().count() <= 100), "without event {missing}:\n{text}");
        }
    }
}

#[test]
fn events_that_do_not_fit_together_draw_what_can_be_drawn() {
    let mut script = Script::new("odd", "", &["client", "server"]);
    script.arrive("server", 99).lose_by_fault("client", 98, 1).fault("", 1, FaultKind::Drop, 97);
    script.state("client", TcpState::Closed, TcpState::SynSent, by_segment("SYN", 96));
    script.send(("unheard-of", "server"), "SYN", 0, 0, 0);
    assert_data_eq!(
        draw(&script.events, &PictureOptions::default()),
        str![[r#"
time         client                                 server                               unheard-of
  0s  SYN-SENT ├ received SYN                         ┊                                      ┊
  0s           │                                      ┊ ┄┄────────────────────── SYN seq=0 ──┤

"#]]
    );
    assert_eq!(draw(&[], &PictureOptions::default()), "");
    assert_eq!(draw(&[Event::default()], &PictureOptions::default()), "");
}
