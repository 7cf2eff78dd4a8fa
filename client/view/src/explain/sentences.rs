//! A beat in a sentence.

use std::collections::BTreeMap;
use std::time::Duration;

use halfopen_proto::v1::{
    MiddleboxChange, MiddleboxState, StepKind, TcpDropReason, TcpState, UnreachableCode,
};

use super::beats::{Answer, Beat, Moved, Reset, Story, What};
use super::faults;
use super::phrases::{self, Reasons, about, times};
use crate::stall::{Held, Stalls};
use crate::timeline::{HostIndex, Timeline};
use crate::words;

/// Says beats of one connection.
pub(super) struct Sentences<'a> {
    pub(super) timeline: &'a Timeline,
    pub(super) stalls: &'a Stalls,
    pub(super) story: &'a Story,
}

impl Sentences<'_> {
    pub(super) fn sentence(&self, beat: &Beat) -> String {
        let count = beat.count;
        match &beat.what {
            What::Opening { by, crossed, established } => self.opening(beat, *by, *crossed, established),
            What::Transfer(moved) => self.transfer(moved),
            What::Recovery(number) => match self.story.recoveries.get(*number) {
                Some(recovery) => self.recovery(recovery),
                None => String::new(),
            },
            What::Lost { host, label, reasons } => self.lost(*host, label, reasons),
            What::Probes(probes) if probes.of_window => self.window_probes(probes),
            What::Probes(probes) => self.keepalive_probes(probes),
            What::WindowClosed { host } => {
                let host = self.host(*host);
                format!("{host}'s window is closed: its buffer is full, until its application reads.")
            }
            What::DelayedAcks { host, delays, held } => self.delayed_acks(*host, delays, held.as_ref()),
            What::Step { host, from, reset } => self.step(beat, *host, *from, reset.as_ref()),
            What::EndOfStream { host } => {
                format!("{}'s application read the end of the stream.", self.host(*host))
            }
            What::Failed { host, call, octets, error } => self.failed(*host, *call, *octets, (error, count)),
            What::Error { host, errno } => {
                format!(
                    "The error {errno} was pending for the next call of {}'s application.",
                    self.host(*host)
                )
            }
            What::Fault { host, fault, state } => faults::struck(self.timeline, *host, fault, *state),
            What::Host { host, state } => format!("{} {}.", self.host(*host), faults::does(*state)),
            What::Altered { host, fault, label } => self.altered(*host, fault, (label, count)),
            What::Forged { name, by, label } => self.forged(*name, by, label, count),
            What::NotUsed { host, from, label, why, state, answer } => {
                self.not_used(*host, *from, (label, count), (*why, *state), answer.as_ref())
            }
            What::Reset { host, reset } => format!("{} sent a RST{}.", self.host(*host), lost(reset)),
            What::Unreachable { host, label, code, mtu, dropped, neighbour } => {
                self.unreachable(*host, (label, count), (*code, *mtu), *dropped, *neighbour)
            }
            What::Middlebox { .. } => self.middlebox(&beat.what, count),
        }
    }

    pub(super) fn host(&self, host: HostIndex) -> &str {
        phrases::host(self.timeline, host)
    }

    fn transfer(&self, moved: &BTreeMap<HostIndex, Moved>) -> String {
        let calls = |count: usize, call: &str| match count {
            0 | 1 => String::new(),
            many => format!(" ({many} {call}s)"),
        };
        let parts: Vec<String> = moved
            .iter()
            .filter(|(_, moved)| moved.sent > 0 || moved.received > 0)
            .map(|(host, moved)| {
                let sent = (moved.sent > 0).then(|| {
                    format!("sent {}{}", words::count(moved.sent, "byte"), calls(moved.sends, "call"))
                });
                let received = (moved.received > 0).then(|| {
                    format!(
                        "received {}{}",
                        words::count(moved.received, "byte"),
                        calls(moved.receives, "call")
                    )
                });
                let both: Vec<String> = [sent, received].into_iter().flatten().collect();
                format!("{} {}", self.host(*host), both.join(" and "))
            })
            .collect();
        if parts.is_empty() { String::new() } else { format!("{}.", parts.join("; ")) }
    }

    fn delayed_acks(&self, host: HostIndex, delays: &[Duration], held: Option<&Held>) -> String {
        let host = self.host(host);
        let (least, most) = (delays.iter().min().copied(), delays.iter().max().copied());
        let (least, most) = (about(least.unwrap_or_default()), about(most.unwrap_or_default()));
        let length = if least == most { most } else { format!("{least} to {most}") };
        let often = if delays.len() > 1 { format!(" {}", times(delays.len())) } else { String::new() };
        match held {
            None => {
                format!("{host} delayed its ACK by {length}{often}, in case it had data to send with it.")
            }
            Some(Held { host: peer, octets }) => format!(
                "{host} delayed its ACK by {length}{often}, waiting for data to send with it, while {}'s Nagle algorithm held {} back, waiting for that ACK.",
                self.host(*peer),
                words::count(*octets, "byte")
            ),
        }
    }

    fn lost(&self, host: HostIndex, label: &str, reasons: &Reasons) -> String {
        let host = self.host(host);
        match reasons.count() {
            1 => format!("{host}'s {label} was lost ({}).", reasons.text()),
            many => format!("{many} segments of {host} ({label}) were lost ({}).", reasons.text()),
        }
    }

    fn failed(&self, host: HostIndex, call: StepKind, octets: u64, (error, count): (&str, usize)) -> String {
        let host = self.host(host);
        let so_far = match octets {
            0 => String::new(),
            octets => format!(" after {}", words::count(octets, "byte")),
        };
        let times = if count > 1 { format!(" {}", times(count)) } else { String::new() };
        let (name, meaning) = (words::step(call), meaning(call, error));
        format!("{host}'s {name} failed{so_far} with {error}{times}{meaning}.")
    }

    fn unreachable(
        &self,
        host: HostIndex,
        (label, count): (&str, usize),
        (code, mtu): (UnreachableCode, u32),
        dropped: TcpDropReason,
        neighbour: Option<Option<HostIndex>>,
    ) -> String {
        let host = self.host(host);
        let used =
            words::drop_reason(dropped).map(|why| format!(" It was not used: {why}.")).unwrap_or_default();
        let times = if count > 1 { format!(" ({})", times(count)) } else { String::new() };
        if let Some(neighbour) = neighbour {
            let whose =
                neighbour.map_or("the".to_owned(), |neighbour| self.host(neighbour).to_owned() + "'s");
            return format!(
                "Nobody on the LAN answered for {whose} address, so {host} could not send its {label}{times}.{used}"
            );
        }
        let code = match code {
            UnreachableCode::FragmentationNeeded => {
                format!("it exceeds the MTU of the next link, {mtu} bytes")
            }
            code => words::unreachable(code).to_owned(),
        };
        format!(
            "A router reported to {host} by ICMP that it could not deliver its {label} ({code}){times}.{used}"
        )
    }

    fn not_used(
        &self,
        host: HostIndex,
        from: Option<HostIndex>,
        (label, count): (&str, usize),
        (why, state): (TcpDropReason, Option<TcpState>),
        answer: Option<&(Answer, usize)>,
    ) -> String {
        let (host, from) = (self.host(host), from.map_or("somebody", |from| self.host(from)));
        let because = match why {
            TcpDropReason::NoListener => "nothing listens on that port",
            TcpDropReason::NoConnection => match state {
                None => "it has no such connection",
                Some(TcpState::Closed) => "it does not have the connection any more",
                Some(_) => "it has no connection with these addresses and ports",
            },
            TcpDropReason::NoReceiver => "nobody can read it any more",
            TcpDropReason::QueueFull => "its queue was full",
            TcpDropReason::AwaitingData => "it accepts only when data has arrived (TCP_DEFER_ACCEPT)",
            TcpDropReason::OutOfWindow => "its sequence number is outside the window",
            TcpDropReason::InexactReset => {
                "its sequence number is not exactly the next one expected (RFC 5961)"
            }
            TcpDropReason::SynFin => "no connection begins with SYN and FIN",
            TcpDropReason::UnexpectedSyn => "the connection is open already (RFC 5961)",
            TcpDropReason::UnacceptableAck => "it acknowledges data that was never sent",
            TcpDropReason::OldTimestamp => "its timestamp is older than the last one (PAWS)",
            TcpDropReason::Unspecified
            | TcpDropReason::Malformed
            | TcpDropReason::Checksum
            | TcpDropReason::NotForUs
            | TcpDropReason::Duplicate
            | TcpDropReason::NoAck
            | TcpDropReason::NoSyn
            | TcpDropReason::ImpossibleMtu => words::drop_reason(why).unwrap_or_default(),
        };
        let repeated = if count > 1 { format!(" ({})", times(count)) } else { String::new() };
        let answer = match answer {
            None => String::new(),
            Some((answer, answered)) => {
                let what = match answer {
                    Answer::Reset(reset) => format!("a RST{}", lost(reset)),
                    Answer::Challenge => "a challenge ACK".to_owned(),
                    Answer::Ack => "an ACK".to_owned(),
                };
                let often = match *answered {
                    all if all == count => String::new(),
                    answered => format!(" {answered} of them"),
                };
                format!(". It answered{often} with {what}")
            }
        };
        format!("{host} did not use {from}'s {label}{repeated}: {because}{answer}.")
    }

    fn middlebox(&self, what: &What, count: usize) -> String {
        let What::Middlebox { name, change, before, translated_to, idle, sack_kept } = what else {
            return String::new();
        };
        let state = words::middlebox_state(*before);
        let times = if count > 1 { format!(" ({})", times(count)) } else { String::new() };
        // Who is done with the connection need not know.
        let quietly = match before {
            MiddleboxState::Closed | MiddleboxState::TimeWait => "",
            _ => ", without telling either end",
        };
        match *change {
            MiddleboxChange::Unspecified | MiddleboxChange::Created | MiddleboxChange::Moved => String::new(),
            MiddleboxChange::Adopted => {
                format!("Middlebox {name} adopted the connection: it had not seen its beginning.")
            }
            MiddleboxChange::Expired => {
                let after = match *idle {
                    Duration::ZERO => "too long a".to_owned(),
                    idle => format!("{} of", words::duration(idle)),
                };
                format!(
                    "Middlebox {name} forgot the connection ({state} there) after {after} silence{quietly}."
                )
            }
            MiddleboxChange::Forgotten => {
                format!("Middlebox {name} lost its state of the connection ({state} there){quietly}.")
            }
            MiddleboxChange::Clamped => format!("Middlebox {name} lowered the MSS in the SYNs{times}."),
            MiddleboxChange::Translated => {
                format!("Middlebox {name} translated it: beyond, it is known as {translated_to}.")
            }
            MiddleboxChange::Renumbered => {
                let except = match sack_kept {
                    true => {
                        ", but not those in SACK blocks: the receiver ignores such blocks, and the duplicate ACKs that carry them, so that no fast retransmission follows"
                    }
                    false => "",
                };
                format!(
                    "Middlebox {name} moved the sequence numbers, beginning with the SYNs{times}{except}."
                )
            }
            MiddleboxChange::Untranslated => {
                format!(
                    "Middlebox {name} let a segment pass untranslated{times}: its receiver cannot recognize it."
                )
            }
        }
    }
}

/// What an error means, where that helps.
fn meaning(call: StepKind, error: &str) -> &'static str {
    match error {
        "ETIMEDOUT" if call == StepKind::Connect => " (the peer did not answer)",
        "ETIMEDOUT" => " (TCP gave up)",
        "ECONNRESET" => " (a RST came)",
        "ECONNREFUSED" => " (there is no listener)",
        "EINPROGRESS" => " (its timeout passed; TCP goes on)",
        "EPIPE" => " (the connection cannot send any more)",
        "EADDRNOTAVAIL" => " (no port is left, or the host does not have the address)",
        "EAGAIN" if matches!(call, StepKind::Receive | StepKind::Ping) => {
            " (nothing arrived within the timeout of the application)"
        }
        "EAGAIN" if call == StepKind::Poll => " (the connection was not ready within the timeout)",
        "EHOSTUNREACH" => " (the host cannot be reached)",
        "ENETUNREACH" => " (there is no route to the network)",
        _ => "",
    }
}

/// What became of a RST, if it was lost.
pub(super) fn lost(reset: &Reset) -> String {
    match reset.lost.count() {
        0 => String::new(),
        _ => format!(", which was lost ({})", reset.lost.text()),
    }
}
