//! The choices of a profile that no other test tells apart: what each changes.

use super::pair::Pair;
use super::*;
use crate::{AckRule, Errno, KeepaliveSettings, Received};

/// A choice: its name, how the other one is made, what is played, and what comes of either.
type Row = (&'static str, fn(&mut Settings), fn(Settings) -> String, [&'static str; 2]);

const ROWS: [Row; 24] = [
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
        "unacceptable_ack_hastens_syn",
        |s| s.unacceptable_ack_hastens_syn = None,
        |settings| {
            let mut lone = Lone::in_state(State::SynSent, settings);
            lone.now += ms(40);
            assert_eq!(flags(&lone.deliver((ACK, 700, 900, 0)).1), "RST");
            lone.endpoint.poll_timeout().unwrap().to_string()
        },
        ["0.048000000s", "1.000000000s"],
    ),
    (
        "closing_listener_resets_embryonic",
        |s| s.closing_listener_resets_embryonic = true,
        |settings| {
            let mut lone = Lone::in_state(State::SynReceived, settings);
            lone.endpoint.close_listener(lone.now, lone.listener.unwrap());
            format!("{}: {}", lone.state(), flags(&lone.sent_now()))
        },
        ["SYN-RECEIVED: ", "CLOSED: RST+ACK"],
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
            lone.write(&[b'x'; 2000]);
            format!("{:?}", lone.sent_now().iter().map(|segment| segment.3).collect::<Vec<_>>())
        },
        ["[500, 500]", "[1000]"],
    ),
    (
        "orphan_retries_at_max_rto",
        |s| s.orphan_retries_at_max_rto = None,
        |settings| {
            let mut lone = Lone::in_state(State::Established, settings);
            lone.deliver_with(ACK, 301, 101, b"", 0, Options::default());
            lone.endpoint.send(lone.now, lone.id(), b"x").unwrap();
            lone.endpoint.close(lone.now, lone.id());
            assert_eq!(lone.sent_now(), [], "the window is closed");
            while lone.state() == State::FinWait1 && lone.now < Instant::ZERO + secs(3600) {
                lone.wait();
                lone.deliver_with(ACK, 301, 101, b"", 0, Options::default());
            }
            format!("{} after {} s", lone.state(), lone.now.as_duration().as_secs())
        },
        ["CLOSED after 324 s", "FIN-WAIT-1 after 3684 s"],
    ),
    (
        "reset_at_sack_edge",
        |s| s.reset_at_sack_edge = false,
        |settings| {
            let mut lone = Lone::new(Settings { sack: true, ..settings });
            lone.connect();
            lone.sent_now();
            let options = Options { sack_permitted: true, ..Options::default() };
            lone.deliver_with(SYN | ACK, 300, 101, b"", 65_535, options);
            for beyond in [401, 601] {
                lone.deliver((ACK, beyond, 101, 100));
            }
            let edges = [501, 701].map(|edge| {
                lone.deliver((RST, edge, 0, 0));
                lone.state().to_string()
            });
            edges.join(", ")
        },
        ["ESTABLISHED, CLOSED", "ESTABLISHED, ESTABLISHED"],
    ),
    (
        "simultaneous_open_offers_all",
        |s| s.simultaneous_open_offers_all = false,
        |settings| {
            let mut lone = Lone::new(Settings { timestamps: true, sack: true, ..settings });
            lone.connect();
            lone.transmits();
            lone.arrives(SYN, 300, 0, b"", 65_535, Options::default());
            let options = lone.transmits().remove(0).header.options;
            format!("timestamps {}, SACK {}", options.timestamps.is_some(), options.sack_permitted)
        },
        ["timestamps true, SACK true", "timestamps false, SACK false"],
    ),
    (
        "drop_syn_fin",
        |s| s.drop_syn_fin = false,
        |settings| {
            let mut lone = Lone::new(settings);
            lone.listen();
            flags(&lone.deliver((SYN | FIN, 300, 0, 0)).1)
        },
        ["", "SYN+ACK"],
    ),
    (
        "trim_to_window",
        |s| s.trim_to_window = true,
        |settings| {
            let settings =
                Settings { packet_memory: false, receive_buffer: 1000, receive_buffer_max: None, ..settings };
            let mut lone = Lone::in_state(State::Established, settings);
            let unread = |lone: &Lone| lone.endpoint.status(lone.id()).unwrap().unread;
            lone.deliver((ACK, 301, 101, 1100));
            let whole = unread(&lone);
            lone.endpoint.receive(lone.now, lone.id(), &mut [0; 1100]).unwrap();
            lone.transmits();
            let nxt = 301 + whole as u32;
            lone.deliver((ACK, nxt, 101, 100));
            let (arrival, answers) = lone.deliver((ACK, nxt + 100, 101, 1000));
            format!("{whole}, then {:?}, {}, {}", arrival.disposition, unread(&lone), flags(&answers))
        },
        ["1100, then Dropped(OutOfWindow), 100, ACK", "1000, then Accepted, 1000, "],
    ),
    (
        "window_begins_at_last_ack",
        |s| s.window_begins_at_last_ack = false,
        |settings| {
            let mut lone = Lone::in_state(State::Established, settings);
            lone.write(b"x");
            lone.sent_now();
            lone.deliver((ACK, 301, 101, 10));
            let (arrival, answers) = lone.deliver((ACK, 301, 102, 10));
            let status = lone.endpoint.status(lone.id()).unwrap();
            format!("{:?}, {}, {} in flight", arrival.disposition, flags(&answers), status.unacknowledged)
        },
        ["Dropped(Duplicate), ACK, 0 in flight", "Dropped(Duplicate), ACK, 1 in flight"],
    ),
    (
        "numbers_keep_to_window",
        |s| s.numbers_keep_to_window = false,
        |settings| {
            let mut lone = Lone::in_state(State::Established, settings);
            lone.endpoint.send(lone.now, lone.id(), &[1; 1000]).unwrap();
            lone.sent_now();
            lone.deliver_with(ACK, 301, 101, b"", 300, Options::default());
            lone.endpoint.abort(lone.now, lone.id());
            lone.sent_now()[0].1.to_string()
        },
        ["401", "1101"],
    ),
    (
        "syn_echoes_time_wait",
        |s| s.syn_echoes_time_wait = false,
        |settings| {
            let settings = Settings { timestamps: true, ..settings };
            let mut pair = Pair::new(settings, Profile::Linux.settings()).connected();
            let local = pair.ends[0].status(pair.id(0)).unwrap().local;
            pair.close(0);
            pair.run_for(ms(20));
            pair.close(1);
            pair.run_for(secs(1));
            let last = pair.log.iter().rfind(|it| it.from == 1).unwrap().transmit.header.options.timestamps;
            pair.log.clear();
            let remote = "10.0.0.2:80".parse().unwrap();
            pair.ends[0].connect(pair.now, Some(local.port()), remote).unwrap();
            pair.drain(0);
            let syn = &pair.log[0].transmit.header;
            let echo = syn.options.timestamps.unwrap().echo;
            format!("the last one: {}, window {}", Some(echo) == last.map(|last| last.value), syn.window)
        },
        ["the last one: true, window 65160", "the last one: false, window 64240"],
    ),
    (
        "window_update_doubles",
        |s| s.window_update_doubles = false,
        |settings| {
            let settings = Settings { packet_memory: false, receive_buffer: 10_000, ..settings };
            let mut lone = Lone::in_state(State::Established, settings);
            for segment in 0..6 {
                lone.deliver((ACK, 301 + segment * 1000, 101, 1000));
            }
            let read = lone.endpoint.receive(lone.now, lone.id(), &mut [0; 2000]);
            assert_eq!(read, Ok(Received::Octets(2000)));
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
