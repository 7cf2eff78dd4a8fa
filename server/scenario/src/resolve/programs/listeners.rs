//! The listeners of a program.

use super::Progress;
use crate::Action;
use crate::address::Port;
use crate::node::Span;
use crate::parse::{Scalar, Switch};
use crate::resolve::{Checker, Place, word};
use crate::shape::Opt;
use crate::shape::programs::{Accept, Listen};

/// A listener that some step opens.
pub(super) struct Listener {
    port: u16,
    /// The line in which it is closed.
    closed: Option<u32>,
}

impl Checker<'_> {
    pub(super) fn listen(
        &mut self,
        progress: &mut Progress<'_>,
        place: Place,
        it: &Listen,
    ) -> Option<Action> {
        let Scalar(Port(port)) = *self.needed(&it.listen, place, "on which port", "`listen: 80`")?;
        if progress.listeners.iter().any(|known| known.port == port && known.closed.is_none()) {
            let message = format!("this program already listens on port {port}");
            self.problem(it.listen.span_or(place.span), message, "leave one of them out");
        }
        self.once(progress, place, "a port can be opened only once", "put `listen` before the `repeat`");
        // One that must fail opens nothing.
        if it.failure.error.is_none() {
            progress.listeners.retain(|known| known.port != port);
            progress.listeners.push(Listener { port, closed: None });
        }
        let backlog = word(&it.backlog).unwrap_or(Action::DEFAULT_BACKLOG);
        let reuse_address = word(&it.reuse_address).is_none_or(|Switch(on)| on);
        let options = self.options_beside(progress.host, it.set.as_ref());
        Some(Action::Listen { port, backlog, reuse_address, options })
    }

    pub(super) fn accept_port(&mut self, progress: &Progress<'_>, place: Place, it: &Accept) -> Option<u16> {
        let port = it.accept.inner().map(|Scalar(Port(port))| *port);
        self.listener(progress, it.accept.span_or(place.span), port, "say which: `accept: 80`")
    }

    pub(super) fn close_listener(
        &mut self,
        progress: &mut Progress<'_>,
        place: Place,
        port: &Opt<Port>,
    ) -> Option<Action> {
        self.once(progress, place, "a listener is closed only once", "close it after the `repeat`");
        let at = port.as_ref().map_or(place.span, |port| port.span);
        let port = word(port).map(|Port(port)| port);
        let port = self.listener(progress, at, port, "say which: add `port: 80`")?;
        let closed = progress.listeners.iter_mut().find(|known| known.port == port);
        closed.expect("it was just found").closed = Some(place.span.line);
        Some(Action::CloseListener { port })
    }

    /// The port of the listener that a step is about.
    fn listener(&mut self, progress: &Progress<'_>, at: Span, port: Option<u16>, which: &str) -> Option<u16> {
        let is_meant = |known: &&Listener| port.is_none_or(|port| known.port == port);
        let is_open = |known: &&Listener| known.closed.is_none();
        let mut meant = progress.listeners.iter().filter(is_meant);
        let mut open = meant.clone().filter(is_open);
        match (open.next(), open.next(), meant.next()) {
            (Some(listener), None, _) => return Some(listener.port),
            (Some(_), Some(_), _) => self.problem(at, "this program listens on several ports", which),
            _ if progress.vague => {}
            (None, _, Some(Listener { port, closed: Some(line) })) => {
                let message = format!("the listener on port {port} is closed in line {line}");
                self.problem(at, message, "put this step before that, or `listen` again");
            }
            _ if progress.listeners.is_empty() => {
                let help = "put `listen: 80` before it, in the same program";
                self.problem(at, "the program does not listen yet", help);
            }
            _ => {
                let message = format!("this program does not listen on port {}", port.unwrap_or_default());
                self.problem(at, message, "name the port of its `listen`");
            }
        }
        None
    }
}
