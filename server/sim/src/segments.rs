//! Segments in the trace: sent by hosts, lost by the network, made up by middleboxes.

use halfopen_network::{Event, EventKind as NetworkEvent, Flight, Loss, Outgoing, ResetSent};
use halfopen_tcp::{Flags, Instant, Seq, Transmit};
use halfopen_trace::{EventKind, FaultApplied, HostId, LossReason, MiddleboxChange, SegmentSent};

use crate::connections::{EndId, Numbers, Origin};
use crate::forge::made_up;
use crate::shared::Run;

impl Run {
    /// A host sends a segment in this IP datagram, whose octets may change on the way.
    pub(crate) fn send(
        &mut self,
        now: Instant,
        from: HostId,
        end: Option<EndId>,
        transmit: &Transmit,
        datagram: Vec<u8>,
    ) {
        let outgoing = self.record_sent(now, from, end, transmit, &datagram);
        self.network.handle_datagram(now, &self.connections, &outgoing, datagram);
        self.record_network();
    }

    fn record_sent(
        &mut self,
        now: Instant,
        from: HostId,
        end: Option<EndId>,
        transmit: &Transmit,
        datagram: &[u8],
    ) -> Outgoing {
        let segment = self.network.next_segment();
        let (target, to) = self.network.route(from, [transmit.source, transmit.destination]);
        // A SYN cookie is the SYN+ACK of an end that comes to be when it is returned.
        let is_cookie = end.is_none() && transmit.header.flags.contains(Flags::SYN);
        let end = if is_cookie {
            let sockets = [transmit.source, transmit.destination];
            Some(self.connections.attach(from, sockets, target, Origin::Segment))
        } else {
            end
        };
        let (connection, relative) = match end {
            Some(end) => (Some(end.number), self.connections.sends(end, &transmit.header)),
            None => {
                let answer = self.connections.answers(
                    from,
                    transmit.source,
                    target,
                    (&transmit.header, Numbers::Sent),
                );
                answer.map_or_else(Default::default, |(number, relative)| (Some(number), relative))
            }
        };
        self.recorder.totals.retransmissions += u64::from(relative.retransmission);
        let sent = SegmentSent {
            segment,
            to,
            source: transmit.source,
            destination: transmit.destination,
            header: transmit.header.clone(),
            relative_seq: relative.seq,
            relative_ack: relative.ack,
            peer_iss: relative.peer_iss,
            window: relative.window,
            size: u32::try_from(datagram.len()).unwrap_or(u32::MAX),
            purpose: transmit.purpose,
            retransmission: relative.retransmission,
            sender_state: relative.states[0],
            receiver_state: relative.states[1],
            injected: false,
            middlebox: None,
            datagram: self.snapshots.sent(datagram),
        };
        let outgoing = Outgoing {
            segment,
            connection,
            from,
            to,
            facts: sent.facts(from),
            initial: [Seq(sent.header.seq.0.wrapping_sub(relative.seq)), Seq(relative.peer_iss)],
            window_shift: relative.window_shift,
        };
        self.recorder.push(now, Some(from), connection, EventKind::SegmentSent(Box::new(sent)));
        outgoing
    }

    /// Records what has happened in the network.
    pub(crate) fn record_network(&mut self) {
        while let Some(Event { time, kind }) = self.network.poll_event() {
            match kind {
                NetworkEvent::SegmentLost(loss) => self.record_loss(time, loss),
                NetworkEvent::FaultApplied { fault, phase, host, segment } => {
                    let (segment, connection) = segment.unzip();
                    let applied = EventKind::FaultApplied(FaultApplied { fault, phase, segment });
                    self.recorder.push(time, host, connection.flatten(), applied);
                }
                NetworkEvent::MiddleboxChanged { connection, changed } => {
                    if let (MiddleboxChange::Renumbered { from, by, .. }, Some(number)) =
                        (changed.change, connection)
                    {
                        self.connections.renumber(number, from, (changed.middlebox, by));
                    }
                    self.recorder.push(
                        time,
                        None,
                        connection,
                        EventKind::MiddleboxChanged(Box::new(changed)),
                    );
                }
                NetworkEvent::ResetSent(reset) => self.record_reset(time, *reset),
            }
        }
    }

    /// A datagram is lost where it arrives.
    pub(crate) fn lose(&mut self, now: Instant, flight: Flight, reason: LossReason) {
        if let Some(loss) = flight.lost(reason) {
            self.record_loss(now, loss);
        }
    }

    fn record_loss(&mut self, time: Instant, loss: Loss) {
        let Loss { segment, connection, to, copy, reason } = loss;
        // The totals count segments, and a copy is not one.
        self.recorder.totals.segments_lost += u64::from(!copy);
        self.recorder.push(time, to, connection, EventKind::SegmentLost { segment, reason });
    }

    fn record_reset(&mut self, time: Instant, reset: ResetSent) {
        let ResetSent { middlebox, segment, from, to, source, destination, header, datagram } = reset;
        // The receiver may know the sender by another socket than its own.
        let (own, _) = self.network.route(to, [destination, source]);
        let (target, _) = self.network.route(from, [source, destination]);
        let answers = self.connections.answers(from, own, target, (&header, Numbers::Arrived));
        let (connection, relative) =
            answers.map_or_else(Default::default, |(number, relative)| (Some(number), relative));
        let kept = (datagram.len(), self.snapshots.sent(&datagram));
        let made_up = made_up(segment, to, [source, destination], header, &relative, kept);
        let sent = SegmentSent { middlebox: Some(middlebox), ..made_up };
        self.recorder.push(time, Some(from), connection, EventKind::SegmentSent(Box::new(sent)));
    }
}
