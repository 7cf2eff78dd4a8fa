//! Whether a scenario could have a fault that comes from outside.

use halfopen_scenario::{
    ConnectionRef, Cut, Effect, Fault, Forgery, HostId, Limits, Match, MiddleboxId, Payload, Scenario,
    SegmentAction, When, Which,
};
use halfopen_tcp::Flags;

use crate::command::Refusal;

/// Refuses what the scenario does not have, and values that no scenario can have.
pub(crate) fn check(fault: &Fault, scenario: &Scenario) -> Result<(), Refusal> {
    let known = Known(scenario);
    match &fault.effect {
        Effect::Segment { matching, which, action, .. } => {
            known.matching(matching)?;
            check_which(*which)?;
            check_action(*action)?;
        }
        Effect::Inject(forgery) => known.forgery(forgery)?,
        Effect::PowerLoss(host)
        | Effect::Reboot { host, .. }
        | Effect::Freeze { host, .. }
        | Effect::Pause { host, .. }
        | Effect::ClockJump { host, .. }
        | Effect::CablePull { host, .. } => known.host(*host)?,
        Effect::Kill { host, program, .. } => {
            known.host(*host)?;
            known.program(*host, *program)?;
        }
        Effect::BlackHole { hole, .. } => known.hosts([hole.from, hole.to].into_iter().flatten())?,
        Effect::Partition { cut: Cut::Between(hosts), .. } => known.hosts(hosts.iter().copied())?,
        Effect::Partition { cut: Cut::OneWay { from, to }, .. } if from == to => {
            return Err(Refusal::Invalid("a one-way partition needs two different hosts"));
        }
        Effect::Partition { cut: Cut::OneWay { from, to }, .. } => known.hosts([*from, *to])?,
        Effect::Partition { cut: Cut::Isolate(host), .. } => known.host(*host)?,
        Effect::Address { change, .. } => known.hosts([change.from, change.to].into_iter().flatten())?,
        Effect::Middlebox { middlebox, .. } => known.middlebox(*middlebox)?,
    }
    match fault.when {
        When::State { host, .. } => known.host(host),
        When::Between(..) if !matches!(fault.effect, Effect::Segment { .. }) => {
            Err(Refusal::Invalid("only a fault on segments can have a window of time"))
        }
        When::Always | When::At(_) | When::Between(..) => Ok(()),
    }
}

fn check_which(which: Which) -> Result<(), Refusal> {
    match which {
        Which::First(0) | Which::Nth(0) | Which::Every(0) => {
            Err(Refusal::Invalid("matches are counted from 1"))
        }
        Which::Probability(millionths) if millionths > 1_000_000 => {
            Err(Refusal::Invalid("a probability is at most 1,000,000 millionths"))
        }
        Which::All | Which::First(_) | Which::Nth(_) | Which::Every(_) | Which::Probability(_) => Ok(()),
    }
}

fn check_action(action: SegmentAction) -> Result<(), Refusal> {
    let longest = Limits::MAX_VIRTUAL_TIME;
    match action {
        SegmentAction::Delay { by } if by > longest => Err(Refusal::Invalid("a delay is at most 100 years")),
        SegmentAction::Duplicate { copies, .. } if !(1..=Limits::MAX_COPIES).contains(&copies) => {
            Err(Refusal::Invalid("a fault makes 1 to 100 copies"))
        }
        SegmentAction::Duplicate { spacing, .. } if spacing > longest => {
            Err(Refusal::Invalid("the time between copies is at most 100 years"))
        }
        SegmentAction::Corrupt { bits, .. } if !(1..=15).contains(&bits) => {
            Err(Refusal::Invalid("the number of bits is 1 to 15"))
        }
        SegmentAction::Drop
        | SegmentAction::Delay { .. }
        | SegmentAction::Duplicate { .. }
        | SegmentAction::Reorder { .. }
        | SegmentAction::Corrupt { .. }
        | SegmentAction::Rewrite(_)
        | SegmentAction::Unreachable(_) => Ok(()),
    }
}

/// What the scenario has.
struct Known<'a>(&'a Scenario);

impl Known<'_> {
    fn host(&self, host: HostId) -> Result<(), Refusal> {
        // An id that is too large for the trace is unknown, too.
        let id = halfopen_trace::HostId(u16::try_from(host.0).unwrap_or(u16::MAX));
        self.0.hosts.get(host.0).map(|_| ()).ok_or(Refusal::UnknownHost(id))
    }

    fn program(&self, host: HostId, program: Option<usize>) -> Result<(), Refusal> {
        let is_known = |program: usize| self.0.programs.get(program).is_some_and(|known| known.host == host);
        match program.is_none_or(is_known) {
            true => Ok(()),
            false => Err(Refusal::Invalid("the host does not run this program")),
        }
    }

    fn hosts(&self, hosts: impl IntoIterator<Item = HostId>) -> Result<(), Refusal> {
        hosts.into_iter().try_for_each(|host| self.host(host))
    }

    fn middlebox(&self, middlebox: MiddleboxId) -> Result<(), Refusal> {
        let id = halfopen_trace::MiddleboxId(u16::try_from(middlebox.0).unwrap_or(u16::MAX));
        let known = self.0.network.middleboxes.get(middlebox.0);
        known.map(|_| ()).ok_or(Refusal::UnknownMiddlebox(id))
    }

    fn connections(&self, meant: impl IntoIterator<Item = ConnectionRef>) -> Result<(), Refusal> {
        meant.into_iter().try_for_each(|meant| {
            let program = self.0.programs.get(meant.program);
            let known = program.and_then(|program| program.connections.get(meant.connection.0));
            known.map(|_| ()).ok_or(Refusal::UnknownConnection(meant))
        })
    }

    fn matching(&self, matching: &Match) -> Result<(), Refusal> {
        let of_state = matching.state.map(|(host, _)| host);
        self.hosts([matching.from, matching.to, of_state].into_iter().flatten())?;
        self.connections(matching.connections.iter().copied())
    }

    fn forgery(&self, forgery: &Forgery) -> Result<(), Refusal> {
        let octets = forgery.payload.as_ref().map_or(0, Payload::octets);
        if octets > Limits::MAX_FORGED_OCTETS.into() {
            return Err(Refusal::Invalid("a forged segment has at most 1400 octets"));
        }
        self.hosts([forgery.from, forgery.to])?;
        let opens = self.0.host(forgery.from).is_scripted && forgery.flags.without(Flags::ECN) == Flags::SYN;
        if forgery.port.is_some() && !opens {
            return Err(Refusal::Invalid(
                "only a SYN of a host without a TCP asks for a connection to a port",
            ));
        }
        self.connections(forgery.connection)
    }
}
