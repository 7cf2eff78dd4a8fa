//! Faults on hosts and links: what to do and when.

use halfopen_network::Connections as _;
use halfopen_scenario::{Effect, Fault, When};
use halfopen_tcp::Instant;
use halfopen_trace::{FaultId, Phase};

use crate::connections::Connections;

/// The faults on hosts and links that have not happened yet.
#[derive(Debug, Default)]
pub(crate) struct Script {
    /// When, what, and by which fault. Latest first.
    planned: Vec<(Instant, Phase, FaultId)>,
    /// Faults that wait for a state.
    waiting: Vec<(FaultId, When)>,
}

impl Script {
    /// The script of a scenario's faults.
    pub(crate) fn new(faults: &[Fault]) -> Script {
        let mut script = Script::default();
        for (id, fault) in (0..).map(FaultId).zip(faults) {
            script.add(id, fault);
        }
        script
    }

    /// One fault more.
    pub(crate) fn add(&mut self, id: FaultId, fault: &Fault) {
        match (&fault.effect, fault.when) {
            (Effect::Segment { .. }, _) => {}
            (_, When::State { .. }) => self.waiting.push((id, fault.when)),
            (_, When::At(time) | When::Between(time, _)) => {
                self.plan(Instant::ZERO + time, Phase::Begin, id);
            }
            (_, When::Always) => self.plan(Instant::ZERO, Phase::Begin, id),
        }
    }

    /// Plans a phase.
    pub(crate) fn plan(&mut self, time: Instant, phase: Phase, fault: FaultId) {
        let entry = (time, phase, fault);
        let place = self.planned.partition_point(|planned| *planned > entry);
        self.planned.insert(place, entry);
    }

    /// Strikes a planned end out.
    pub(crate) fn cancel_end(&mut self, fault: FaultId) {
        self.planned.retain(|(_, phase, planned)| (*phase, *planned) != (Phase::End, fault));
    }

    /// Strikes out whatever a fault was to do; whether it was still to begin.
    pub(crate) fn remove(&mut self, fault: FaultId) -> bool {
        let is_its_begin =
            |(_, phase, planned): &(Instant, Phase, FaultId)| (*phase, *planned) == (Phase::Begin, fault);
        let was_ahead = self.planned.iter().any(is_its_begin)
            || self.waiting.iter().any(|(waiting, _)| *waiting == fault);
        self.planned.retain(|(_, _, planned)| *planned != fault);
        self.waiting.retain(|(waiting, _)| *waiting != fault);
        was_ahead
    }

    /// When the next phase is to be done, if connections stay as they are.
    pub(crate) fn next(&self, connections: &Connections) -> Option<Instant> {
        let planned = self.planned.last().map(|(time, ..)| *time);
        let waiting = self.waiting.iter().filter_map(|(_, when)| condition_met(*when, connections));
        waiting.chain(planned).min()
    }

    /// Takes the next phase that is due, in the order of their times, ends last, then of the scenario.
    pub(crate) fn take(&mut self, now: Instant, connections: &Connections) -> Option<(Phase, FaultId)> {
        let met =
            |(_, when): &(FaultId, When)| condition_met(*when, connections).is_some_and(|time| time <= now);
        if let Some(index) = self.waiting.iter().position(met) {
            return Some((Phase::Begin, self.waiting.remove(index).0));
        }
        self.planned.pop_if(|(time, ..)| *time <= now).map(|(_, phase, fault)| (phase, fault))
    }
}

/// When the condition of a waiting fault is or will be met, if the connections stay as they are.
fn condition_met(when: When, connections: &Connections) -> Option<Instant> {
    let When::State { host, state, lasted } = when else {
        unreachable!("only faults with a state wait");
    };
    connections.in_state_since(host.into(), state).map(|since| since + lasted)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use halfopen_scenario::{HostId, Location};
    use halfopen_tcp::State;

    use super::*;
    use crate::connections::Origin;
    use halfopen_trace as trace;

    const SECOND: Duration = Duration::from_secs(1);

    fn kill(when: When) -> Fault {
        let effect = Effect::Kill { host: HostId(0), program: None, restarts_after: None };
        Fault { effect, when, may_not_happen: false, location: Location::default(), text: String::new() }
    }

    #[test]
    fn phases_come_in_the_order_of_their_times_then_of_the_scenario() {
        let faults = [kill(When::At(2 * SECOND)), kill(When::At(SECOND)), kill(When::At(SECOND))];
        let mut script = Script::new(&faults);
        let connections = Connections::default();
        let at = Instant::ZERO + SECOND;
        assert_eq!(script.next(&connections), Some(at));
        script.plan(at, Phase::End, FaultId(0));
        let taken: Vec<_> = std::iter::from_fn(|| script.take(at, &connections)).collect();
        assert_eq!(taken, [(Phase::Begin, FaultId(1)), (Phase::Begin, FaultId(2)), (Phase::End, FaultId(0))]);
        assert_eq!(script.next(&connections), Some(at + SECOND));
    }

    #[test]
    fn a_fault_waits_until_a_state_has_lasted() {
        let when = When::State { host: HostId(0), state: State::CloseWait, lasted: SECOND };
        let mut script = Script::new(&[kill(when)]);
        let mut connections = Connections::default();
        assert_eq!(script.next(&connections), None);

        let sockets = ["10.0.0.1:80", "10.0.0.2:40000"].map(|text| text.parse().unwrap());
        let end = connections.attach(trace::HostId(0), sockets, sockets[1], Origin::Call);
        connections.watch(trace::HostId(0), State::CloseWait);
        connections.change_state(end, State::CloseWait, Instant::ZERO + SECOND);
        let due = Instant::ZERO + 2 * SECOND;
        assert_eq!(script.next(&connections), Some(due));
        assert_eq!(script.take(Instant::ZERO + SECOND, &connections), None);
        assert_eq!(script.take(due, &connections), Some((Phase::Begin, FaultId(0))));
        assert_eq!(script.next(&connections), None, "once");
    }
}
