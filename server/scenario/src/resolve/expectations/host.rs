//! What must come out on a host.

use halfopen_tcp::State;

use crate::de::Spanned;
use crate::parse::{Scalar, Switch};
use crate::quantity::SizeCount;
use crate::resolve::{Checker, Place, key, word};
use crate::shape::claims::{Never, OfHost, States, TcpInfo, WhenTrue};
use crate::shape::{self, OneOrMore, Opt};
use crate::{
    Amount, Claim, Count, HostClaim, InfoField, InfoMatch, KeepaliveOutcome, PathItem, Window, wording,
};

impl Checker<'_> {
    pub(super) fn about_host(&mut self, place: Place, given: &OfHost) -> Option<(Claim, Option<Window>)> {
        let (name, claim) = match &given.claims[..] {
            [only] => only,
            [] => {
                if let Some(first) = given.stray.first() {
                    let help = format!("name it: `server: {{{}: …}}`", first.value);
                    self.problem(first.key, "this claim does not name its host", help);
                }
                return None;
            }
            several => {
                let names = wording::list(several.iter().map(|(name, _)| name.value.as_str()));
                let help = "begin each with `- ` in a line of its own";
                self.problem(place.span, format!("{names} in one expectation"), help);
                return None;
            }
        };
        for key in &given.stray {
            self.stray(key, &name.value);
        }
        let host = self.host(name.span, name);
        let (host_claim, at) = self.claim(Place { span: name.span, pruned: claim.pruned }, claim)?;
        let host = host?;
        let connection = match &claim.of().on {
            Some(on) => Some(self.connection_of(host, on)?),
            None => None,
        };
        let some = word(&claim.of().some).is_some_and(|Switch(on)| on);
        if let (Some(place), Some(_)) = (key(&claim.of().some), connection.and_then(|meant| meant.nth)) {
            self.problem(place, "`some` of one connection", "leave it out, or the number after `on`");
        }
        Some((Claim::Host { host, connection, some, claim: host_claim }, at))
    }

    /// A key beside the name of a host that belongs elsewhere.
    fn stray(&mut self, key: &Spanned<String>, host: &str) {
        let word = key.value.as_str();
        let help = match word {
            "count" => "it counts `segments`".to_owned(),
            "spacing" => "it is between `segments`".to_owned(),
            _ => format!("put it in the braces: `{host}: {{…, {word}: …}}`"),
        };
        self.problem(key.key, format!("`{word}` does not belong here"), help);
    }

    fn claim(&mut self, place: Place, claim: &shape::Claim) -> Option<(HostClaim, Option<Window>)> {
        match claim {
            shape::Claim::States(it) => {
                let at = self.window(&it.when.at, &it.when.within);
                Some((self.path(place, it)?, at))
            }
            shape::Claim::Ends(it) => {
                let at = self.window(&it.when.at, &it.when.within);
                let Scalar(state) = *self.needed(&it.ends, place, "in which state", "`ends: CLOSED`")?;
                Some((HostClaim::Ends(state), at))
            }
            shape::Claim::Never(it) => Some((self.never(place, it)?, None)),
            shape::Claim::Keepalive(it) => {
                let at = self.window(&it.when.at, &it.when.within);
                let Scalar(outcome) =
                    *self.needed(&it.keepalive, place, "what keepalive finds out", "`keepalive: dead`")?;
                if outcome == KeepaliveOutcome::Silent {
                    self.never_happens(&it.when, "keepalive: silent");
                }
                Some((HostClaim::Keepalive { outcome, probes: word(&it.probes), after: word(&it.after) }, at))
            }
            shape::Claim::Error(it) => {
                let at = self.window(&it.when.at, &it.when.within);
                let errors = self.needed(&it.error, place, "which error", "`error: ETIMEDOUT`")?;
                let errors = self.errors(it.error.span_or(place.span), it.error.is_pruned(), errors);
                Some((HostClaim::Error(errors), at))
            }
            shape::Claim::Received(it) => {
                let at = self.window(&it.when.at, &it.when.within);
                let Scalar(amount) = *self.needed(&it.received, place, "how much", "`received: 1 KiB`")?;
                let claim = match amount {
                    Amount::Octets(octets) => HostClaim::Received(octets),
                    Amount::End | Amount::Next => HostClaim::EndOfStream,
                };
                if claim == HostClaim::Received(0) {
                    self.never_happens(&it.when, "received: 0 B");
                }
                Some((claim, at))
            }
            shape::Claim::TcpInfo(it) => Some((self.tcp_info(place, it)?, None)),
        }
    }

    fn tcp_info(&mut self, place: Place, it: &TcpInfo) -> Option<HostClaim> {
        let info = self.needed(&it.tcp_info, place, "what it says", "`tcp-info: {cwnd: 10}`")?;
        let count = |field, count: &Opt<Count>| Some((field, InfoMatch::Number(word(count)?)));
        let time = |field, window: &Opt<Window>| Some((field, InfoMatch::Time(word(window)?)));
        let size = |field, size: &Opt<SizeCount>| {
            let SizeCount(octets) = word(size)?;
            Some((field, InfoMatch::Octets(octets)))
        };
        let fields: Vec<(InfoField, InfoMatch)> = [
            count(InfoField::Cwnd, &info.cwnd),
            count(InfoField::Ssthresh, &info.ssthresh),
            count(InfoField::Unacked, &info.unacked),
            count(InfoField::Sacked, &info.sacked),
            count(InfoField::Lost, &info.lost),
            count(InfoField::Retrans, &info.retrans),
            count(InfoField::Retransmits, &info.retransmits),
            count(InfoField::TotalRetrans, &info.total_retrans),
            count(InfoField::Delivered, &info.delivered),
            count(InfoField::Reordering, &info.reordering),
            time(InfoField::Rtt, &info.rtt),
            time(InfoField::MinRtt, &info.min_rtt),
            time(InfoField::Rto, &info.rto),
            size(InfoField::Inq, &info.inq),
            size(InfoField::Outq, &info.outq),
            size(InfoField::Notsent, &info.notsent),
        ]
        .into_iter()
        .flatten()
        .collect();
        if fields.is_empty() && !it.tcp_info.is_pruned() {
            let span = it.tcp_info.span_or(place.span);
            self.problem(span, "this does not say what is claimed", "for example `tcp-info: {cwnd: 10}`");
        }
        if it.at.is_none() && !place.pruned && !it.tcp_info.is_pruned() {
            self.problem(place.span, "this does not say when", "add `at: 1s`");
        }
        Some(HostClaim::TcpInfo { at: word(&it.at)?, fields })
    }

    /// What never happens has no time.
    fn never_happens(&mut self, when: &WhenTrue, claim: &str) {
        if let Some(place) = key(&when.at).or(key(&when.within)) {
            let help =
                "nothing happens that could have a time: leave it out, or end the run then with `until`";
            self.problem(place, format!("`{claim}` has no time"), help);
        }
    }

    fn never(&mut self, place: Place, it: &Never) -> Option<HostClaim> {
        let OneOrMore(states) = self.needed(&it.never, place, "in which state", "`never: CLOSE-WAIT`")?;
        if states.is_empty() && !it.never.is_pruned() {
            let span = it.never.span_or(place.span);
            self.problem(span, "this list has no states", "name one: `never: CLOSE-WAIT`");
        }
        Some(HostClaim::Never(states.iter().map(|Scalar(state)| *state).collect()))
    }

    /// A path that some connection could take, as far as its beginning and repetitions tell.
    fn path(&mut self, place: Place, it: &States) -> Option<HostClaim> {
        let path = self.needed(&it.states, place, "which states", "`states: [LISTEN, …, CLOSED]`")?;
        if it.states.is_pruned() {
            return None;
        }
        let items: Vec<PathItem> = path.iter().map(|item| item.value.0).collect();
        if !items.iter().any(|item| matches!(item, PathItem::State(_))) {
            self.problem(
                it.states.span_or(place.span),
                "this path has no states",
                "write for example `[…, ESTABLISHED, CLOSED]`",
            );
        }
        if let Some(PathItem::State(first)) = items.first()
            && !matches!(first, State::Closed | State::Listen)
        {
            let help = "a path begins with LISTEN (passive open), CLOSED (active open) or … (any states)";
            self.problem(path[0].span, format!("no connection begins in {first}"), help);
        }
        for (index, pair) in items.windows(2).enumerate() {
            if pair[0] == pair[1] {
                let span = path[index + 1].span;
                self.problem(
                    span,
                    "this is the same as the one before",
                    "write a state once for each time that it is entered",
                );
            }
        }
        Some(HostClaim::States(items))
    }
}
