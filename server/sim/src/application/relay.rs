//! A relay: what arrives on one connection goes out on the other.

use std::time::Duration;

use halfopen_scenario::OnEnd;
use halfopen_tcp::{ConnectionId, Errno, Instant, Received};

use super::next::{End, Next, Wait};
use super::{Context, Turn};

/// Octets that a relay reads in one go, and holds while they cannot be written: HAProxy's `tune.bufsize`, NGINX's
/// `proxy_buffer_size` of streams.
const BUFFER: u64 = 16 * 1024;

/// What a relay is to do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Orders {
    pub(super) half_close: OnEnd,
    pub(super) reset: OnEnd,
    pub(super) idle: Option<Duration>,
}

/// How far a relay is.
#[derive(Debug, Default)]
pub(super) struct Relay {
    /// From the first connection to the second, and back.
    ways: [Way; 2],
    /// When something was last passed on, or both connections were first there.
    active: Option<Instant>,
    /// How it ends, once that is decided.
    ending: Option<Ending>,
}

/// What goes one way.
#[derive(Debug, Default)]
struct Way {
    /// What was read and is not written yet.
    held: Vec<u8>,
    state: WayState,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum WayState {
    #[default]
    Open,
    /// The stream that is read has ended.
    Ended,
    /// The stream that is written has, too.
    Shut,
}

/// The relay closes its connections, one a turn.
#[derive(Clone, Copy, Debug)]
struct Ending {
    end: End,
    /// The next to be closed, and the others after it.
    next: usize,
    /// The connection, by position, that has failed.
    failed: Option<usize>,
    /// The connection that is reset for that.
    resets: Option<usize>,
}

/// What a way did in a turn.
enum Did {
    /// A call.
    Something,
    /// Nothing: it waits.
    Nothing,
    /// A call on the connection at that position failed.
    Failed(usize, Errno),
}

impl Relay {
    /// Whether it closes its connections, and passes nothing on any more.
    pub(super) fn is_ending(&self) -> bool {
        self.ending.is_some()
    }

    /// At most one call; adds to the octets that the step has sent. The connections are closed when it ends.
    pub(super) fn turn(
        &mut self,
        ids: [ConnectionId; 2],
        orders: Orders,
        octets: &mut u64,
        context: &mut Context<'_>,
        turn: &mut Turn,
    ) -> Next {
        if let Some(ending) = &mut self.ending {
            return ending.turn(ids, context, turn);
        }
        for way in 0..self.ways.len() {
            match self.go_on(way, ids, orders, octets, context, turn) {
                Did::Nothing => {}
                Did::Something => return Next::More,
                Did::Failed(position, errno) => return self.fail(position, errno, orders),
            }
        }
        // Neither way reads or writes now; an error is seen all the same.
        for (position, id) in ids.into_iter().enumerate() {
            if let Some(errno) = context.take_error(id) {
                return self.fail(position, errno, orders);
            }
        }
        if self.has_ended(orders.half_close) {
            let end = End { end_of_stream: true, ..End::default() };
            self.ending = Some(Ending::new(end));
            return Next::More;
        }
        let active = *self.active.get_or_insert(context.now);
        let deadline = orders.idle.map(|idle| active + idle);
        if deadline.is_some_and(|deadline| context.now >= deadline) {
            self.ending = Some(Ending::new(End::default()));
            return Next::More;
        }
        Next::Wait(Wait { connections: ids.map(Some), until: deadline, ..Wait::default() })
    }

    /// The connection at that position has failed. What the other cannot take is dropped.
    fn fail(&mut self, position: usize, errno: Errno, orders: Orders) -> Next {
        let end = End { error: Some(errno), ..End::default() };
        let resets = (orders.reset == OnEnd::Passed).then_some(1 - position);
        self.ending = Some(Ending { failed: Some(position), resets, ..Ending::new(end) });
        Next::More
    }

    /// Whether everything was passed on that is to be.
    fn has_ended(&self, half_close: OnEnd) -> bool {
        let is_over = |way: &Way| way.state != WayState::Open && way.held.is_empty();
        match half_close {
            OnEnd::Passed => self.ways.iter().all(|way| way.state == WayState::Shut),
            OnEnd::ClosesBoth => self.ways.iter().any(is_over),
        }
    }

    /// One way goes on: writes what is held, or passes the end on, or reads if there is room for it.
    fn go_on(
        &mut self,
        index: usize,
        ids: [ConnectionId; 2],
        orders: Orders,
        octets: &mut u64,
        context: &mut Context<'_>,
        turn: &mut Turn,
    ) -> Did {
        let way = &mut self.ways[index];
        let (from, to) = (ids[index], ids[1 - index]);
        if !way.held.is_empty() {
            return match context.write_relayed(to, from, &way.held) {
                Ok(0) => Did::Nothing,
                Ok(taken) => {
                    way.held.drain(..taken as usize);
                    *octets += taken;
                    self.active = Some(context.now);
                    Did::Something
                }
                Err(errno) => Did::Failed(1 - index, errno),
            };
        }
        match (way.state, orders.half_close) {
            (WayState::Open, _) => {}
            (WayState::Ended, OnEnd::Passed) => {
                way.state = WayState::Shut;
                return match context.endpoint.shutdown(context.now, to) {
                    Ok(()) => Did::Something,
                    Err(errno) => Did::Failed(1 - index, errno),
                };
            }
            (WayState::Ended, OnEnd::ClosesBoth) | (WayState::Shut, _) => return Did::Nothing,
        }
        if !context.endpoint.readiness(to).writable {
            return Did::Nothing;
        }
        match context.read(from, BUFFER) {
            Ok(Received::Nothing) => Did::Nothing,
            Ok(Received::Octets(len)) => {
                way.held.extend_from_slice(&context.data[..len]);
                self.active = Some(context.now);
                Did::Something
            }
            Ok(Received::End) => {
                way.state = WayState::Ended;
                turn.connection = Some(from);
                turn.returned = context.first_end_of_stream(from);
                Did::Something
            }
            Err(errno) => Did::Failed(index, errno),
        }
    }
}

impl Ending {
    fn new(end: End) -> Ending {
        Ending { end, next: 0, failed: None, resets: None }
    }

    fn turn(&mut self, ids: [ConnectionId; 2], context: &mut Context<'_>, turn: &mut Turn) -> Next {
        let Some(id) = ids.get(self.next).copied() else {
            turn.connection = self.failed.map(|position| ids[position]);
            return Next::End(self.end);
        };
        turn.connection = Some(id);
        match self.resets == Some(self.next) {
            true => context.endpoint.abort(context.now, id),
            false => context.endpoint.close(context.now, id),
        }
        self.next += 1;
        Next::More
    }
}
