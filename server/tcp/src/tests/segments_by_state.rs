//! Every state and every kind of segment: what follows, and what is answered.

use super::*;

/// The kinds of segments, numbers relative: seq to rcv.nxt, ack to snd.nxt.
const KINDS: [(&str, Flags, i32, i32, usize); 14] = [
    ("SYN", SYN, 0, 0, 0),
    ("SYN+ACK", Flags::from_bits(0x12), 0, 0, 0),
    ("ACK", ACK, 0, 0, 0),
    ("old ACK", ACK, 0, -1, 0),
    ("ACK of unsent", ACK, 0, 1, 0),
    ("data", ACK, 0, 0, 10),
    ("data again", ACK, -10, 0, 10),
    ("data ahead", ACK, 100, 0, 10),
    ("data too far", ACK, 100_000, 0, 10),
    ("no ACK bit", PSH, 0, 0, 10),
    ("FIN", Flags::from_bits(0x11), 0, 0, 0),
    ("RST", Flags::from_bits(0x14), 0, 0, 0),
    ("RST in window", RST, 100, 0, 0),
    ("RST too far", RST, 100_000, 0, 0),
];

fn row(state: State, (name, flags, seq, ack, len): (&str, Flags, i32, i32, usize)) -> String {
    let mut lone = Lone::in_state(state, plain(100));
    let fin_sent = !matches!(
        state,
        State::Closed
            | State::Listen
            | State::SynSent
            | State::SynReceived
            | State::Established
            | State::CloseWait
    );
    let fin_received = matches!(state, State::CloseWait | State::Closing | State::LastAck | State::TimeWait);
    let snd_nxt = 101 + i32::from(fin_sent);
    // Before the peer's SYN anything may come: 300 is its ISS.
    let rcv_nxt = match state {
        State::Closed | State::Listen | State::SynSent => 300,
        _ => 301 + i32::from(fin_received),
    };
    let ack = if flags.contains(ACK) { (snd_nxt + ack) as u32 } else { 0 };
    let segment = (flags, (rcv_nxt + seq) as u32, ack, len);
    let (arrival, answers) = lone.deliver(segment);
    let answers: Vec<String> =
        answers
            .iter()
            .map(|(flags, seq, ack, _)| {
                if flags.contains(ACK) {
                    format!("{flags} {seq} ack {ack}")
                } else {
                    format!("{flags} {seq}")
                }
            })
            .collect();
    let used = match arrival.disposition {
        crate::Disposition::Accepted => "used".to_owned(),
        crate::Disposition::Dropped(reason) => reason.to_string(),
    };
    format!("{:<12} {:<14} {:<12} {:<26} {}", state, name, lone.state(), used, answers.join(", "))
        .trim_end()
        .to_owned()
}

/// The reviewed table is `segments_by_state.txt`; `SNAPSHOTS=overwrite cargo test` writes it anew.
#[test]
fn every_state_answers_every_kind_of_segment_as_the_rfc_says() {
    let head = "Our snd.nxt is 101, or 102 behind our FIN; rcv.nxt is 301, or 302 behind the peer's.\n\n\
        state        segment        then         used or why not            answer\n";
    let rows: Vec<String> = State::ALL
        .into_iter()
        .flat_map(|state| KINDS.into_iter().map(move |kind| row(state, kind)))
        .collect();
    snapbox::Assert::new()
        .action_env("SNAPSHOTS")
        .eq(format!("{head}{}\n", rows.join("\n")), snapbox::file!["segments_by_state.txt"]);
}
