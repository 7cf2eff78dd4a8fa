//! The congestion window against recordings: how many segments a bulk transfer sends in each round trip.

use super::pair::{Fate, Pair, pattern};
use super::*;
use crate::{Purpose, TcpInfo};

const MSS: usize = 1448;

/// What is lost of a transfer: data segments by their number, and any of them by its time since the first.
type Loses = fn(u32, Duration) -> bool;

/// A transfer from end 0 over a path with a round trip of `rtt` and a link of `rate` octets a second, whose queue is unlimited.
struct Bulk {
    octets: usize,
    rtt: Duration,
    rate: Option<u64>,
    loses: Loses,
    hystart: bool,
}

impl Bulk {
    /// How many data segments it sends in each of `count` round trips, lost ones included, and how it stands then.
    fn rounds(&self, count: u32) -> (Vec<u32>, TcpInfo) {
        let settings = || Settings { hystart: self.hystart, ..Profile::Linux.settings() };
        let mut pair = Pair::new(settings(), settings());
        pair.latency = self.rtt / 2;
        let mut pair = pair.connected();
        let (start, mut seen, mut free) = (pair.now, 0, pair.now);
        let Bulk { octets, rtt, rate, loses, .. } = *self;
        pair.path(move |from, sent, now| {
            if from == 1 || sent.header.payload == 0 {
                return Fate::Pass;
            }
            let is_new = sent.purpose == Purpose::Normal;
            seen += u32::from(is_new);
            if loses(if is_new { seen } else { 0 }, now - start) {
                return Fate::Drop;
            }
            let Some(rate) = rate else { return Fate::Pass };
            let on_the_wire = u64::from(sent.header.payload) + 52;
            free = free.max(now) + Duration::from_nanos(on_the_wire * 1_000_000_000 / rate);
            Fate::Delay(free - now)
        });
        pair.send(0, &pattern(octets));
        pair.run_for(rtt * count - Duration::from_nanos(1));
        let mut rounds = vec![0; count as usize];
        for it in pair.log.iter().filter(|it| it.from == 0 && it.transmit.header.payload > 0) {
            rounds[((it.at - start).as_nanos() / rtt.as_nanos()) as usize] += 1;
        }
        let info = pair.info(0);
        (rounds, info)
    }
}

/// Each round trip sends what the recording did, up to `tolerance` segments: the kernel's round trips are a little longer.
#[track_caller]
fn agrees(name: &str, rounds: &[u32], recorded: &[u32], tolerance: u32) {
    let apart = rounds.iter().zip(recorded).position(|(ours, theirs)| ours.abs_diff(*theirs) > tolerance);
    assert_eq!(apart, None, "{name}\n{rounds:?}\n{recorded:?}");
}

/// 61d, 61f, 61g and 61h: after losses, and after a timeout, for which CUBIC forgets where the loss was.
#[test]
fn cubic_grows_as_recorded() {
    let long = Bulk { octets: 4_500_000, rtt: ms(200), rate: None, loses: |_, _| false, hystart: true };
    let (rounds, _) = Bulk { loses: |number, _| number == 60, ..long }.rounds(44);
    let recorded = [
        10, 20, 40, 66, 50, 57, 58, 60, 61, 65, 65, 68, 68, 68, 70, 70, 70, 70, 70, 70, 70, 70, 70, 70, 70,
        70, 70, 70, 70, 71, 71, 72, 73, 74, 76, 78, 79, 82, 84, 87, 90, 94, 97, 102,
    ];
    agrees("61d", &rounds, &recorded, 4);

    let (rounds, _) = Bulk { loses: |number, _| matches!(number, 60 | 400), ..long }.rounds(36);
    let recorded = [
        10, 20, 40, 66, 50, 57, 58, 60, 61, 57, 44, 49, 50, 51, 52, 53, 53, 55, 55, 55, 55, 55, 55, 55, 55,
        55, 55, 55, 54, 55, 55, 55, 56, 57, 58, 59,
    ];
    agrees("61f", &rounds, &recorded, 4);

    let (rounds, _) = Bulk { rtt: ms(50), loses: |number, _| number == 60, ..long }.rounds(40);
    let recorded = [
        10, 20, 40, 66, 48, 51, 52, 53, 54, 54, 56, 56, 56, 58, 58, 58, 60, 60, 60, 62, 62, 62, 62, 64, 64,
        62, 64, 64, 65, 65, 65, 65, 66, 66, 65, 67, 67, 66, 68, 68,
    ];
    agrees("61g", &rounds, &recorded, 3);

    let (mut rounds, _) = Bulk { loses: |_, time| time >= ms(350) && time < ms(950), ..long }.rounds(43);
    // The kernel's timer is late, which is in the next round trip.
    rounds.insert(4, 0);
    let recorded = [
        10, 20, 40, 0, 1, 0, 0, 1, 2, 2, 4, 8, 16, 28, 29, 31, 32, 34, 35, 37, 39, 41, 43, 44, 47, 50, 52,
        55, 58, 60, 63, 67, 70, 73, 77, 80, 85, 89, 94, 98, 103, 108, 116, 126,
    ];
    agrees("61h", &rounds, &recorded, 4);
}

/// 62a, 62c, 62d and 62e: on faster links the train of acknowledgments ends slow start, on slower ones the delay does.
#[test]
fn slow_start_ends_where_hystart_says() {
    for (name, rtt, rate, threshold, recorded) in [
        ("62a", 40, 1_250_000, 59, [10, 20, 40, 50, 36, 36, 34, 36, 36, 35, 35, 36]),
        ("62c", 40, 250_000, 28, [10, 12, 14, 12, 6, 6, 9, 6, 8, 7, 7, 7]),
        ("62d", 100, 2_500_000, 247, [10, 20, 40, 80, 160, 250, 168, 176, 176, 174, 177, 176]),
        ("62e", 100, 625_000, 168, [10, 20, 40, 80, 76, 82, 52, 43, 43, 46, 45, 44]),
    ] {
        let bulk =
            Bulk { octets: 4_000_000, rtt: ms(rtt), rate: Some(rate), loses: |_, _| false, hystart: true };
        let (rounds, info) = bulk.rounds(12);
        agrees(name, &rounds, &recorded, 4);
        assert!(info.snd_ssthresh.abs_diff(threshold) <= 2, "{name}: {} for {threshold}", info.snd_ssthresh);
        let off = Bulk { hystart: false, ..bulk };
        assert_eq!(off.rounds(12).1.snd_ssthresh, u32::MAX, "{name} without HyStart");
    }
}

/// 60a_iw10_application_limited: ten segments three times, half of a round trip of acknowledgments each; then only a FIN, after more than an RTO.
#[test]
fn a_window_grows_by_what_was_in_flight_and_falls_when_it_is_not_used() {
    let mut pair = Pair::linux().connected();
    let mut windows = Vec::new();
    for wait in [60, 240, 60, 240, 60, 1000] {
        let cwnd = |pair: &Pair| pair.info(0).snd_cwnd;
        if wait == 60 {
            pair.send(0, &pattern(10 * MSS));
            windows.push(cwnd(&pair));
        }
        pair.run_for(ms(wait));
        windows.push(cwnd(&pair));
    }
    pair.close(0);
    windows.push(pair.info(0).snd_cwnd);
    assert_eq!(windows, [10, 20, 20, 10, 20, 20, 10, 20, 20, 15]);
}
