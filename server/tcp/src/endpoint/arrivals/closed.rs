//! CLOSED: the segment belongs to no connection and no listener.

use crate::endpoint::Endpoint;
use crate::segment::Segment;
use crate::{Arrival, DropReason, Flags};

impl Endpoint {
    /// RFC 9293 §3.10.7.1: "An incoming segment containing a RST is discarded.  An incoming segment not containing a
    /// RST causes a RST to be sent in response."
    pub(super) fn arrives_in_closed(&mut self, segment: &Segment<'_>) -> Arrival {
        if !segment.header.flags.contains(Flags::RST) {
            self.refuse(segment);
        }
        Arrival::dropped(match segment.header.flags {
            flags if flags.contains(Flags::SYN) && !flags.intersects(Flags::ACK | Flags::RST) => {
                DropReason::NoListener
            }
            _ => DropReason::NoConnection,
        })
    }

    /// Answers a segment by RST.
    pub(super) fn refuse(&mut self, segment: &Segment<'_>) {
        self.answers.push_back((segment.destination, segment.source, segment.header.refusal()));
    }
}
