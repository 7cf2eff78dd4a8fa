//! The choices of a profile that no other test tells apart: what each changes.

use super::*;
use crate::{AckRule, Errno, KeepaliveSettings, Received};

/// A choice: its name, how the other one is made, what is played, and what comes of either.
type Row = (&'static str, fn(&mut Settings), fn(Settings) -> String, [&'static str; 2]);

const ROWS: [Row; 14] = [
    (
        "reset_at_fin",
        |s| s.reset_at_fin = false,
        |settings| {
            let mut lone = Lone::in_state(State::CloseWait, settings);
            lone.deliver((RST, 301, 0, 0));
            lone.state().to_string()
        },
        ["CLOSED", "CLOSE-WAIT"],
    ),
    (
        "close_wait_reset",
        |s| s.close_wait_reset = Errno::ConnectionReset,
        |settings| {
            let mut lone = Lone::in_state(State::CloseWait, settings);
            lone.deliver((RST, 302, 0, 0));
            lone.endpoint.send(lone.now, lone.id(), b"x").unwrap_err().to_string()
        },
        ["EPIPE", "ECONNRESET"],
    ),
    (
        "fin_hides_reset",
        |s| s.fin_hides_reset = false,
        |settings| {
            let mut lone = Lone::in_state(State::CloseWait, settings);
            lone.deliver((RST, 302, 0, 0));
            match lone.endpoint.receive(lone.now, lone.id(), &mut [0; 1]) {
                Ok(received) => format!("{received:?}"),
                Err(errno) => errno.to_string(),
            }
        },
        ["End", "EPIPE"],
    ),
    (
        "reset_after_shutdown_read",
        |s| s.reset_after_shutdown_read = false,
        |settings| {
            let mut lone = Lone::in_state(State::FinWait2, settings);
            lone.endpoint.shutdown_read(lone.now, lone.id()).unwrap();
            flags(&lone.deliver((ACK, 301, 102, 10)).1)
        },
        ["RST", "ACK"],
    ),
    (
        "orphan_fin_wait_2_yields",
        |s| s.orphan_fin_wait_2_yields = false,
        |settings| {
            let mut lone = Lone::in_state(State::FinWait2, settings);
            lone.endpoint.close(lone.now, lone.id());
            lone.deliver((RST, 401, 0, 0));
            lone.state().to_string()
        },
        ["CLOSED", "FIN-WAIT-2"],
    ),
    (
        "reset_for_syn_in_handshake",
        |s| s.reset_for_syn_in_handshake = false,
        |settings| {
            let mut lone = Lone::in_state(State::SynReceived, settings);
            let (_, answers) = lone.deliver((SYN, 350, 0, 0));
            format!("{}: {}", lone.state(), flags(&answers))
        },
        ["CLOSED: RST+ACK", "CLOSED: "],
    ),
    (
        "repeated_syn_restarts_timer",
        |s| s.repeated_syn_restarts_timer = false,
        |settings| {
            let mut lone = Lone::in_state(State::SynReceived, settings);
            lone.now += ms(500);
            assert_eq!(flags(&lone.deliver((SYN, 300, 0, 0)).1), "SYN+ACK");
            lone.endpoint.poll_timeout().unwrap().to_string()
        },
        ["1.500000000s", "1.000000000s"],
    ),
    (
        "reset_unresponsive_peer",
        |s| s.reset_unresponsive_peer = false,
        |settings| {
            let mut lone = Lone::in_state(State::Established, settings);
            let keepalive = KeepaliveSettings { idle: secs(1), interval: secs(1), probes: 1 };
            lone.endpoint.set_keepalive(lone.now, lone.id(), Some(keepalive));
            assert_eq!(flags(&lone.wait()), "ACK");
            let last = flags(&lone.wait());
            format!("{}: {last}", lone.state())
        },
        ["CLOSED: RST+ACK", "CLOSED: "],
    ),
    (
        "whole_segment_window",
        |s| s.whole_segment_window = false,
        |settings| {
            let mut lone = Lone::new(settings);
            lone.connect();
            lone.transmits()[0].header.window.to_string()
        },
        ["64240", "65535"],
    ),
    (
        "half_window_segments",
        |s| s.half_window_segments = true,
        |settings| {
            let mut lone = Lone::new(settings);
            lone.connect();
            lone.sent_now();
            let options = Options { mss: Some(1460), ..Options::default() };
            lone.deliver_with(SYN | ACK, 300, 101, b"", 1000, options);
            lone.endpoint.send(lone.now, lone.id(), &[b'x'; 2000]).unwrap();
            format!("{:?}", lone.sent_now().iter().map(|segment| segment.3).collect::<Vec<_>>())
        },
        ["[]", "[1000]"],
    ),
    (
        "window_update_doubles",
        |s| s.window_update_doubles = false,
        |settings| {
            let settings = Settings { packet_memory: false, receive_buffer: 10_000, ..settings };
            let mut lone = Lone::in_state(State::Established, settings);
            for segment in 0..5 {
                lone.deliver((ACK, 301 + segment * 1000, 101, 1000));
            }
            let read = lone.endpoint.receive(lone.now, lone.id(), &mut [0; 1000]);
            assert_eq!(read, Ok(Received::Octets(1000)));
            flags(&lone.sent_now())
        },
        ["", "ACK"],
    ),
    (
        "ack_rule",
        |s| s.ack_rule = AckRule::SecondSegment,
        |settings| {
            let mut lone = Lone::in_state(State::Established, not_quick(settings));
            lone.deliver((ACK, 301, 101, 100));
            lone.endpoint.poll_timeout().unwrap().to_string()
        },
        ["0.041000000s", "0.197000000s"],
    ),
    (
        "ack_compression",
        |s| s.ack_compression = None,
        |settings| {
            let mut lone = Lone::new(Settings { sack: true, ..not_quick(settings) });
            lone.connect();
            lone.sent_now();
            let options = Options { sack_permitted: true, ..Options::default() };
            lone.deliver_with(SYN | ACK, 300, 101, b"", 65_535, options);
            let beyond = (1..=6).map(|place| lone.deliver((ACK, 301 + place * 100, 101, 100)).1.len());
            beyond.sum::<usize>().to_string()
        },
        ["3", "6"],
    ),
    (
        "accept_queue_extra",
        |s| s.accept_queue_extra = 0,
        |settings| {
            let mut lone = Lone::new(settings);
            lone.listener = Some(lone.endpoint.listen(lone.now, lone.local.port(), 0).unwrap());
            flags(&lone.deliver((SYN, 300, 0, 0)).1)
        },
        ["SYN+ACK", ""],
    ),
];

fn not_quick(mut settings: Settings) -> Settings {
    settings.delayed_ack.as_mut().unwrap().quick = 0;
    settings
}

fn flags(segments: &[Brief]) -> String {
    segments.iter().map(|(flags, ..)| flags.to_string()).collect::<Vec<_>>().join(", ")
}

#[test]
fn each_choice_changes_what_it_says() {
    for (name, change, play, expected) in ROWS {
        let mut changed = plain(100);
        change(&mut changed);
        assert_eq!([play(plain(100)), play(changed)], expected, "{name}");
    }
}
