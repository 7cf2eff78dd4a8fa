//! What somebody outside does.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use halfopen_tcp::SendFlags;
use halfopen_units::format_duration;

use super::{Checker, Place, word};
use crate::address::{Port, PortOrAny};
use crate::de::Spanned;
use crate::node::Span;
use crate::parse::{Base64, Scalar, Switch};
use crate::quantity::Size;
use crate::shape::arguments::{Direction, Octets};
use crate::shape::calls::{Accept, Caller, Connect, Lift, Listen, Moment, On, Opened, Receive, Send, Set};
use crate::shape::{self, Given};
use crate::{Action, CallKind, Calls, HostId, Limits, Socket, TimedCall, wording};

/// What is known while calls are read.
struct Progress {
    /// Some call was wrong and taken out, so nothing is known for certain.
    vague: bool,
    /// The sockets with names.
    sockets: Vec<Named>,
    by_name: BTreeMap<String, Socket>,
    /// How many faults there are, with those that were added.
    faults: usize,
    /// When the latest call is made, and the line in which it stands.
    latest: Option<(Duration, u32, u32)>,
    /// The line of `finish`.
    finished: Option<u32>,
}

/// A socket with a name.
struct Named {
    name: String,
    /// Its host, if that is known.
    host: Option<HostId>,
    is_listening: bool,
}

/// Which sockets a call is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum For {
    Any,
    Listeners,
    Connections,
}

