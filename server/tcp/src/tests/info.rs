//! What a connection says of itself (TCP_INFO).

use super::pair::{Fate, Pair, pattern};
use super::*;
use crate::{RecoveryPhase, Totals};

const MSS: usize = 1448;

#[test]
fn a_clean_exchange_is_counted_at_both_ends() {
    let mut pair = Pair::linux().connected();
    pair.send(0, &pattern(4 * MSS));
    pair.run_for(secs(1));
    let open = pair.info(0);
    assert_eq!((open.rtt, open.min_rtt, open.busy_time), (Some(ms(40)), Some(ms(40)), ms(40)));
    pair.close(0);
    pair.run_for(secs(1));
    let [client, server] = [pair.info(0), pair.info(1)];
    let data = 4 * MSS as u64;
    assert_eq!((client.totals.bytes_sent, client.totals.data_segs_out), (data, 4));
    assert_eq!(client.totals.bytes_acked, 1 + data + 1, "SYN and FIN");
    assert_eq!((server.totals.bytes_received, server.totals.data_segs_in), (data + 1, 4), "FIN");
    assert_eq!((server.totals.bytes_sent, server.totals.bytes_acked), (0, 0));
    assert_eq!(client.totals.segs_out, server.totals.segs_in);
    assert_eq!(client.totals.delivered, 1 + 4 + 1);
    let lossless = Totals { total_retrans: 0, bytes_retrans: 0, dsack_dups: 0, ..client.totals };
    assert_eq!(client.totals, lossless);
    assert_eq!((client.snd_mss, client.pmtu, client.unacked, client.notsent_bytes), (1448, 1500, 0, 0));
}

#[test]
fn a_loss_shows_while_it_is_repaired_and_in_the_totals() {
    let mut pair = Pair::linux().connected();
    let mut data = 0;
    pair.path(move |from, sent, _| {
        data += usize::from(from == 0 && sent.header.payload > 0);
        if from == 0 && data == 3 && sent.header.payload > 0 { Fate::Drop } else { Fate::Pass }
    });
    pair.send(0, &pattern(10 * MSS));
    pair.run_for(ms(45));
    let during = pair.info(0);
    assert_eq!((during.ca_state, during.snd_ssthresh), (RecoveryPhase::Recovery, 8));
    assert_eq!((during.unacked, during.sacked, during.lost, during.retrans), (8, 7, 1, 1));
    pair.run_for(secs(1));
    let after = pair.info(0);
    assert_eq!((after.ca_state, after.lost, after.snd_cwnd), (RecoveryPhase::Open, 0, 8));
    assert_eq!((after.totals.total_retrans, after.totals.bytes_retrans), (1, MSS as u64));
    assert_eq!(after.totals.delivered, 1 + 10);
}

#[test]
fn timeouts_and_their_backoff_show() {
    let mut pair = Pair::linux().connected();
    pair.path(|_, _, _| Fate::Drop);
    pair.send(0, &[1; 100]);
    pair.run_for(secs(2));
    let it = pair.info(0);
    assert_eq!((it.ca_state, it.retransmits, it.backoff, it.snd_cwnd), (RecoveryPhase::Loss, 3, 3, 1));
    assert_eq!(it.rto, ms(8 * 244 - 8 * 4), "240 ms, doubled three times");
}

/// `tcp_chrono_start`: what limits, in each of its kinds.
#[test]
fn the_time_in_which_something_limits_is_counted() {
    // The peer does not read: its window closes.
    let small = Settings { receive_buffer: 8192, receive_buffer_max: None, ..Profile::Linux.settings() };
    let mut pair = Pair::new(Profile::Linux.settings(), small).connected();
    pair.reads[1] = false;
    pair.send(0, &pattern(20_000));
    pair.run_for(secs(3));
    let it = pair.info(0);
    assert_eq!(it.busy_time, secs(3));
    assert!(it.rwnd_limited > ms(2900) && it.sndbuf_limited.is_zero(), "{it:?}");
    assert_eq!(it.backoff, 3, "of the probes");

    // The send buffer holds less than the path: the application waits.
    let mut pair = Pair::linux().connected();
    let id = pair.id(0);
    pair.ends[0].set_send_buffer(pair.now, id, 4 << 10);
    pair.send(0, &pattern(1_000_000));
    pair.run_for(ms(400));
    let it = pair.info(0);
    assert_eq!(it.busy_time, ms(400));
    assert!(it.sndbuf_limited > ms(200) && it.rwnd_limited.is_zero(), "{it:?}");

    // Nothing to send: nothing limits.
    let mut pair = Pair::linux().connected();
    pair.run_for(secs(5));
    assert!(pair.info(0).busy_time.is_zero());
}
