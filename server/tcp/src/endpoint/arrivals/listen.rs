//! LISTEN: the segment is a listener's.

use crate::connection::Connection;
use crate::endpoint::Endpoint;
use crate::endpoint::bookkeeping::context;
use crate::listener::Admission;
use crate::segment::Segment;
use crate::{Arrival, Cause, Disposition, DropReason, Flags, Instant, ListenerId};

impl Endpoint {
    /// The four steps of RFC 9293 §3.10.7.2.
    pub(super) fn arrives_in_listen(
        &mut self,
        now: Instant,
        id: ListenerId,
        segment: &Segment<'_>,
    ) -> Arrival {
        let flags = segment.header.flags;
        // First: "An incoming RST should be ignored."
        if flags.contains(Flags::RST) {
            return Arrival::dropped(DropReason::NoConnection);
        }
        // Second: "Any acknowledgment is bad if it arrives on a connection still in the LISTEN state."
        if flags.contains(Flags::ACK) {
            if let Some(arrival) = self.cookie_returns(now, id, segment) {
                return arrival;
            }
            self.refuse(segment);
            return Arrival::dropped(DropReason::NoConnection);
        }
        // Fourth, other data or control: "Drop the segment and return."
        if !flags.contains(Flags::SYN) {
            return Arrival::dropped(DropReason::NoSyn);
        }
        if flags.contains(Flags::FIN) && self.config.settings.drop_syn_fin {
            return Arrival::dropped(DropReason::SynFin);
        }
        self.syn_arrives_in_listen(now, id, segment)
    }

    /// RFC 9293 §3.10.7.2, third: "Set RCV.NXT to SEG.SEQ+1, IRS is set to SEG.SEQ, and any other control or text
    /// should be queued for processing later.  ISS should be selected and a SYN segment sent".
    fn syn_arrives_in_listen(&mut self, now: Instant, id: ListenerId, segment: &Segment<'_>) -> Arrival {
        let Some(listener) = self.listeners.get_mut(&id).filter(|listener| listener.has_room()) else {
            return Arrival::dropped(DropReason::QueueFull);
        };
        let options = listener.options;
        match listener.admit(&self.config.settings) {
            Admission::Queue => listener.embryonic += 1,
            Admission::Cookie => return self.answer_with_cookie(now, id, segment),
            Admission::Drop => return Arrival::dropped(DropReason::QueueFull),
        }
        let identity = self.identity(now, segment.destination, segment.source);
        let cx = &mut context(&self.config, segment.source, &mut self.events, now);
        let cause = Cause::Segment(segment.header.flags);
        let connection = Connection::answer(cx, identity, (id, &options), &segment.header, cause);
        Arrival { connection: Some(self.adopt(connection)), disposition: Disposition::Accepted }
    }
}
