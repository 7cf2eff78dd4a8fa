//! The tracker, in tables.

use std::net::SocketAddr;
use std::time::Duration;

use halfopen_scenario::{
    IdleTimes, Invalid, MiddleboxSettings, OnExpiry, OnFull, OnReuse, Preset, SequenceNumbers, Strays,
    TrackedState as State, Translates,
};
use halfopen_tcp::{Flags, Header, Instant, Seq};

use super::tracker::{Change, Origin, Passage, Tracker, Verdict};
use crate::random::Stream;
use crate::wire;
use halfopen_trace::MiddleboxLoss;

const CLIENT: &str = "10.0.0.1:40000";
const SERVER: &str = "10.0.0.2:80";
/// Their initial sequence numbers; the server's are about to wrap.
const ISS: [u32; 2] = [1000, u32::MAX - 1];

/// A box, and the two ends that send through it, one segment a second.
struct Bench {
    tracker: Tracker,
    now: Instant,
    blocked: bool,
}

fn at(seconds: u64) -> Instant {
    Instant::ZERO + Duration::from_secs(seconds)
}

fn header(who: usize, flags: &str, seq: u32, ack: u32, payload: u32) -> Header {
    let flags = Flags::from_name(flags).unwrap();
    let ack = if flags.contains(Flags::ACK) { Seq(ISS[1 - who]) + ack } else { Seq(0) };
    Header { seq: Seq(ISS[who]) + seq, ack, flags, window: 10_000, payload, ..Header::default() }
}

impl Bench {
    fn new(settings: MiddleboxSettings) -> Bench {
        Bench { tracker: Tracker::new(settings, Stream::new(1, "test")), now: Instant::ZERO, blocked: false }
    }

    /// From the client (0) or the server (1); numbers are relative.
    fn pass(&mut self, who: usize, flags: &str, seq: u32, ack: u32, payload: u32) -> Passage {
        self.now += Duration::from_secs(1);
        let header = header(who, flags, seq, ack, payload);
        let [mut from, mut to]: [SocketAddr; 2] = [CLIENT.parse().unwrap(), SERVER.parse().unwrap()];
        if who == 1 {
            std::mem::swap(&mut from, &mut to);
        }
        self.tracker.handle_segment(self.now, Origin::Either, [from, to], &header, self.blocked)
    }

    /// After a handshake, whose three segments take a second each.
    fn established(settings: MiddleboxSettings) -> Bench {
        let mut bench = Bench::new(settings);
        for (who, flags, seq, ack) in [(0, "SYN", 0, 0), (1, "SYN+ACK", 0, 1), (0, "ACK", 1, 1)] {
            assert_eq!(bench.pass(who, flags, seq, ack, 0).verdict, Verdict::Pass);
        }
        bench
    }

    /// When and in which state the connection expires, and its RSTs.
    fn expiry(&mut self) -> Option<(Duration, State, [Option<Header>; 2])> {
        let expired = self.tracker.handle_expiry(Instant::FAR_FUTURE)?;
        Some((expired.time.as_duration(), expired.state, expired.resets))
    }
}

