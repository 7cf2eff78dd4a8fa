//! The search for the path MTU (RFC 4821). The sizes of segments are those of Linux 6.18.

use super::pair::{Fate, Pair, pattern};
use super::*;
use crate::{CongestionAlgorithm, MtuProbing};

/// A client that searches like this, on a path that drops datagrams with more octets than `largest`.
fn searching(mtu_probing: MtuProbing, largest: u32) -> Pair {
    let settings = Settings { mtu_probing, ..Profile::Linux.settings() };
    let mut pair = Pair::new(settings, Profile::Linux.settings()).connected();
    limit(&mut pair, largest);
    pair
}

fn limit(pair: &mut Pair, largest: u32) {
    const HEADERS: u32 = 52;
    pair.path(
        move |from, sent, _| {
            if from == 0 && sent.header.payload + HEADERS > largest { Fate::Drop } else { Fate::Pass }
        },
    );
}

/// Sends so many octets, and returns the sizes of the client's segments, each once, in the order in which they came up. Segments
/// with fewer than 512 octets are left out: they are the rest of something.
fn sizes(pair: &mut Pair, octets: usize) -> Vec<u32> {
    pair.log.clear();
    pair.read[1].clear();
    pair.send(0, &pattern(octets));
    pair.run_for(secs(30));
    assert_eq!(pair.read[1].len(), octets, "everything arrives");
    let mut sizes = Vec::new();
    for (_, size) in pair.sent(0).into_iter().filter(|(_, size)| *size >= 512) {
        if !sizes.contains(&size) {
            sizes.push(size);
        }
    }
    sizes
}

#[test]
fn probes_halve_what_is_left_of_the_search() {
    for (largest, expected) in [
        (1500, vec![1024, 1236, 1342, 1395, 1421, 1434, 1441]),
        (1300, vec![1024, 1236, 1342, 1288, 1261, 1248, 1254]),
    ] {
        let mut sizes = sizes(&mut searching(MtuProbing::Always, largest), 999 * 1024);
        sizes.retain(|size| *size >= 1024);
        assert_eq!(sizes, expected, "{largest}");
    }
}

/// The probe alone is lost: it is sent again in two segments, and nothing is taken from the congestion window.
#[test]
fn a_lost_probe_is_no_sign_of_congestion() {
    let mut pair = searching(MtuProbing::Always, 1200);
    pair.send(0, &pattern(60_000));
    pair.run_for(secs(2));
    let info = pair.info(0);
    assert_eq!((info.snd_ssthresh, info.snd_mss, info.totals.total_retrans), (u32::MAX, 1129, 2));
    assert!(info.snd_cwnd > 30, "{}", info.snd_cwnd);
}

/// What stood before the probe is lost, too, so that it is repaired as any loss: the probe goes again in segments that fit.
#[test]
fn a_probe_that_is_repaired_with_others_is_not_as_large_again() {
    const PROBE: u32 = 1100;
    let mut pair = searching(MtuProbing::Always, 1500);
    let (mut probes, mut dropped) = (0, 0);
    pair.path(move |from, sent, _| {
        probes += u32::from(from == 0 && sent.header.payload > PROBE);
        // The probe, and the segment behind it once, so that the first hole is not the probe's alone.
        let is_lost = sent.header.payload > PROBE || (probes == 1 && dropped == 0 && sent.header.payload > 0);
        dropped += u32::from(from == 0 && is_lost && sent.header.payload <= PROBE);
        if from == 0 && is_lost { Fate::Drop } else { Fate::Pass }
    });
    pair.send(0, &pattern(60_000));
    pair.run_for(secs(2));
    assert_eq!(pair.read[1].len(), 60_000, "no timeout is needed");
}

#[test]
fn a_lost_probe_costs_nothing_where_there_is_no_congestion_control() {
    let congestion = CongestionAlgorithm::None;
    let settings = Settings { mtu_probing: MtuProbing::Always, congestion, ..Profile::Linux.settings() };
    let mut pair = Pair::new(settings, Profile::Linux.settings()).connected();
    limit(&mut pair, 1200);
    pair.send(0, &pattern(200_000));
    pair.run_for(secs(5));
    assert_eq!(pair.read[1].len(), 200_000);
}

#[test]
fn little_data_has_no_room_for_a_probe() {
    assert_eq!(sizes(&mut searching(MtuProbing::Always, 1500), 10 * 1024), [1024]);
}

/// Three timeouts take three seconds, and so on: the time from the first doubles.
#[test]
fn a_black_hole_shortens_segments_until_they_arrive() {
    for (largest, expected) in [(1200, vec![1448, 1024]), (600, vec![1448, 1024, 512])] {
        assert_eq!(sizes(&mut searching(MtuProbing::AfterBlackHole, largest), 1448), expected, "{largest}");
    }
    let mut pair = searching(MtuProbing::Off, 1200);
    pair.send(0, &pattern(1448));
    pair.run_for(secs(60));
    assert_eq!(pair.read[1], b"", "nobody suspects it");
}

#[test]
fn after_ten_minutes_the_search_begins_again() {
    let mut pair = searching(MtuProbing::Always, 1300);
    sizes(&mut pair, 999 * 1024);
    limit(&mut pair, 1500);
    assert_eq!(sizes(&mut pair, 100 * 1248), [1248]);
    pair.run_for(secs(600));
    sizes(&mut pair, 100 * 1248);
    assert!(pair.info(0).snd_mss > 1300, "{}", pair.info(0).snd_mss);
}
