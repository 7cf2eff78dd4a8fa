//! Faults that are lifted before they would end.

use std::rc::Rc;

use halfopen_scenario::{Effect, MiddleboxFault};
use halfopen_trace::{EventKind, FaultId, HostId, Phase};

use super::{Driver, Power, Progress};
use crate::command::Refusal;

impl Driver {
    /// A fault does nothing from now on. What it does to a host or the network ends.
    ///
    /// # Errors
    /// The fault is over already.
    pub(crate) fn lift_fault(&mut self, fault: FaultId) -> Result<(), Refusal> {
        if self.progress != Progress::Ahead {
            // What arrives in this round was handed over.
            self.finish_round();
        }
        let is_ongoing = self.is_ongoing(fault);
        let is_rule = self.shared.run.borrow_mut().network.lift_fault(fault);
        if !self.script.remove(fault) && !is_ongoing && !is_rule {
            return Err(Refusal::FaultOver(fault));
        }
        let now = self.shared.now.get();
        self.shared.run.borrow_mut().recorder.push(now, None, None, EventKind::FaultLifted(fault));
        if is_ongoing {
            self.script.plan(now, Phase::End, fault);
            self.do_faults();
        }
        Ok(())
    }

    /// Whether a fault on a host or the network has begun, and something can end it.
    fn is_ongoing(&self, fault: FaultId) -> bool {
        let shared = Rc::clone(&self.shared);
        let suspension = |host: halfopen_scenario::HostId| &self.suspensions[HostId::from(host).index()];
        match &shared.faults.borrow().get(fault).effect {
            Effect::PowerLoss(host) | Effect::Reboot { host, .. } => {
                self.power[HostId::from(*host).index()] == Power::Off(fault)
            }
            Effect::Kill { host, .. } => suspension(*host).has_killed(fault),
            Effect::Freeze { host, .. } | Effect::Pause { host, .. } => suspension(*host).is_by(fault),
            // What is forgotten stays forgotten.
            Effect::Middlebox { fault: MiddleboxFault::Forget, .. } => false,
            Effect::CablePull { .. }
            | Effect::BlackHole { .. }
            | Effect::Partition { .. }
            | Effect::Address { .. }
            | Effect::Middlebox { .. } => self.ongoing.contains(&fault),
            Effect::Segment { .. } | Effect::Inject(_) | Effect::ClockJump { .. } => false,
        }
    }
}