impl Checker<'_> {
    /// Says that a session makes calls of its own.
    pub(super) fn not_in_a_session(&mut self, calls: Span) -> Calls {
        let help = "to repeat these calls, run the scenario; to make others, leave `calls` out";
        self.problem(calls, "a session makes its own calls", help);
        Calls::default()
    }

    /// The calls of a scenario that has this many faults.
    pub(super) fn calls(&mut self, calls: &Spanned<Vec<Spanned<shape::Call>>>, faults: usize) -> Calls {
        let list = &calls.value;
        if !self.limit(calls.key, "calls", list.len(), Limits::MAX_CALLS) {
            return Calls::default();
        }
        if list.is_empty() && !calls.pruned {
            let help = "leave `calls` out, or say what is done: `{at: 0s, listen: 80, host: server}`";
            self.problem(calls.key, "there are no calls", help);
        }
        // A call that is gone altogether shows as a list shorter than it was.
        let lost = self.root.value_of(calls.key).is_some_and(|node| node.len() != list.len());
        let mut progress = Progress {
            vague: lost || list.iter().any(|call| call.pruned),
            sockets: Vec::new(),
            by_name: BTreeMap::new(),
            faults,
            latest: None,
            finished: None,
        };
        let list = list.iter().filter_map(|call| self.call(&mut progress, call)).collect();
        Calls { sockets: progress.sockets.into_iter().map(|socket| socket.name).collect(), list }
    }

    fn call(&mut self, progress: &mut Progress, call: &Spanned<shape::Call>) -> Option<TimedCall> {
        let place = Place { span: call.span, pruned: call.pruned };
        if let Some(line) = progress.finished {
            let help = format!("`finish` in line {line} ends the run; put it last");
            self.problem(place.span, "this is never reached", help);
        }
        let (time, turn) = self.moment(progress, place, call.moment());
        let kind = self.kind(progress, place, time, call)?;
        Some(TimedCall {
            time,
            turn,
            call: kind,
            location: self.location(call.span),
            text: self.text(call.span),
        })
    }

    /// When a call is made: not before the one that stands before it.
    fn moment(&mut self, progress: &mut Progress, place: Place, moment: &Moment) -> (Duration, u32) {
        let Some(at) = &moment.at else {
            if !place.pruned {
                self.problem(place.span, "this does not say when", "add `at: 1s`");
            }
            return (Duration::ZERO, 0);
        };
        let (Scalar(time), turn) = (at.value, word(&moment.turn).unwrap_or_default());
        if let Some((latest, latest_turn, line)) = progress.latest
            && (time, turn) < (latest, latest_turn)
        {
            let is_turn = time == latest;
            let latest = match (is_turn, latest_turn) {
                (true, turn) => format!("turn {turn}"),
                (false, _) => format_duration(latest),
            };
            let span = moment.turn.as_ref().filter(|_| is_turn).map_or(at.span, |turn| turn.span);
            let message = format!("the call in line {line} is made later, at {latest}");
            self.problem(span, message, "put the calls in the order in which they are made");
        }
        progress.latest = Some((time, turn, place.span.line));
        (time, turn)
    }

    fn kind(
        &mut self,
        progress: &mut Progress,
        place: Place,
        time: Duration,
        call: &shape::Call,
    ) -> Option<CallKind> {
        use For::{Any, Connections, Listeners};
        match call {
            shape::Call::Listen(it) => self.listening(progress, place, it),
            shape::Call::Connect(it) => self.connecting(progress, place, it),
            shape::Call::FinishConnect(it) => {
                self.socket(progress, place, &it.finish_connect, Connections).map(CallKind::FinishConnect)
            }
            shape::Call::Accept(it) => {
                let Accept { accept, opened, .. } = &**it;
                let listener = self.socket(progress, place, accept, Listeners);
                let host = listener.and_then(|Socket(listener)| progress.sockets[listener].host);
                let socket = self.new_socket(progress, opened, host, false);
                Some(CallKind::Accept { listener: listener?, socket })
            }
            shape::Call::Send(it) => self.sending(progress, place, it),
            shape::Call::Receive(it) => self.receiving(progress, place, it),
            shape::Call::Shutdown(it) => {
                let socket = self.socket_on(progress, place, &it.on);
                match self.needed(&it.shutdown, place, "which direction", "`shutdown: write`")? {
                    Scalar(Direction::Write) => socket.map(CallKind::ShutdownWrite),
                    Scalar(Direction::Read) => socket.map(CallKind::ShutdownRead),
                }
            }
            shape::Call::Set(it) => self.setting(progress, place, it),
            shape::Call::Status(it) => self.socket(progress, place, &it.status, Any).map(CallKind::Status),
            shape::Call::Close(it) => self.socket(progress, place, &it.close, Any).map(CallKind::Close),
            shape::Call::Abort(it) => {
                self.socket(progress, place, &it.abort, Connections).map(CallKind::Abort)
            }
            shape::Call::Fault(it) => self.added_fault(progress, place, time, &it.fault),
            shape::Call::Lift(it) => self.lifted_fault(place, it),
            shape::Call::Finish(_) => {
                progress.finished = Some(place.span.line);
                Some(CallKind::Finish)
            }
        }
    }

    fn listening(&mut self, progress: &mut Progress, place: Place, it: &Listen) -> Option<CallKind> {
        let port = self.needed(&it.listen, place, "on which port", "`listen: 80`");
        let host = self.caller(place, &it.caller);
        let socket = self.new_socket(progress, &it.opened, host, true);
        let options = host.map(|host| self.options_beside(host, it.set.as_ref()));
        let Scalar(PortOrAny(port)) = *port?;
        Some(CallKind::Listen {
            host: host?,
            port,
            address: word(&it.address),
            backlog: word(&it.backlog).unwrap_or(Action::DEFAULT_BACKLOG),
            reuse_address: word(&it.reuse_address).is_none_or(|Switch(on)| on),
            options: options?,
            socket,
        })
    }

    fn connecting(&mut self, progress: &mut Progress, place: Place, it: &Connect) -> Option<CallKind> {
        let to = self.needed(&it.connect, place, "to where", "`connect: server:80`");
        let host = self.caller(place, &it.caller);
        let socket = self.new_socket(progress, &it.opened, host, false);
        let options = host.map(|host| self.options_beside(host, it.set.as_ref()));
        let Scalar(to) = to?;
        Some(CallKind::Connect {
            host: host?,
            to: self.destination(host?, it.connect.span_or(place.span), to)?,
            from: word(&it.from),
            local_port: word(&it.port).map(|Port(port)| port),
            options: options?,
            socket,
        })
    }

    fn sending(&mut self, progress: &mut Progress, place: Place, it: &Send) -> Option<CallKind> {
        let socket = self.socket_on(progress, place, &it.on);
        let example = "`send: {text: hello}`";
        let Octets { text, base64 } = self.needed(&it.send, place, "what", example)?;
        let octets: Arc<[u8]> = match (text, base64) {
            (Some(text), None) => text.value.0.as_bytes().into(),
            (None, Some(base64)) => {
                let Scalar(Base64(octets)) = &base64.value;
                octets.as_slice().into()
            }
            (Some(_), Some(base64)) => {
                self.problem(base64.key, "`text` and `base64` in one call", "keep one of them");
                return None;
            }
            (None, None) => {
                if !it.send.is_pruned() {
                    let at = it.send.span_or(place.span);
                    self.problem(at, "this does not say what", format!("write {example}"));
                }
                return None;
            }
        };
        let is_on = |switch| word(switch).is_some_and(|Switch(on)| on);
        let flags = SendFlags { more: is_on(&it.more), end_of_record: is_on(&it.end_of_record) };
        Some(CallKind::Send { socket: socket?, octets, flags })
    }

    fn receiving(&mut self, progress: &mut Progress, place: Place, it: &Receive) -> Option<CallKind> {
        let socket = self.socket_on(progress, place, &it.on);
        let Scalar(Size(octets)) =
            *self.needed(&it.receive, place, "how much at most", "`receive: 64 KiB`")?;
        let max = u32::try_from(octets).ok().filter(|max| (1..=Limits::MAX_RECEIVED).contains(max));
        if max.is_none() {
            let at = it.receive.span_or(place.span);
            self.problem(at, format!("{octets} B is out of range"), "a call receives 1 B to 1 MiB at most");
        }
        Some(CallKind::Receive { socket: socket?, max: max? })
    }

    fn setting(&mut self, progress: &mut Progress, place: Place, it: &Set) -> Option<CallKind> {
        let socket = self.socket_on(progress, place, &it.on);
        let given = self.needed(&it.set, place, "which options", "`set: {nodelay: on}`")?;
        self.mss_is_agreed(given);
        let host = socket.and_then(|Socket(socket)| progress.sockets[socket].host)?;
        // A session may set nothing, which is a call all the same.
        Some(CallKind::Set { socket: socket?, options: self.options(host, given) })
    }

    fn added_fault(
        &mut self,
        progress: &mut Progress,
        place: Place,
        time: Duration,
        fault: &Given<Spanned<shape::Fault>>,
    ) -> Option<CallKind> {
        let given = self.needed(fault, place, "which fault", "`fault: {drop: FIN}`")?;
        progress.faults += 1;
        if progress.faults == Limits::MAX_FAULTS + 1 {
            self.limit(given.span, "faults", progress.faults, Limits::MAX_FAULTS);
        }
        self.now = Some(time);
        let fault = self.fault(given);
        self.now = None;
        fault.map(|fault| CallKind::AddFault(Box::new(fault)))
    }

    fn lifted_fault(&mut self, place: Place, it: &Lift) -> Option<CallKind> {
        let number = self.needed(&it.lift, place, "which fault", "its number, from 1: `lift: 1`")?;
        Some(CallKind::LiftFault(self.at_least_one(number) as usize - 1))
    }

    /// The host that makes a call: none on which programs run.
    fn caller(&mut self, place: Place, caller: &Caller) -> Option<HostId> {
        let Some(name) = &caller.host else {
            if !place.pruned {
                self.problem(place.span, "this does not say on which host", "add `host: client`");
            }
            return None;
        };
        let host = self.host_at(&caller.host)?;
        self.has_tcp(name.span, host);
        if self.programs.iter().any(|program| program.host == host) {
            let name_of = &self.hosts[host.0].name;
            let message = format!("`{name_of}` has applications, which make its calls");
            let help = format!("leave `{name_of}` out of `applications`, or name another host");
            self.problem(name.span, message, help);
        }
        Some(host)
    }

    /// The socket that a call opens, if it has a name.
    fn new_socket(
        &mut self,
        progress: &mut Progress,
        Opened { r#as: name }: &Opened,
        host: Option<HostId>,
        is_listening: bool,
    ) -> Option<Socket> {
        let name = name.as_ref()?;
        let Scalar(text) = &name.value;
        self.name(name.span, "a socket's name", text);
        let socket = Socket(progress.sockets.len());
        progress.sockets.push(Named { name: text.clone(), host, is_listening });
        if progress.by_name.insert(text.clone(), socket).is_some() {
            self.problem(name.span, format!("another socket is called `{text}`"), "choose another name");
        }
        Some(socket)
    }

    /// The connection that stands beside the word.
    fn socket_on(&mut self, progress: &Progress, place: Place, on: &On) -> Option<Socket> {
        let Some(name) = &on.on else {
            if !place.pruned {
                self.problem(place.span, "this does not say on which socket", "add `on: s1`");
            }
            return None;
        };
        self.named_socket(progress, name.span, &name.value.0, For::Connections)
    }

    /// The socket that stands after the word.
    fn socket(
        &mut self,
        progress: &Progress,
        place: Place,
        given: &Given<Scalar<String>>,
        takes: For,
    ) -> Option<Socket> {
        let Scalar(name) =
            self.needed(given, place, "which socket", "its name after the word: `close: s1`")?;
        self.named_socket(progress, given.span_or(place.span), name, takes)
    }

    fn named_socket(&mut self, progress: &Progress, at: Span, name: &str, takes: For) -> Option<Socket> {
        let Some(socket) = progress.by_name.get(name).copied() else {
            if !progress.vague {
                let names: Vec<String> = progress.sockets.iter().map(|known| known.name.clone()).collect();
                self.no_such(at, "socket", name, &names, |names| match names {
                    [] => format!("name it where it is opened: `as: {}`", wording::short(name)),
                    names => format!("so far there are {}", wording::some_of(names.iter().copied())),
                });
            }
            return None;
        };
        match (takes, progress.sockets[socket.0].is_listening) {
            (For::Listeners, false) => {
                let help = "connections are accepted on a socket that `listen` opens";
                self.problem(at, format!("`{name}` is not listening"), help);
            }
            (For::Connections, true) => {
                let help = "this call is for connections; on a listening socket there are `accept`, `status` and `close`";
                self.problem(at, format!("`{name}` is listening"), help);
            }
            (For::Any, _) | (For::Listeners, true) | (For::Connections, false) => {}
        }
        Some(socket)
    }
}
