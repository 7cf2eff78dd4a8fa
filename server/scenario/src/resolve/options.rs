//! Socket options.

use halfopen_tcp::SocketOptions;

use super::{Checker, word};
use crate::de::Spanned;
use crate::node::Span;
use crate::parse::{Scalar, Switch};
use crate::quantity::Size;
use crate::shape::options::{Options, SizeOrOff};
use crate::shape::{DurationOrOff, Opt};
use crate::{HostId, Keepalive, Limits};

impl Checker<'_> {
    /// The options beside a word that opens a socket on a host.
    pub(super) fn options_beside(&mut self, host: HostId, given: Option<&Spanned<Options>>) -> SocketOptions {
        given.map_or(SocketOptions::NONE, |given| {
            self.some_options(host, given.span, given.pruned, &given.value)
        })
    }

    /// Options of a socket on a host, of which at least one is set.
    pub(super) fn some_options(
        &mut self,
        host: HostId,
        at: Span,
        is_pruned: bool,
        options: &Options,
    ) -> SocketOptions {
        let set = self.options(host, options);
        let sizes = [&options.receive_buffer, &options.send_buffer, &options.mss];
        let wrong = sizes.into_iter().any(Option::is_some) || options.notsent_lowat.is_some();
        if set == SocketOptions::NONE && !is_pruned && !wrong {
            let help = "write `set: {nodelay: on}` or `set: {keepalive: {idle: 10s}}`";
            self.problem(at, "this sets nothing", help);
        }
        set
    }

    /// Options of a socket on a host.
    pub(super) fn options(&mut self, host: HostId, options: &Options) -> SocketOptions {
        let settings = self.hosts[host.0].settings();
        let base = settings.keepalive.unwrap_or(settings.keepalive_numbers);
        let keepalive = options.keepalive.as_ref().map(|keepalive| self.keepalive(keepalive));
        let switch = |value: &Opt<Switch>| word(value).map(|Switch(on)| on);
        SocketOptions {
            keepalive: keepalive.map(|keepalive: Keepalive| keepalive.over(base)),
            nodelay: switch(&options.nodelay),
            cork: switch(&options.cork),
            user_timeout: self.duration_or_off(&options.user_timeout),
            linger: word(&options.linger).map(|DurationOrOff(linger)| linger),
            receive_buffer: self.buffer(&options.receive_buffer),
            send_buffer: self.buffer(&options.send_buffer),
            notsent_lowat: self.size_or_off(&options.notsent_lowat),
            mss: self.octets(&options.mss, Limits::MIN_MSS),
        }
    }

    /// Complains about an MSS for a connection that is open.
    pub(super) fn mss_is_agreed(&mut self, options: &Options) {
        if let Some(mss) = &options.mss {
            let help =
                "set it before: `connect: server:80` with `set: {mss: 536 B}` beside it, or beside `listen`";
            self.problem(mss.key, "the connection has agreed on its segments already", help);
        }
    }

    /// Linux reads a size of zero as none; here that is `off`.
    fn size_or_off(&mut self, size: &Opt<SizeOrOff>) -> Option<Option<u32>> {
        let size = size.as_ref()?;
        let Scalar(SizeOrOff(value)) = size.value;
        let Some(Size(octets)) = value else { return Some(None) };
        let limit = u32::try_from(octets).ok().filter(|octets| *octets > 0);
        if limit.is_none() {
            self.problem(size.span, "zero makes no sense here", "say how much, or `off`");
        }
        limit.map(Some)
    }
}
