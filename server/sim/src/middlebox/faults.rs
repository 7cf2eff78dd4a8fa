//! What goes wrong with middleboxes.

use halfopen_scenario::{MiddleboxFault, Scenario};
use halfopen_tcp::Instant;

use crate::faults::Deed;
use crate::shared::Run;
use crate::trace::{MiddleboxChange, MiddleboxId};

impl Run {
    /// A fault happens to a middlebox, or is over. Returns the fault whose end does not come any more: a box that is off
    /// by one and loses its power for good by another.
    pub(crate) fn strike_middlebox(
        &mut self,
        scenario: &Scenario,
        now: Instant,
        fault: usize,
        (which, what, deed): (MiddleboxId, MiddleboxFault, Deed),
    ) -> Struck {
        let name = &scenario.network.middleboxes[which.index()].name;
        let middlebox = self.network.middleboxes.middlebox(which);
        let mut struck = Struck::default();
        let word = match (what, deed) {
            (MiddleboxFault::Forget, _) if middlebox.tracker.is_empty() => return struck,
            (MiddleboxFault::Reboot { .. }, Deed::Begin) if middlebox.down.is_some() => return struck,
            (MiddleboxFault::BlocksNew { unblocks_after }, Deed::Begin) => {
                middlebox.blocks += 1;
                struck.ends = unblocks_after.map(|after| now + after);
                what.name()
            }
            (MiddleboxFault::BlocksNew { .. }, Deed::End) => {
                middlebox.blocks -= 1;
                "unblock"
            }
            (MiddleboxFault::PowerLoss, _) => {
                struck.cancels = middlebox.down.replace(fault);
                what.name()
            }
            (MiddleboxFault::Reboot { back_after }, Deed::Begin) => {
                middlebox.down = Some(fault);
                struck.ends = Some(now + back_after);
                what.name()
            }
            (MiddleboxFault::Reboot { .. }, Deed::End) => {
                middlebox.down = None;
                "back"
            }
            (MiddleboxFault::Forget, _) => what.name(),
        };
        let loses = deed == Deed::Begin && !matches!(what, MiddleboxFault::BlocksNew { .. });
        let gone = if loses { middlebox.tracker.forget() } else { Vec::new() };
        self.apply_fault(scenario, now, (fault, format!("{word} {name}")), None, None);
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
