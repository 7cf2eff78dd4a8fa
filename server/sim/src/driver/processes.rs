//! Processes that die, and start again.

use std::time::Duration;

use super::{Driver, Power};
use crate::application::Process;
use crate::shared::Signal;
use halfopen_trace::{FaultId, HostId, Phase};

impl Driver {
    /// Processes of a host die: all, or that of one program. A host that is off has none.
    pub(super) fn kill(
        &mut self,
        host: HostId,
        fault: FaultId,
        program: Option<usize>,
        restarts_after: Option<Duration>,
    ) {
        let control = self.shared.control(host);
        let is_victim =
            |process: &Process| program.is_none_or(|program| *process == Process::Program(program));
        let victims: Vec<Process> = control.processes.borrow().iter().copied().filter(is_victim).collect();
        if self.power[host.index()] != Power::On || victims.is_empty() {
            return;
        }
        for victim in &victims {
            control.processes.borrow_mut().remove(victim);
            control.signals.borrow_mut().push(Signal::Kill(*victim));
        }
        if victims.contains(&Process::Outside) {
            control.line.close_all();
        }
        control.has_work.set(true);
        self.suspensions[host.index()].killed.push((fault, victims));
        self.apply(fault, Phase::Begin, Some(host));
        self.plan_end(fault, Phase::Begin, restarts_after);
    }

    /// What the fault has killed on a host starts again.
    pub(super) fn restart(&mut self, host: HostId, fault: FaultId) {
        let killed = &mut self.suspensions[host.index()].killed;
        let Some(index) = killed.iter().position(|(by, _)| *by == fault) else { return };
        let (_, victims) = killed.remove(index);
        let control = self.shared.control(host);
        for victim in victims {
            control.processes.borrow_mut().insert(victim);
            control.signals.borrow_mut().push(Signal::Start(victim));
        }
        control.has_work.set(true);
        self.apply(fault, Phase::End, Some(host));
    }
}