/// The sender, the flags it sends and the state after that.
type Sent = (usize, &'static str, State);

#[test]
fn states_are_those_of_nf_conntrack() {
    use State::{CloseWait, Closed, Established, FinWait, LastAck, SynReceived, SynSent, TimeWait};
    let histories: &[(&str, &[Sent])] = &[
        ("a SYN again", &[(0, "SYN", SynSent), (0, "SYN", SynSent)]),
        ("a SYN+ACK again", &[(0, "SYN", SynSent), (1, "SYN+ACK", SynReceived), (1, "SYN+ACK", SynReceived)]),
        ("refused", &[(0, "SYN", SynSent), (1, "RST+ACK", Closed)]),
        ("both open", &[(0, "SYN", SynSent), (1, "SYN", SynSent), (0, "SYN+ACK", SynReceived)]),
        (
            "both close one after the other",
            &[
                (0, "SYN", SynSent),
                (1, "SYN+ACK", SynReceived),
                (0, "ACK", Established),
                (1, "ACK", Established),
                (1, "FIN+ACK", FinWait),
                (0, "ACK", CloseWait),
                (0, "FIN+ACK", LastAck),
                (1, "ACK", TimeWait),
                (1, "FIN+ACK", TimeWait),
                (0, "SYN", SynSent),
            ],
        ),
        (
            "reset",
            &[
                (0, "SYN", SynSent),
                (1, "SYN+ACK", SynReceived),
                (0, "FIN+ACK", FinWait),
                (0, "FIN+ACK", LastAck),
                (0, "RST", Closed),
                (1, "ACK", Closed),
                (1, "SYN", SynSent),
            ],
        ),
        (
            "segments that the ends may know to be right change nothing",
            &[
                (0, "SYN", SynSent),
                (1, "ACK", SynSent),
                (1, "SYN+ACK", SynReceived),
                (0, "SYN", SynReceived),
                (0, "ACK", Established),
                (0, "SYN", Established),
                (1, "SYN+ACK", Established),
            ],
        ),
    ];
    for (name, history) in histories {
        let mut bench = Bench::new(MiddleboxSettings::default());
        let mut state = None;
        for (place, (who, flags, expected)) in history.iter().enumerate() {
            let passage = bench.pass(*who, flags, 0, 0, 0);
            assert_eq!(passage.verdict, Verdict::Pass, "{name}, {place}");
            let change = passage.change;
            if let (Some((Change::From(before), _)), Some(known)) = (change, state) {
                assert_eq!(before, known, "{name}, {place}");
            }
            state = change.map(|(_, after)| after).or(state);
            assert_eq!(state, Some(*expected), "{name}, {place}");
        }
    }
}

#[test]
fn a_segment_that_cannot_come_in_a_state_is_invalid() {
    let cases = [(0, "SYN+ACK"), (0, "ACK"), (0, "FIN+ACK"), (1, "FIN+ACK"), (0, "PSH")];
    let expected = [
        (Invalid::Pass, Verdict::Pass),
        (Invalid::Drop, Verdict::Lose(MiddleboxLoss::Invalid)),
        (Invalid::Untranslated, Verdict::Untranslated),
    ];
    for (who, flags) in cases {
        for (invalid, verdict) in &expected {
            let mut bench =
                Bench::new(MiddleboxSettings { invalid: *invalid, ..MiddleboxSettings::default() });
            bench.pass(0, "SYN", 0, 0, 0);
            let passage = bench.pass(who, flags, 1, 1, 0);
            assert_eq!(passage, Passage::from(verdict.clone()), "{who} {flags}");
        }
    }
}

#[test]
fn a_segment_outside_the_windows_is_invalid() {
    let no = Verdict::Lose(MiddleboxLoss::Invalid);
    let cases = [
        ("new data", (1, "ACK", 1, 1, 1000), Verdict::Pass),
        ("up to the edge of the window", (1, "ACK", 9_901, 1, 100), Verdict::Pass),
        ("behind the edge", (1, "ACK", 10_002, 1, 100), no.clone()),
        ("data that was sent long ago", (0, "ACK", 1, 1, 100), no.clone()),
        ("an acknowledgment, whatever its number", (0, "ACK", 1, 1, 0), Verdict::Pass),
        ("an acknowledgment of what was never sent", (0, "ACK", 20_001, 2, 0), no.clone()),
        ("a RST with the next number", (0, "RST", 20_001, 1, 0), Verdict::Pass),
        ("a RST with a number of the past", (0, "RST", 20_000, 1, 0), no.clone()),
        ("a FIN of the past", (0, "FIN+ACK", 9_000, 1, 0), no),
    ];
    for (name, (who, flags, seq, ack, payload), verdict) in cases {
        let mut bench =
            Bench::established(MiddleboxSettings { invalid: Invalid::Drop, ..MiddleboxSettings::default() });
        // The client sends two windows, and the server acknowledges them.
        bench.pass(0, "ACK", 1, 1, 10_000);
        bench.pass(1, "ACK", 1, 10_001, 0);
        bench.pass(0, "ACK", 10_001, 1, 10_000);
        bench.pass(1, "ACK", 1, 20_001, 0);
        assert_eq!(bench.pass(who, flags, seq, ack, payload).verdict, verdict, "{name}");
    }
}

#[test]
fn strays_are_treated_as_the_settings_say() {
    let lost = || Verdict::Lose(MiddleboxLoss::NoState);
    let reset = |header| Verdict::Reset(MiddleboxLoss::NoState, header);
    let numbered = Header { seq: Seq(ISS[1]) + 7, flags: Flags::RST, ..Header::default() };
    let acknowledging = Header { ack: Seq(ISS[0]) + 6, flags: Flags::RST | Flags::ACK, ..Header::default() };
    let cases = [
        (Strays::Drop, "ACK", lost()),
        (Strays::Drop, "SYN+ACK", lost()),
        (Strays::Reset, "ACK", reset(numbered.clone())),
        (Strays::Reset, "SYN+ACK", reset(numbered.clone())),
        (Strays::Reset, "FIN", reset(acknowledging)),
        (Strays::Reset, "RST", lost()),
        (Strays::Adopt, "ACK", Verdict::Pass),
        (Strays::Adopt, "FIN+ACK", lost()),
        (Strays::Adopt, "SYN+ACK", lost()),
        (Strays::Adopt, "RST", lost()),
        (Strays::Untranslated, "ACK", Verdict::Untranslated),
    ];
    for (strays, flags, verdict) in cases {
        let mut bench = Bench::new(MiddleboxSettings { strays, ..MiddleboxSettings::default() });
        let passage = bench.pass(0, flags, 5, 7, 0);
        assert_eq!(passage.verdict, verdict, "{strays:?} {flags}");
        let adopted = (strays, flags) == (Strays::Adopt, "ACK");
        let change = adopted.then_some((Change::Adopted, State::Established));
        assert_eq!(passage.change, change, "{strays:?} {flags}");
        // A SYN is no stray.
        assert_eq!(bench.pass(0, "SYN", 0, 0, 0).verdict, Verdict::Pass, "{strays:?} {flags}");
    }
}

#[test]
fn a_box_that_blocks_creates_no_state_and_keeps_the_old() {
    let mut bench =
        Bench::established(MiddleboxSettings { strays: Strays::Adopt, ..MiddleboxSettings::default() });
    bench.blocked = true;
    assert_eq!(bench.pass(0, "ACK", 1, 1, 10).verdict, Verdict::Pass);
    assert_eq!(bench.tracker.forget().len(), 1);
    for flags in ["SYN", "ACK"] {
        let blocked = Verdict::Lose(MiddleboxLoss::Blocked);
        assert_eq!(bench.pass(0, flags, 1, 1, 0), Passage::from(blocked));
    }
    assert!(bench.tracker.is_empty());
}

#[test]
fn each_state_has_its_time_and_every_segment_restarts_it() {
    let history = [
        (0, "SYN", 0, 0),
        (1, "SYN+ACK", 0, 1),
        (0, "ACK", 1, 1),
        (0, "FIN+ACK", 1, 1),
        (1, "ACK", 1, 2),
        (1, "FIN+ACK", 1, 2),
        (0, "ACK", 2, 2),
        (0, "RST", 2, 2),
    ];
    for preset in Preset::ALL {
        for (last, state) in State::ALL.into_iter().enumerate() {
            let settings = preset.settings();
            let mut bench = Bench::new(settings.clone());
            for (who, flags, seq, ack) in &history[..=last] {
                bench.pass(*who, flags, *seq, *ack, 0);
            }
            let idle = settings.idle.of(state).unwrap();
            let unacknowledged = matches!(state, State::FinWait | State::LastAck);
            let shorter = settings.idle.unacknowledged.filter(|time| unacknowledged && *time < idle);
            let time = bench.now.as_duration() + shorter.unwrap_or(idle);
            assert_eq!(bench.expiry(), Some((time, state, [None, None])), "{preset:?} {state:?}");
            assert_eq!(bench.expiry(), None);
        }
    }
}

#[test]
fn unacknowledged_data_shortens_the_time() {
    let mut idle = IdleTimes::default();
    idle.unacknowledged = Some(Duration::from_secs(300));
    let mut bench = Bench::established(MiddleboxSettings { idle, ..MiddleboxSettings::default() });
    assert_eq!(bench.tracker.next_expiry(), None, "an idle connection stays for ever");
    bench.pass(0, "ACK", 1, 1, 100);
    assert_eq!(bench.tracker.next_expiry(), Some(at(304)));
    bench.pass(1, "ACK", 1, 51, 0);
    assert_eq!(bench.tracker.next_expiry(), Some(at(305)), "half of it is acknowledged");
    bench.pass(1, "ACK", 1, 101, 0);
    assert_eq!(bench.tracker.next_expiry(), None);
}

#[test]
fn resets_to_both_ends_have_the_numbers_that_they_expect() {
    let settings = MiddleboxSettings {
        idle: IdleTimes::all(Duration::from_secs(240)),
        on_expiry: OnExpiry::ResetBoth,
        ..MiddleboxSettings::default()
    };
    let rst = |seq| Some(Header { seq, flags: Flags::RST, ..Header::default() });
    let mut bench = Bench::established(settings.clone());
    bench.pass(0, "ACK", 1, 1, 100);
    bench.pass(1, "ACK", 1, 101, 5);
    bench.pass(0, "ACK", 101, 6, 0);
    assert_eq!(bench.tracker.next_reset(), Some(at(246)));
    let resets = [rst(Seq(ISS[1]) + 6), rst(Seq(ISS[0]) + 101)];
    assert_eq!(bench.expiry(), Some((Duration::from_secs(246), State::Established, resets)));

    // An end that only sent a SYN believes nothing but an acknowledgment of it; one that sent nothing gets nothing.
    let mut bench = Bench::new(settings.clone());
    bench.pass(0, "SYN", 0, 0, 0);
    let reset = Header { ack: Seq(ISS[0]) + 1, flags: Flags::RST | Flags::ACK, ..Header::default() };
    assert_eq!(bench.expiry(), Some((Duration::from_secs(241), State::SynSent, [Some(reset), None])));

    // A connection that is over expires silently, and nobody need wait for it.
    let mut bench = Bench::established(settings);
    bench.pass(1, "RST", 1, 1, 0);
    assert_eq!(bench.tracker.next_reset(), None);
    assert_eq!(bench.expiry(), Some((Duration::from_secs(244), State::Closed, [None, None])));
}

#[test]
fn a_connection_begins_anew_only_from_behind_a_box_that_translates() {
    let translates = Some(Translates { to: [203, 0, 113, 1].into(), ports: 1 });
    let settings = MiddleboxSettings { translates, ..MiddleboxSettings::default() };
    let mut tracker = Tracker::new(settings, Stream::new(1, "test"));
    let [client, server, shared]: [SocketAddr; 3] =
        [CLIENT, SERVER, "203.0.113.1:1024"].map(|socket| socket.parse().unwrap());
    let mut pass = |origin, sockets, flags| {
        let header = header(usize::from(origin == Origin::Outside), flags, 0, 0, 0);
        let passage = tracker.handle_segment(Instant::ZERO, origin, sockets, &header, false);
        (passage.verdict, passage.translated)
    };
    let [out, back] = [(wire::End::Source, shared), (wire::End::Destination, client)].map(Some);
    let cases = [
        (Origin::Behind, [client, server], "SYN", (Verdict::Pass, out)),
        (Origin::Outside, [server, shared], "RST+ACK", (Verdict::Pass, back)),
        (Origin::Outside, [server, shared], "SYN", (Verdict::Lose(MiddleboxLoss::NoState), None)),
        (Origin::Outside, [server, client], "ACK", (Verdict::Lose(MiddleboxLoss::NoState), None)),
        (Origin::Behind, [client, server], "SYN", (Verdict::Pass, out)),
    ];
    for (origin, sockets, flags, expected) in cases {
        assert_eq!(pass(origin, sockets, flags), expected, "{flags} from {origin:?}");
    }
}

/// The RST of the box for a segment that it does not translate has the number that the sender acknowledged, moved as it is.
#[test]
fn a_reset_for_an_invalid_segment_has_the_numbers_that_its_sender_knows() {
    let settings = MiddleboxSettings {
        translates: Some(Translates { to: [203, 0, 113, 1].into(), ports: 1 }),
        sequence_numbers: SequenceNumbers::Randomised,
        invalid: Invalid::Untranslated,
        ..MiddleboxSettings::default()
    };
    let mut tracker = Tracker::new(settings, Stream::new(1, "test"));
    let [client, server, shared]: [SocketAddr; 3] =
        [CLIENT, SERVER, "203.0.113.1:1024"].map(|socket| socket.parse().unwrap());
    let syn = header(0, "SYN", 0, 0, 0);
    let passage = tracker.handle_segment(Instant::ZERO, Origin::Behind, [client, server], &syn, false);
    let added = passage.moved.sequence;
    assert_ne!(added, 0);
    let mut from_server = |flags, seq, ack: u32| {
        let header = header(1, flags, seq, ack.wrapping_add(added), 0);
        (
            tracker.handle_segment(Instant::ZERO, Origin::Outside, [server, shared], &header, false).verdict,
            header,
        )
    };
    assert_eq!(from_server("SYN+ACK", 0, 1).0, Verdict::Pass);
    // It acknowledges far more than was sent.
    let (verdict, sent) = from_server("ACK", 1, 1_000_000);
    let Verdict::Reset(MiddleboxLoss::Invalid, reset) = verdict else { panic!("{verdict:?}") };
    assert_eq!((reset.flags, reset.seq), (Flags::RST, sent.ack));
}

/// Opens a connection from a port of the client; whether it passed, and whose connection was forgotten for it.
fn open(bench: &mut Bench, port: u16) -> (Verdict, Option<u16>) {
    bench.now += Duration::from_secs(1);
    let [mut from, to]: [SocketAddr; 2] = [CLIENT.parse().unwrap(), SERVER.parse().unwrap()];
    from.set_port(port);
    let syn = header(0, "SYN", 0, 0, 0);
    let passage = bench.tracker.handle_segment(bench.now, Origin::Either, [from, to], &syn, false);
    let forgotten =
        passage.forgotten.map(|(sockets, _)| sockets.map(|socket| socket.port()).into_iter().max());
    (passage.verdict, forgotten.flatten())
}

#[test]
fn a_full_table_does_what_the_settings_say() {
    let reset = Header { ack: Seq(ISS[0]) + 1, flags: Flags::RST | Flags::ACK, ..Header::default() };
    for (on_full, third, fourth) in [
        (OnFull::Drop, (Verdict::Lose(MiddleboxLoss::Full), None), (Verdict::Pass, None)),
        (OnFull::Reset, (Verdict::Reset(MiddleboxLoss::Full, reset), None), (Verdict::Pass, None)),
        (OnFull::ForgetOldest, (Verdict::Pass, Some(50_002)), (Verdict::Pass, None)),
    ] {
        let idle = IdleTimes::all(Duration::from_secs(10));
        let settings =
            MiddleboxSettings { idle, max_connections: Some(2), on_full, ..MiddleboxSettings::default() };
        let mut bench = Bench::new(settings);
        assert_eq!(open(&mut bench, 50_001), (Verdict::Pass, None));
        assert_eq!(open(&mut bench, 50_002), (Verdict::Pass, None));
        assert_eq!(open(&mut bench, 50_001), (Verdict::Pass, None), "the same again");
        assert_eq!(open(&mut bench, 50_003), third, "{on_full:?}");
        while bench.tracker.handle_expiry(at(20)).is_some() {}
        assert_eq!(open(&mut bench, 50_004), fourth, "there is room again");
    }
}

#[test]
fn a_syn_between_the_sockets_of_a_connection_in_time_wait_may_be_lost_once() {
    for (on_reuse, verdicts) in [
        (OnReuse::Pass, [Verdict::Pass, Verdict::Pass]),
        (OnReuse::DropFirstSyn, [Verdict::Lose(MiddleboxLoss::Reused), Verdict::Pass]),
    ] {
        let mut bench = Bench::established(MiddleboxSettings { on_reuse, ..MiddleboxSettings::default() });
        for (who, flags, seq, ack) in [(0, "FIN+ACK", 1, 1), (1, "FIN+ACK", 1, 2), (0, "ACK", 2, 2)] {
            bench.pass(who, flags, seq, ack, 0);
        }
        let seen = [0, 1].map(|_| bench.pass(0, "SYN", 5000, 0, 0).verdict);
        assert_eq!(seen, verdicts, "{on_reuse:?}");
    }
}
