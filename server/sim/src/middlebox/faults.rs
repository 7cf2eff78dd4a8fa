//! What goes wrong with middleboxes.

use halfopen_scenario::MiddleboxFault;
use halfopen_tcp::Instant;

use crate::shared::Run;
use halfopen_trace::{MiddleboxChange, MiddleboxId, Phase};

impl Run {
    /// A fault happens to a middlebox, or is over. Returns the fault whose end does not come any more: a box that is off
    /// by one and loses its power for good by another.
    pub(crate) fn strike_middlebox(
        &mut self,
        now: Instant,
        fault: usize,
        (which, what, phase): (MiddleboxId, MiddleboxFault, Phase),
    ) -> Struck {
        let middlebox = self.network.middleboxes.middlebox(which);
        let mut struck = Struck::default();
        match (what, phase) {
            (MiddleboxFault::Forget, _) if middlebox.tracker.is_empty() => return struck,
            (MiddleboxFault::Reboot { .. }, Phase::Begin) if middlebox.down.is_some() => return struck,
            (MiddleboxFault::BlocksNew { unblocks_after }, Phase::Begin) => {
                middlebox.blocks += 1;
                struck.ends = unblocks_after.map(|after| now + after);
            }
            (MiddleboxFault::BlocksNew { .. }, Phase::End) => middlebox.blocks -= 1,
            (MiddleboxFault::PowerLoss, _) => struck.cancels = middlebox.down.replace(fault),
            (MiddleboxFault::Reboot { back_after }, Phase::Begin) => {
                middlebox.down = Some(fault);
                struck.ends = Some(now + back_after);
            }
            (MiddleboxFault::Reboot { .. }, Phase::End) => middlebox.down = None,
            (MiddleboxFault::Forget, _) => {}
        }
        let loses = phase == Phase::Begin && !matches!(what, MiddleboxFault::BlocksNew { .. });
        let gone = if loses { middlebox.tracker.forget() } else { Vec::new() };
        self.apply_fault(now, (fault, phase), None, None);
        for connection in gone {
            self.note_gone(now, which, MiddleboxChange::Forgotten, connection);
        }
        struck
    }
}

/// What follows from a fault.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Struck {
    /// When it is over.
    pub(crate) ends: Option<Instant>,
    /// The fault whose end does not come any more.
    pub(crate) cancels: Option<usize>,
}
