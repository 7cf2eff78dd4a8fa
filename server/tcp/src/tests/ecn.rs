//! Explicit congestion notification (RFC 3168).

use super::pair::{Fate, Pair, pattern};
use super::*;
use crate::segment::Congestion;
use crate::{Ecn, RecoveryPhase};

fn settings(ecn: Ecn) -> Settings {
    Settings { ecn, ..Profile::Linux.settings() }
}

fn pair(client: Ecn, server: Ecn) -> Pair {
    Pair::new(settings(client), settings(server)).connected()
}

/// The ECN bits of the SYN and of the SYN+ACK.
fn handshake(pair: &Pair) -> [Flags; 2] {
    let syn = |end| pair.sent(end)[0].0;
    [syn(0), syn(1)].map(|flags: Flags| flags.without(flags.without(Flags::ECN)))
}

#[test]
fn both_ends_agree_if_one_asks_and_the_other_wants_it() {
    for (client, server, expected) in [
        (Ecn::On, Ecn::On, [Flags::ECN, Flags::ECE]),
        (Ecn::On, Ecn::Passive, [Flags::ECN, Flags::ECE]),
        (Ecn::On, Ecn::Off, [Flags::ECN, Flags::NONE]),
        (Ecn::Passive, Ecn::On, [Flags::NONE, Flags::NONE]),
        (Ecn::Off, Ecn::On, [Flags::NONE, Flags::NONE]),
    ] {
        let mut pair = Pair::new(settings(client), settings(server));
        pair.connect();
        pair.run_for(ms(100));
        assert_eq!(handshake(&pair), expected, "{client:?} {server:?}");
        pair.log.clear();
        pair.send(0, b"data");
        pair.run_for(secs(1));
        let data = pair.log.iter().find(|it| it.from == 0).unwrap();
        let capable = data.congestion == Congestion::Capable;
        assert_eq!(capable, expected[1] == Flags::ECE, "{client:?} {server:?}");
    }
}

/// New data may be marked. What is sent again may not, nor what has no data.
#[test]
fn only_new_data_may_be_marked() {
    let mut pair = pair(Ecn::On, Ecn::Passive);
    let mut lost = false;
    pair.path(move |from, sent, _| {
        let is_first = from == 0 && sent.header.payload > 0 && !std::mem::replace(&mut lost, true);
        if is_first { Fate::Drop } else { Fate::Pass }
    });
    pair.log.clear();
    pair.send(0, &pattern(10 * 1448));
    pair.close(0);
    pair.run_for(secs(5));
    for it in &pair.log {
        let is_new = it.transmit.header.payload > 0 && it.transmit.purpose == crate::Purpose::Normal;
        assert_eq!(it.congestion == Congestion::Capable, is_new, "{:?}", it.transmit);
    }
    assert!(pair.log.iter().any(|it| it.transmit.purpose == crate::Purpose::FastRetransmission));
}

#[test]
fn a_syn_that_is_sent_again_does_not_ask() {
    let mut pair = Pair::new(settings(Ecn::On), settings(Ecn::Passive));
    let mut seen = 0;
    pair.path(move |from, _, _| {
        seen += u32::from(from == 0);
        if from == 0 && seen == 1 { Fate::Drop } else { Fate::Pass }
    });
    pair.connect();
    pair.run_for(secs(2));
    let syns: Vec<Flags> = pair.sent(0).into_iter().map(|(flags, _)| flags).take(2).collect();
    assert_eq!(syns, [Flags::SYN | Flags::ECN, Flags::SYN]);
    pair.log.clear();
    pair.send(0, b"data");
    pair.run_for(secs(1));
    assert!(pair.sent(0).iter().all(|(flags, _)| !flags.intersects(Flags::ECN)));
}

#[test]
fn a_mark_costs_as_much_as_a_loss_and_is_echoed_until_the_sender_says_so() {
    let mut pair = pair(Ecn::On, Ecn::Passive);
    let mut data = 0;
    pair.path(move |from, sent, _| {
        data += u32::from(from == 0 && sent.header.payload > 0);
        if from == 0 && data == 5 && sent.header.payload > 0 { Fate::Mark } else { Fate::Pass }
    });
    pair.log.clear();
    pair.send(0, &pattern(30 * 1448));
    pair.run_for(ms(60));
    assert_eq!(pair.info(0).ca_state, RecoveryPhase::Cwr);
    pair.run_for(secs(1));
    let echoes = pair.sent(1).iter().filter(|(flags, _)| flags.contains(Flags::ECE)).count();
    let reduced: Vec<usize> = pair
        .sent(0)
        .iter()
        .enumerate()
        .filter(|(_, (flags, _))| flags.contains(Flags::CWR))
        .map(|(at, _)| at)
        .collect();
    // Recording 74a: of 10 segments the last six are echoed, and eight of the next twelve.
    assert_eq!((echoes, reduced), (14, vec![18]));
    let info = pair.info(0);
    assert_eq!((info.ca_state, info.snd_ssthresh), (RecoveryPhase::Open, 9));
    assert_eq!(info.totals.total_retrans, 0);
}
