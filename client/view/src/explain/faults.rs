//! Faults in sentences, and what they left an end unable to do.

use std::net::SocketAddr;

use halfopen_proto::v1::{FaultKind, FaultPhase, HostState, TcpPurpose};

use super::beats::Forger;
use super::phrases::{self, times};
use super::sentences::Sentences;
use crate::timeline::{AddressMove, Entry, EntryIndex, EntryKind, Fault, HostIndex, Timeline};

/// A fault that struck a host, or the network; what the host does since then, if that changed.
pub(super) fn struck(
    timeline: &Timeline,
    host: Option<HostIndex>,
    fault: &Fault,
    state: Option<HostState>,
) -> String {
    let Fault { number, action, .. } = fault;
    if fault.phase == FaultPhase::End {
        return format!("Fault {number} ended: {}.", ended(timeline, host, fault, state));
    }
    if let Some(AddressMove { address, from, to }) = &fault.address {
        let name = |host: &Option<HostIndex>| host.map(|host| phrases::host(timeline, host));
        return match (name(from), name(to)) {
            (Some(from), Some(to)) => format!("Fault {number} moved {address} from {from} to {to}."),
            (None, Some(to)) => format!("Fault {number} gave {address} to {to}."),
            (Some(from), None) => format!("Fault {number} took {address} away from {from}."),
            (None, None) => format!("Fault {number} took {address} away."),
        };
    }
    match (host.map(|host| phrases::host(timeline, host)), state) {
        (Some(host), Some(state)) => {
            format!("Fault {number} ({action}) was applied to {host}, which {}.", does(state))
        }
        (Some(host), None) if fault.kind == FaultKind::Kill => {
            format!("Fault {number} ({action}) was applied to {host}: its program ended at once.")
        }
        (Some(host), None) => format!("Fault {number} ({action}) was applied to {host}."),
        (None, _) => format!("Fault {number} ({action}) was applied to the network."),
    }
}

/// What the end of a fault changed.
fn ended(timeline: &Timeline, host: Option<HostIndex>, fault: &Fault, state: Option<HostState>) -> String {
    let whom = host.map(|host| phrases::host(timeline, host));
    if let Some(AddressMove { address, to: Some(to), .. }) = &fault.address {
        return format!("{} has {address} again", phrases::host(timeline, *to));
    }
    let who = whom.unwrap_or(&fault.middlebox);
    match (fault.kind, state) {
        (FaultKind::Freeze | FaultKind::Pause, _) => format!("{who} runs again"),
        (_, Some(state)) => format!("{who} {}", does(state)),
        (FaultKind::Reboot | FaultKind::PowerLoss, None) => format!("{who} is back"),
        (FaultKind::Kill, None) => format!("{who}'s program was started again"),
        (FaultKind::CablePull, None) => format!("{who}'s cable was plugged in again"),
        (FaultKind::BlocksNew, None) => format!("{who} lets new connections pass again"),
        (FaultKind::Partition, None) => "the partition healed".to_owned(),
        (FaultKind::BlackHole, None) => "large datagrams pass again".to_owned(),
        (
            FaultKind::Unspecified
            | FaultKind::Drop
            | FaultKind::Delay
            | FaultKind::Duplicate
            | FaultKind::Reorder
            | FaultKind::Corrupt
            | FaultKind::Rewrite
            | FaultKind::Unreachable
            | FaultKind::Inject
            | FaultKind::ClockJump
            | FaultKind::Forget
            | FaultKind::MoveAddress
            | FaultKind::LoseAddress,
            None,
        ) => fault.action.clone(),
    }
}

/// What a host does from now on.
pub(super) const fn does(state: HostState) -> &'static str {
    match state {
        HostState::Unspecified => "is in an unknown state",
        HostState::Up => "is up again",
        HostState::Frozen => "is frozen: its programs are stopped, its kernel answers",
        HostState::Paused => "is paused as a whole, and keeps its state",
        HostState::Down => "is down now: its connections are gone, without notice",
    }
}

/// Why an end that gave up at an entry had not sent even a window probe: `it does not have 10.0.0.100 any more`. `None` if
/// it had, or for another reason.
pub(super) fn mute(timeline: &Timeline, at: EntryIndex) -> Option<String> {
    let Entry { host, connection, .. } = timeline.entries[at];
    let before = &timeline.entries[..at];
    let is_probe = |entry: &Entry| {
        entry.host == host
            && entry.connection == connection
            && matches!(&entry.kind, EntryKind::Sent(segment) if segment.purpose == TcpPurpose::WindowProbe)
    };
    let end = timeline.ends.iter().rfind(|end| Some(end.host) == host && end.connection == connection)?;
    let own = end.local.parse::<SocketAddr>().ok()?.ip().to_string();
    let moved = before.iter().rev().find_map(|entry| match &entry.kind {
        EntryKind::Fault(Fault { address: Some(moved), .. }) if moved.address == own => Some(moved),
        _ => None,
    })?;
    let is_mute = moved.from == host && !before.iter().any(is_probe);
    is_mute.then(|| format!("it does not have {own} any more"))
}

impl Sentences<'_> {
    pub(super) fn altered(
        &self,
        host: Option<HostIndex>,
        Fault { number, action, .. }: &Fault,
        (label, count): (&str, usize),
    ) -> String {
        let host = host.map_or("somebody", |host| self.host(host));
        let times = if count > 1 { format!(" ({})", times(count)) } else { String::new() };
        format!("Fault {number} ({action}) was applied to {host}'s {label}{times}.")
    }

    pub(super) fn forged(&self, name: Option<HostIndex>, by: &Forger, label: &str, count: usize) -> String {
        let name = name.map_or("nobody", |host| self.host(host));
        let by = match by {
            Forger::Fault(number) => format!("Fault {number}"),
            Forger::Middlebox(middlebox) => format!("Middlebox {middlebox}"),
            Forger::Unknown => "Somebody".to_owned(),
        };
        match count {
            1 => format!("{by} forged {} in {name}'s name.", phrases::one(label)),
            many => format!("{by} forged {many} segments ({label}) in {name}'s name."),
        }
    }
}
