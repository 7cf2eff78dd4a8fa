//! LISTEN, where requests are not remembered: SYN cookies (RFC 4987 §3.6).

use std::collections::VecDeque;

use crate::connection::{Connection, Identity};
use crate::endpoint::Endpoint;
use crate::endpoint::bookkeeping::context;
use crate::segment::Segment;
use crate::syn_cookie::{self, SynCookie};
use crate::{Arrival, Cause, Disposition, DropReason, Instant, ListenerId, Seq, SynCookies};

impl Endpoint {
    fn syn_cookie(&self, segment: &Segment<'_>, irs: Seq) -> SynCookie {
        let (local, remote) = (segment.destination, segment.source);
        SynCookie { secret: self.config.secret, local, remote, irs }
    }

    /// Answers a SYN, and forgets it.
    pub(super) fn answer_with_cookie(
        &mut self,
        now: Instant,
        id: ListenerId,
        segment: &Segment<'_>,
    ) -> Arrival {
        let syn = syn_cookie::kept(&segment.header, self.config.settings.timestamps);
        let iss = self.syn_cookie(segment, syn.seq).iss(now, syn.options.mss);
        let identity = Identity { iss, ..self.identity(now, segment.destination, segment.source) };
        // A connection that lives as long as it takes to answer; nobody learns of it.
        let mut events = VecDeque::new();
        let cx = &mut context(&self.config, segment.source, &mut events, now);
        let options = self.listeners.get(&id).map(|listener| listener.options).unwrap_or_default();
        let answer = Connection::answer(cx, identity, (id, &options), &syn, Cause::Segment(syn.flags));
        let header = answer.cookie(cx, &syn);
        self.answers.push_back((segment.destination, segment.source, header));
        if let Some(listener) = self.listeners.get_mut(&id) {
            listener.cookie_sent = Some(now);
        }
        Arrival { connection: None, disposition: Disposition::Accepted }
    }

    /// An acknowledgment reached a listener: if it returns a cookie, the handshake is complete (Linux
    /// `cookie_v4_check`). `None` if it does not.
    pub(super) fn cookie_returns(
        &mut self,
        now: Instant,
        id: ListenerId,
        segment: &Segment<'_>,
    ) -> Option<Arrival> {
        let header = &segment.header;
        let listener = self.listeners.get(&id)?;
        let sent = listener.cookie_sent.filter(|sent| now - *sent <= syn_cookie::LIFETIME);
        if self.config.settings.syn_cookies == SynCookies::Off || sent.is_none() {
            return None;
        }
        let iss = header.ack - 1;
        let mss = self.syn_cookie(segment, header.seq - 1).mss(now, iss)?;
        if !listener.has_room() {
            return Some(Arrival::dropped(DropReason::QueueFull));
        }
        let options = listener.options;
        let identity = Identity { iss, ..self.identity(now, segment.destination, segment.source) };
        let echo = header.options.timestamps.filter(|stamps| stamps.echo != 0).map(|stamps| stamps.echo);
        let clock = echo.map(|echo| echo.wrapping_sub(identity.ts_offset));
        let syn = syn_cookie::syn(header, mss, clock);
        let cx = &mut context(&self.config, segment.source, &mut self.events, now);
        let cause = Cause::SynCookie(header.flags);
        let mut connection = Connection::answer(cx, identity, (id, &options), &syn, cause);
        connection.cookie_returned(cx);
        if let Some(listener) = self.listeners.get_mut(&id) {
            listener.embryonic += 1;
        }
        let connection = self.adopt(connection);
        Some(self.arrives_at_connection(now, connection, segment))
    }
}
