//! The profiles: the table in docs/profiles.md, and that each makes a difference.

use std::fmt::Write as _;

use super::pair::{Fate, Pair};
use super::*;
use crate::rcv::Rcv;
use crate::{
    AckRule, Ecn, Errno, GiveUp, IcmpErrors, Keepalive, MtuProbing, RtoMin, RtoSettings, SynCookies,
    SynQueueLimit, WindowScale,
};

/// The certainty of a value, with its source.
#[derive(Clone, Copy)]
enum Basis {
    /// Measured on the real kernel, or read from it.
    M(&'static str),
    /// In the named document or source code.
    D(&'static str),
    /// Unverified.
    U,
}

use Basis::{D, M, U};

const SYSCTL: Basis = M("sysctl of Linux 6.18.44");
const BSD_TIMER: Basis = D("FreeBSD sys/netinet/tcp_timer.h");
const XNU_TIMER: Basis = D("xnu bsd/netinet/tcp_timer.h");
const MS_KEEPALIVE: Basis = D("Microsoft SIO_KEEPALIVE_VALS");

type Row = (&'static str, fn(&Settings) -> String, [Basis; 5]);

/// The columns are those of `Profile::ALL`: linux, rfc9293, freebsd, windows, macos.
const ROWS: [Row; 68] = [
    (
        "keepalive idle",
        |s| time(s.keepalive_numbers.idle),
        [SYSCTL, D("RFC 9293 §3.8.4"), BSD_TIMER, MS_KEEPALIVE, XNU_TIMER],
    ),
    (
        "keepalive interval",
        |s| time(s.keepalive_numbers.interval),
        [SYSCTL, U, BSD_TIMER, MS_KEEPALIVE, XNU_TIMER],
    ),
    (
        "keepalive probes",
        |s| s.keepalive_numbers.probes.to_string(),
        [SYSCTL, U, BSD_TIMER, MS_KEEPALIVE, XNU_TIMER],
    ),
    (
        "a peer that answers no keepalive probe",
        |s| if s.reset_unresponsive_peer { "is reset" } else { "is left alone" }.to_owned(),
        [D("`tcp_keepalive_timer`"), U, U, U, U],
    ),
    (
        "first RTO",
        |s| time(s.rto.initial),
        [M("05_syn_dropped_1"), D("RFC 6298 §2.1"), U, D("Microsoft TcpInitialRtt"), XNU_TIMER],
    ),
    (
        "RTO",
        |s| match s.rto.min_applies {
            RtoMin::Total => format!("max(SRTT + 4 RTTVAR, {})", time(s.rto.min)),
            RtoMin::Variance => format!("SRTT + max(4 RTTVAR, {})", time(s.rto.min)),
            RtoMin::Slop => format!("SRTT + 4 RTTVAR + {}", time(s.rto.min)),
        },
        [M("timer samples of 01b, 17b"), D("RFC 6298 §2.4"), BSD_TIMER, U, XNU_TIMER],
    ),
    ("maximum RTO", |s| time(s.rto.max), [SYSCTL, D("RFC 6298 §2.5"), BSD_TIMER, U, XNU_TIMER]),
    (
        "a sudden drop of the round-trip time",
        |s| if s.damp_rtt_drops { "has an eighth of its weight" } else { "has its full weight" }.to_owned(),
        [D("`tcp_rtt_estimator`"), D("RFC 6298 §2.3"), U, U, U],
    ),
    (
        "timer resolution",
        |s| {
            let (tick, late, short) = (s.rto.granularity, s.timer_lateness, s.short_timer_margin);
            if tick.is_zero() {
                return "exact".to_owned();
            }
            format!("{} ticks, {} late ({} more if short)", time(tick), time(late), time(short))
        },
        [M("13a, 13c"), U, U, U, U],
    ),
    (
        "delayed ACK",
        |s| {
            let delayed = s.delayed_ack.unwrap();
            let range = if delayed.min == delayed.max {
                time(delayed.min)
            } else {
                format!("{} to {}", time(delayed.min), time(delayed.max))
            };
            if delayed.quick > 0 { format!("{range}, none for the first {}", delayed.quick) } else { range }
        },
        [M("09b, 09h, 17e"), D("RFC 9293 §3.8.6.3: below 0.5 s"), BSD_TIMER, U, U],
    ),
    (
        "immediate acknowledgments",
        |s| {
            match s.ack_rule {
                AckRule::SecondSegment => "for every second full segment",
                AckRule::Adaptive => "depend on the traffic",
            }
            .to_owned()
        },
        [M("09a, 09b, 09h"), D("RFC 9293 §3.8.6.3"), U, U, U],
    ),
    (
        "delay of ACKs for the same gap",
        |s| s.ack_compression.map_or("never".to_owned(), time),
        [D("`tcp_comp_sack_delay_ns`"), D("RFC 5681 §4.2"), U, U, U],
    ),
    (
        "a window update after a read",
        |s| if s.window_update_doubles { "if the window doubles" } else { "if the window grows" }.to_owned(),
        [D("`tcp_cleanup_rbuf`"), U, U, U, U],
    ),
    (
        "SYN retransmissions",
        |s| s.syn_retries.to_string(),
        [SYSCTL, D("RFC 9293 §3.8.3: 3 minutes"), U, U, U],
    ),
    ("of which before the first backoff", |s| s.syn_linear_timeouts.to_string(), [SYSCTL, U, U, U, U]),
    (
        "a SYN answered by an unacceptable ACK is repeated",
        |s| {
            s.unacceptable_ack_hastens_syn
                .map_or("at its timeout".to_owned(), |soon| format!("once {} later", time(soon)))
        },
        [M("75a to 75l"), D("RFC 9293 §3.10.7.3"), U, U, U],
    ),
    (
        "connect gives up",
        |s| {
            s.connect_timeout
                .map_or("after its retransmissions".to_owned(), |limit| format!("after {}", time(limit)))
        },
        [M("05_syn_dropped_all_default: 131 s"), U, U, U, XNU_TIMER],
    ),
    ("SYN+ACK retransmissions", |s| s.synack_retries.to_string(), [SYSCTL, U, U, U, U]),
    (
        "a repeated SYN in SYN-RECEIVED",
        |s| if s.repeated_syn_restarts_timer { "restarts the timer" } else { "is answered" }.to_owned(),
        [D("`tcp_check_req`"), U, U, U, U],
    ),
    (
        "a different SYN in SYN-RECEIVED",
        |s| if s.reset_for_syn_in_handshake { "is answered by RST" } else { "silently ends it" }.to_owned(),
        [D("`tcp_check_req`"), D("RFC 9293 §3.10.7.4"), U, U, U],
    ),
    (
        "retransmission of data gives up",
        |s| give_up(s.rto, s.give_up),
        [SYSCTL, D("RFC 9293 §3.9.1.1"), BSD_TIMER, D("Microsoft TcpMaxDataRetransmissions"), XNU_TIMER],
    ),
    (
        "an orphaned connection gives up",
        |s| give_up(s.rto, s.orphan_give_up),
        [M("02_client_fin_dropped_all_orphan_default"), U, U, U, U],
    ),
    (
        "an orphan at the maximum RTO gives up",
        |s| match s.orphan_retries_at_max_rto {
            Some(0) => "at once, even if probes are answered".to_owned(),
            Some(retries) => format!("after {retries} doublings, even if probes are answered"),
            None => "as before".to_owned(),
        },
        [M("40a, 40d, 40e"), D("RFC 9293 §3.8.6.1"), U, U, U],
    ),
    (
        "an orphan stays in FIN-WAIT-2",
        |s| s.fin_timeout.map_or("forever".to_owned(), time),
        [SYSCTL, D("RFC 9293 has no timer"), BSD_TIMER, U, XNU_TIMER],
    ),
    (
        "a RST or SYN to such an orphan",
        |s| if s.orphan_fin_wait_2_yields { "ends it" } else { "is challenged" }.to_owned(),
        [D("`tcp_timewait_state_process`"), U, U, U, U],
    ),
    (
        "TIME-WAIT",
        |s| time(s.time_wait),
        [M("14b"), D("RFC 9293 §3.4.2: 2 MSL"), D("MSL 30 s, 1995 sources"), U, XNU_TIMER],
    ),
    ("RST ends TIME-WAIT", |s| on(s.reset_ends_time_wait), [M("11h"), D("RFC 9293 §3.10.7.4"), U, U, U]),
    (
        "a RST with the sequence number of the peer's FIN",
        |s| if s.reset_at_fin { "is accepted" } else { "is too old" }.to_owned(),
        [D("`tcp_reset_check`"), U, U, U, U],
    ),
    (
        "a RST after the highest data beyond a gap",
        |s| if s.reset_at_sack_edge { "is accepted" } else { "is challenged" }.to_owned(),
        [M("43a, 43b"), D("RFC 5961 §3.2"), U, U, U],
    ),
    (
        "the error after a RST in CLOSE-WAIT",
        |s| s.close_wait_reset.to_string(),
        [D("`tcp_reset`"), D("RFC 9293 §3.10.7.4"), U, U, U],
    ),
    (
        "a read after FIN and RST returns",
        |s| if s.fin_hides_reset { "the end of the stream" } else { "the error" }.to_owned(),
        [D("`tcp_recvmsg_locked`"), U, U, U, U],
    ),
    (
        "data after FIN and shutdown(SHUT_RD)",
        |s| if s.reset_after_shutdown_read { "is answered by RST" } else { "is acknowledged" }.to_owned(),
        [D("`tcp_rcv_state_process`"), U, U, U, U],
    ),
    (
        "the SYN+ACK of a simultaneous open offers",
        |s| if s.simultaneous_open_offers_all { "what its SYN did" } else { "what both SYNs did" }.to_owned(),
        [D("`tcp_syn_options`"), D("RFC 7323 §2.2"), U, U, U],
    ),
    (
        "SYN+FIN to a listener",
        |s| if s.drop_syn_fin { "is dropped" } else { "is answered" }.to_owned(),
        [M("46a"), D("RFC 9293 §3.10.7.2"), U, U, U],
    ),
    (
        "a segment that ends beyond the window",
        |s| if s.trim_to_window { "is trimmed" } else { "is dropped if data is unread" }.to_owned(),
        [M("48a, 48b"), D("RFC 9293 §3.10.7.4"), U, U, U],
    ),
    (
        "a segment received before, and not acknowledged",
        |s| {
            if s.window_begins_at_last_ack { "acknowledges nevertheless" } else { "is only answered" }
                .to_owned()
        },
        [D("`tcp_sequence`"), D("RFC 9293 §3.10.7.4"), U, U, U],
    ),
    (
        "ACK and RST beyond a window that shrank",
        |s| if s.numbers_keep_to_window { "move back to its end" } else { "stay beyond it" }.to_owned(),
        [M("45a"), D("RFC 9293 §3.10.7.4"), U, U, U],
    ),
    ("timestamps", |s| on(s.timestamps), [SYSCTL, D("RFC 7323"), U, U, U]),
    (
        "a SYN in place of TIME-WAIT echoes",
        |s| if s.syn_echoes_time_wait { "its last timestamp" } else { "nothing" }.to_owned(),
        [M("14d"), D("RFC 7323 §3.2"), U, U, U],
    ),
    (
        "SACK, D-SACK",
        |s| format!("{}, {}", on(s.sack), on(s.dsack)),
        [SYSCTL, D("RFC 2018, RFC 2883"), U, U, U],
    ),
    (
        "duplicates that prove a loss",
        |s| match s.max_dup_thresh {
            3 => "3".to_owned(),
            most => format!("3, up to {most} on a path that reorders"),
        },
        [M("68a, 68b"), D("RFC 5681 §3.2"), U, U, U],
    ),
    ("tail loss probe", |s| on(s.tail_loss_probe), [SYSCTL, D("RFC 8985: optional"), U, U, U]),
    ("F-RTO", |s| on(s.frto), [SYSCTL, U, U, U, U]),
    (
        "a reordered ACK with an old timestamp",
        |s| if s.late_acks { "is used" } else { "is answered" }.to_owned(),
        [M("09f"), D("RFC 7323 §5.3"), U, U, U],
    ),
    (
        "retransmitted small segments",
        |s| if s.collapse { "are merged" } else { "stay separate" }.to_owned(),
        [M("10m"), D("RFC 9293 §3.8.1: may"), U, U, U],
    ),
    (
        "congestion control",
        |s| s.congestion.name().to_owned(),
        [D("mainline default"), D("RFC 9293 §3.8.2"), U, U, U],
    ),
    (
        "the congestion window of an idle connection falls",
        |s| if s.window_validation { "by half per RTO" } else { "at once" }.to_owned(),
        [M("60a_iw10_application_limited"), D("RFC 5681 §4.1"), U, U, U],
    ),
    (
        "CUBIC catches up with Reno, takes back a loss that was none",
        |s| on(s.cubic_follows_rfc),
        [M("61d, 61f"), D("RFC 9438 §4.3, §4.9"), U, U, U],
    ),
    ("HyStart", |s| on(s.hystart), [M("62a, 62c"), U, U, U, U]),
    (
        "window scale",
        |s| {
            let fits =
                if s.window_scale == Some(WindowScale::ForBuffer) { ", or for a fixed buffer" } else { "" };
            Rcv::new(s).offer_scale(s).map_or("none".to_owned(), |shift| format!("{shift}{fits}"))
        },
        [M("31a: `tcp_select_initial_window`"), U, U, U, U],
    ),
    (
        "ICMP errors that end a connection",
        |s| match s.icmp {
            IcmpErrors::InHandshake => "any in SYN-SENT, some in SYN-RECEIVED".to_owned(),
            IcmpErrors::Hard => "hard ones".to_owned(),
        },
        [M("06d, 06e, 06f, 47"), D("RFC 9293 §3.9.2.2"), U, U, U],
    ),
    (
        "a reported path MTU is accepted",
        |s| format!("if at least {} bytes, for {}", s.min_path_mtu, time(s.path_mtu_lifetime)),
        [D("`min_pmtu`, `mtu_expires`"), D("RFC 1191 §6.3: ten minutes"), U, U, U],
    ),
    (
        "the path MTU is searched for",
        |s| {
            match s.mtu_probing {
                MtuProbing::Off => "never",
                MtuProbing::AfterBlackHole => "once a black hole is suspected",
                MtuProbing::Always => "always",
            }
            .to_owned()
        },
        [SYSCTL, D("RFC 4821: optional"), U, U, U],
    ),
    (
        "explicit congestion notification",
        |s| {
            match s.ecn {
                Ecn::Off => "off",
                Ecn::Passive => "if the peer asks for it",
                Ecn::On => "on",
            }
            .to_owned()
        },
        [SYSCTL, U, D("`net.inet.tcp.ecn.enable`"), U, U],
    ),
    (
        "receive buffer",
        |s| {
            let max = s.receive_buffer_max.map(|max| format!(", grows to {max}"));
            format!("{}{}", s.receive_buffer, max.unwrap_or_default())
        },
        [M("30a: `tcp_rcv_space_adjust`"), U, U, U, U],
    ),
    (
        "send buffer",
        |s| {
            let max = s.send_buffer_max.map(|max| format!(", grows to {max}"));
            format!("{}{}", s.send_buffer, max.unwrap_or_default())
        },
        [D("`tcp_sndbuf_expand`"), U, U, U, U],
    ),
    (
        "the window of a SYN",
        |s| if s.whole_segment_window { "whole segments" } else { "the whole buffer" }.to_owned(),
        [D("`tcp_select_initial_window`"), U, U, U, U],
    ),
    (
        "Nagle's algorithm waits for",
        |s| if s.minshall { "a small segment" } else { "any data" }.to_owned() + " in flight",
        [M("09c"), D("RFC 9293 §3.7.4"), U, U, U],
    ),
    (
        "data for half of the largest window",
        |s| if s.half_window_segments { "is sent" } else { "is a whole segment" }.to_owned(),
        [M("41b"), D("RFC 9293 §3.8.6.2.1"), U, U, U],
    ),
    (
        "buffers are measured by",
        |s| if s.packet_memory { "packet memory" } else { "bytes of data" }.to_owned(),
        [M("07h, 13a, 13c, 10g"), U, U, U, U],
    ),
    ("initial window", |s| s.initial_window.to_string(), [M("10g"), D("RFC 6928"), U, U, U]),
    (
        "the initial window after a lost SYN",
        |s| if s.lost_syn_keeps_window { "stays, after two it is 1" } else { "is 1" }.to_owned(),
        [M("74i"), D("RFC 5681 §3.1"), U, U, U],
    ),
    (
        "minimum interval of challenge ACKs",
        |s| time(s.challenge_ack_interval),
        [M("11g"), D("RFC 5961 §7: ten in five seconds"), U, U, U],
    ),
    (
        "connections in SYN-RECEIVED",
        |s| match s.syn_queue_limit {
            SynQueueLimit::SynBacklog => s.syn_backlog.to_string(),
            SynQueueLimit::ListenBacklog => {
                format!("backlog + 1; {} without SYN cookies", s.syn_backlog / 4 * 3 + 1)
            }
        },
        [M("40: `tcp_conn_request`"), U, U, U, U],
    ),
    (
        "SYN cookies",
        |s| {
            match s.syn_cookies {
                SynCookies::Off => "off",
                SynCookies::WhenFull => "beyond that",
                SynCookies::Always => "always",
            }
            .to_owned()
        },
        [SYSCTL, U, U, U, U],
    ),
    (
        "connections in SYN-RECEIVED whose listener closes",
        |s| if s.closing_listener_resets_embryonic { "are reset" } else { "end in silence" }.to_owned(),
        [M("76a to 76h"), U, U, U, U],
    ),
    (
        "connections accepted beyond the backlog",
        |s| s.accept_queue_extra.to_string(),
        [D("`sk_acceptq_is_full`"), U, U, U, U],
    ),
    (
        "ephemeral ports",
        |s| {
            let order = if s.alternate_ephemeral_ports { ", alternate ones first" } else { "" };
            format!("{} to {}{order}", s.ephemeral_ports.start(), s.ephemeral_ports.end())
        },
        [SYSCTL, D("RFC 6335 §6"), U, U, U],
    ),
];

fn time(time: Duration) -> String {
    match time.as_millis() {
        0 => "none".to_owned(),
        millis if millis % 1000 == 0 => format!("{} s", millis / 1000),
        millis => format!("{millis} ms"),
    }
}

fn on(on: bool) -> String {
    if on { "on" } else { "off" }.to_owned()
}

fn give_up(rto: RtoSettings, give_up: GiveUp) -> String {
    match give_up {
        GiveUp::Retries(retries) => format!("after {retries} doublings of {}", time(rto.retries_base)),
        GiveUp::Count(count) => format!("after {count} retransmissions"),
        GiveUp::After(limit) => format!("after {}", time(limit)),
    }
}

/// `SNAPSHOTS=overwrite cargo test` updates docs/profiles.md.
#[test]
fn the_table_in_the_docs_is_what_the_profiles_have() {
    let mut text = String::from(
        "# Profiles\n\n\
        `profile: NAME` on a host of a scenario gives its TCP these settings; `tcp:` overrides single ones.\n\n\
        The letter after each value shows its certainty: **M** measured on the real kernel, or read from it; **D** documented; \
        **U** unverified. The sources are below the table. `linux` is tested against recordings of the kernel; the others are \
        only as good as their sources, and share all other settings with `rfc9293`.\n\n\
        A test of `server/tcp` generates this page from the code.\n\n|  |",
    );
    for profile in Profile::ALL {
        write!(text, " {} |", profile.name()).unwrap();
    }
    text.push_str("\n|---|---|---|---|---|---|\n");
    let mut sources = String::new();
    for (name, value, bases) in ROWS {
        write!(text, "| {name} |").unwrap();
        write!(sources, "* {name}:").unwrap();
        let mut named = Vec::new();
        for (profile, basis) in Profile::ALL.into_iter().zip(bases) {
            let (letter, source) = match basis {
                M(source) => ("M", Some(source)),
                D(source) => ("D", Some(source)),
                U => ("U", None),
            };
            write!(text, " {} {letter} |", value(&profile.settings())).unwrap();
            named.extend(source.map(|source| format!("{} {source}", profile.name())));
        }
        text.push('\n');
        writeln!(sources, " {}", if named.is_empty() { "none".to_owned() } else { named.join("; ") })
            .unwrap();
    }
    write!(text, "\n## Sources\n\nNames like `14b` are recordings of the kernel, most of them in server/sim/tests/kernel_truth.\n\n{sources}").unwrap();
    snapbox::Assert::new().action_env("SNAPSHOTS").eq(text, snapbox::file!["../../../../docs/profiles.md"]);
}

/// The idle connection of a client that died: how long until the server knows.
#[test]
fn each_profile_finds_a_dead_peer_in_its_own_time() {
    let expected = [7200 + 9 * 75, 7200 + 9 * 75, 7200 + 8 * 75, 7200 + 10, 7200 + 8 * 75];
    for (profile, expected) in Profile::ALL.into_iter().zip(expected) {
        let settings = profile.settings();
        let watching = Settings { keepalive: Some(settings.keepalive_numbers), ..settings };
        let mut pair = Pair::new(Profile::Linux.settings(), watching).connected();
        pair.path(|_, _, _| Fate::Drop);
        pair.run();
        let dead = pair.events[1].iter().find_map(|(_, event)| match event.kind {
            EventKind::Keepalive(Keepalive::Dead { silence, .. }) => Some(silence.as_secs()),
            _ => None,
        });
        assert_eq!(dead, Some(expected), "{}", profile.name());
    }
}

/// Nobody answers: how long `connect` takes, and a request into the void, in whole seconds; and TIME-WAIT.
#[test]
fn each_profile_gives_up_in_its_own_time() {
    let expected = [(131, 60), (183, 240), (75, 60), (21, 120), (75, 30)];
    for (profile, (connect, time_wait)) in Profile::ALL.into_iter().zip(expected) {
        let mut pair = Pair::new(profile.settings(), Profile::Linux.settings());
        pair.path(|_, _, _| Fate::Drop);
        pair.connect();
        pair.run();
        assert_eq!(pair.ended[0], Some(Err(Errno::TimedOut)));
        assert_eq!(pair.events[0].last().unwrap().0.as_duration().as_secs(), connect, "{}", profile.name());

        let mut pair = Pair::new(profile.settings(), Profile::Linux.settings()).connected();
        pair.close(0);
        pair.run_for(secs(1));
        pair.close(1);
        pair.run_for(ms(100));
        assert_eq!(pair.state(0), State::TimeWait);
        pair.run_for(secs(time_wait - 2));
        assert_eq!(pair.state(0), State::TimeWait, "{}", profile.name());
        pair.run_for(secs(2));
        assert_eq!(pair.state(0), State::Closed, "{}", profile.name());
    }
}

/// Data that nobody acknowledges: Linux counts time, BSD and Windows retransmissions, the RFC five minutes.
#[test]
fn each_profile_sends_again_in_its_own_way() {
    let expected = [(15, 924), (9, 300), (12, 400), (5, 10), (12, 400)];
    for (profile, (count, least)) in Profile::ALL.into_iter().zip(expected) {
        let mut pair = Pair::new(profile.settings(), Profile::Linux.settings()).connected();
        pair.path(|_, _, _| Fate::Drop);
        let start = pair.now;
        pair.send(0, &[1; 100]);
        pair.run();
        let again =
            pair.log.iter().filter(|sent| sent.transmit.purpose == crate::Purpose::Retransmission).count();
        let waited = (pair.events[0].last().unwrap().0 - start).as_secs();
        assert_eq!(again, count, "{}", profile.name());
        assert!(waited >= least, "{}: {waited}", profile.name());
    }
}
