//! What was expected, what was found, and why a run is not passed.

use halfopen_proto::v1::{
    DataClaim, ExpectationResult, Finding, FindingFact, HostClaim, KeepaliveOutcome, KeepaliveVerdict,
    Problem, RunClaim, RunLimit, SegmentsClaim, SegmentsFound, StepKind, StepReference, TcpState, TcpStates,
    claim, finding, host_claim, problem, run_limit, segments_claim,
};

use halfopen_units::format_size;

use super::matching::order;
use super::tcp_info::{tcp_info, tcp_info_claim};
use super::{count, duration, flags, from_proto, keepalive, range, state};

/// What an expectation expects: `ESTABLISHED, …, CLOSED, within 5s`.
pub fn expected(result: &ExpectationResult) -> String {
    let Some(claim) = &result.claim else { return result.text.clone() };
    let text = match &claim.kind {
        Some(claim::Kind::Host(claim)) => of_host(claim),
        Some(claim::Kind::Segments(claim)) => segments(claim),
        Some(claim::Kind::Order(claim)) => order(claim),
        Some(claim::Kind::VirtualTime(window)) => range(window),
        Some(claim::Kind::Run(claim)) => match RunClaim::try_from(*claim).unwrap_or_default() {
            RunClaim::AllClosed => "every connection closed".to_owned(),
            RunClaim::DataIntact => "everything sent was received".to_owned(),
            RunClaim::Unspecified => result.text.clone(),
        },
        Some(claim::Kind::Data(claim)) => data(claim),
        None => result.text.clone(),
    };
    match &claim.at {
        Some(window) if window.earliest == window.latest => {
            format!("{text}, at {}", duration(from_proto(window.earliest.as_ref())))
        }
        Some(window) => format!("{text}, {}", range(window)),
        None => text,
    }
}

/// What becomes of data: `not everything that client sent was received`.
fn data(claim: &DataClaim) -> String {
    let sent = match claim.sender.as_str() {
        "" => "everything sent".to_owned(),
        sender => format!("everything that {sender} sent"),
    };
    let not = if claim.incomplete { "not " } else { "" };
    format!("{not}{sent} was received")
}

fn of_host(claim: &HostClaim) -> String {
    let text = of_connection(claim);
    if claim.some { format!("some connection: {text}") } else { text }
}

fn of_connection(claim: &HostClaim) -> String {
    match &claim.kind {
        Some(host_claim::Kind::States(path)) => states(path),
        Some(host_claim::Kind::Ends(last)) => state(TcpState::try_from(*last).unwrap_or_default()).to_owned(),
        Some(host_claim::Kind::Never(never)) => format!("never {}", states(never)),
        Some(host_claim::Kind::Keepalive(claim)) => {
            let name = silent_or(claim.verdict());
            let probes = claim.probes.map(|probes| count(probes.into(), "probe"));
            let after =
                claim.after.as_ref().map(|window| format!("{} after the last segment", range(window)));
            let details: Vec<String> = probes.into_iter().chain(after).collect();
            let separator = if details.is_empty() { "" } else { ": " };
            format!("{name}{separator}{}", details.join(", "))
        }
        Some(host_claim::Kind::Error(errno)) => errno.clone(),
        Some(host_claim::Kind::Errors(errors)) => errors.names.join(" or "),
        Some(host_claim::Kind::Received(bytes)) => count(*bytes, "byte"),
        Some(host_claim::Kind::EndOfStream(_)) => "end of the stream".to_owned(),
        Some(host_claim::Kind::TcpInfo(claim)) => tcp_info_claim(claim),
        None => String::new(),
    }
}

/// States with commas; `…` where any may be.
fn states(path: &TcpStates) -> String {
    let name = |value: TcpState| match value {
        TcpState::Unspecified => "…",
        known => state(known),
    };
    path.states().map(name).collect::<Vec<_>>().join(", ")
}

fn silent_or(verdict: KeepaliveVerdict) -> &'static str {
    match verdict {
        KeepaliveVerdict::Unspecified => "silent",
        known => keepalive(known),
    }
}

fn segments(claim: &SegmentsClaim) -> String {
    let number = match claim.count {
        Some(segments_claim::Count::Exactly(number)) => count(number, "segment"),
        Some(segments_claim::Count::AtLeast(number)) => format!("at least {}", count(number, "segment")),
        Some(segments_claim::Count::AtMost(number)) => format!("at most {}", count(number, "segment")),
        None => "segments".to_owned(),
    };
    let gaps: Vec<String> = claim.spacing.iter().map(range).collect();
    if gaps.is_empty() { number } else { format!("{number}, {} apart", gaps.join(", ")) }
}

/// What was found: `dead: 10 probes, 2h 12m 30s after the last segment`.
pub fn found(result: &ExpectationResult) -> String {
    let mut text = result.finding.as_ref().map(|finding| finding_of(finding, result)).unwrap_or_default();
    let is_timed = result.claim.as_ref().is_some_and(|claim| claim.at.is_some());
    match &result.deciding_time {
        Some(time) if is_timed => text.push_str(&format!(", at {}", duration(from_proto(Some(time))))),
        None if is_timed && !is_missing(result) => text.push_str(", no event decided it"),
        _ => {}
    }
    if result.connection > 0 {
        text.push_str(&format!(" (connection {})", result.connection));
    }
    text
}

/// Whether what was found says by itself that nothing happened.
fn is_missing(result: &ExpectationResult) -> bool {
    match result.finding.as_ref().and_then(|finding| finding.kind.as_ref()) {
        Some(finding::Kind::Fact(_)) | None => true,
        Some(finding::Kind::Error(errno)) => errno.is_empty(),
        Some(finding::Kind::Received(bytes)) => *bytes == 0,
        Some(finding::Kind::EndOfStream(seen)) => !seen,
        Some(finding::Kind::States(path)) => path.states.is_empty(),
        Some(finding::Kind::Segments(found)) => found.count == 0,
        Some(finding::Kind::Order(found)) => found.first.is_empty(),
        Some(finding::Kind::Keepalive(found)) => found.verdict() == KeepaliveVerdict::Unspecified,
        Some(finding::Kind::PendingError(_)) => true,
        Some(_) => false,
    }
}

fn finding_of(finding: &Finding, result: &ExpectationResult) -> String {
    use finding::Kind;
    match &finding.kind {
        Some(Kind::Fact(fact)) => fact_of(FindingFact::try_from(*fact).unwrap_or_default(), result),
        Some(Kind::States(path)) if path.states.is_empty() => "no states".to_owned(),
        Some(Kind::States(path)) => states(path),
        Some(Kind::LastState(last)) => match TcpState::try_from(*last).unwrap_or_default() {
            TcpState::Unspecified => "gone with its host".to_owned(),
            last => state(last).to_owned(),
        },
        Some(Kind::Keepalive(found)) => keepalive_found(found),
        Some(Kind::Error(errno)) if errno.is_empty() => "no error".to_owned(),
        Some(Kind::Error(errno)) => errno.clone(),
        Some(Kind::PendingError(errno)) => format!("{errno}, which no call returned"),
        Some(Kind::TcpInfo(found)) => tcp_info(found),
        Some(Kind::EndOfStream(true)) => "end of the stream".to_owned(),
        Some(Kind::EndOfStream(false)) => "no end of the stream".to_owned(),
        Some(Kind::Received(bytes)) => count(*bytes, "byte"),
        Some(Kind::Segments(found)) => segments_found(found),
        Some(Kind::Order(found)) => {
            let names: Vec<String> = found
                .first
                .iter()
                .map(|segment| format!("{} {}", segment.sender, flags(segment.flags.unwrap_or_default())))
                .collect();
            match (names.is_empty(), found.more) {
                (true, _) => "none of them".to_owned(),
                (false, 0) => names.join(", "),
                (false, more) => format!("{} and {more} more", names.join(", ")),
            }
        }
        Some(Kind::NotClosed(open)) => format!("{} in {}", open.host, state(open.state())),
        Some(Kind::DataIntact(bytes)) => format!("{} received", count(*bytes, "byte")),
        Some(Kind::DataMissing(missing)) => {
            format!(
                "{} of {} from {} received",
                missing.received,
                count(missing.sent, "byte"),
                missing.sender
            )
        }
        Some(Kind::VirtualTime(time)) => duration(from_proto(Some(time))),
        None => String::new(),
    }
}

fn fact_of(fact: FindingFact, result: &ExpectationResult) -> String {
    let host = match result.claim.as_ref().and_then(|claim| claim.kind.as_ref()) {
        Some(claim::Kind::Host(claim)) => Some(claim.host.as_str()),
        _ => None,
    };
    match fact {
        FindingFact::Unspecified => String::new(),
        FindingFact::NoConnection => match host {
            Some(host) => format!("{host} had no connection"),
            None => "there was no connection".to_owned(),
        },
        FindingFact::NoConnectionThen => match host {
            Some(host) => format!("{host} had no such connection then"),
            None => "there was no connection then".to_owned(),
        },
        FindingFact::NeverOpened => "the connection was never opened".to_owned(),
        FindingFact::NoSegments => "no host sent anything".to_owned(),
        FindingFact::AllClosed => "every connection closed".to_owned(),
        FindingFact::DataMistaken => "something else was received".to_owned(),
        FindingFact::NoData => "nothing was sent".to_owned(),
    }
}

fn keepalive_found(found: &KeepaliveOutcome) -> String {
    let name = silent_or(found.verdict());
    if found.verdict() == KeepaliveVerdict::Unspecified {
        return name.to_owned();
    }
    let (probes, silence) =
        (count(found.probes.into(), "probe"), duration(from_proto(found.silence.as_ref())));
    format!("{name}: {probes}, {silence} after the last segment")
}

fn segments_found(found: &SegmentsFound) -> String {
    let number = count(found.count, "segment");
    let gaps: Vec<String> = found.spacing.iter().map(|gap| duration(from_proto(Some(gap)))).collect();
    if gaps.is_empty() { number } else { format!("{number}, {} apart", gaps.join(", ")) }
}

/// Why a run is not passed: `fault 1 was never applied: drop: SYN (line 12)`.
pub fn problem(problem: &Problem) -> String {
    use problem::Kind;
    match &problem.kind {
        Some(Kind::DataMistaken(mistake)) => format!(
            "connection {}: received byte {} differs from the byte sent",
            mistake.connection, mistake.offset
        ),
        Some(Kind::StepEndedOtherwise(other)) => {
            let how = match (other.error.as_str(), other.failed) {
                ("", true) => "reached the end of the stream".to_owned(),
                ("", false) => "succeeded".to_owned(),
                (errno, _) => format!("failed with {errno}"),
            };
            let expected: Vec<&str> =
                [&other.expected].into_iter().chain(&other.or_expected).map(String::as_str).collect();
            // With SO_REUSEADDR, which is the default, only another listener has a port.
            let is_bind = other.step.as_ref().is_some_and(|step| step.kind() == StepKind::Listen);
            let help = match expected.contains(&"EADDRINUSE") && is_bind {
                true => {
                    "; a port of earlier connections is taken if `reuse-address: off` stands beside each `listen`"
                }
                false => "",
            };
            let (expected, place) = (expected.join(" or "), at_step(&other.text, other.step.as_ref()));
            format!(
                "{} {how} but should have failed with {expected}: {place}{help}",
                step(other.step.as_ref())
            )
        }
        Some(Kind::StepFailed(failed)) => {
            let (how, help) = match failed.error.as_str() {
                "" => ("reached the end of the stream too early".to_owned(), "`may-fail: on`".to_owned()),
                errno => (format!("ended with {errno}"), format!("`error: {errno}` or `may-fail: on`")),
            };
            let place = at_step(&failed.text, failed.step.as_ref());
            format!("{} {how}: {place}; if it should, add {help} to it", step(failed.step.as_ref()))
        }
        Some(Kind::FaultNotApplied(never)) => {
            let (number, place) = match &never.fault {
                Some(fault) => (fault.number, place(&never.text, fault.line, &fault.path)),
                None => (0, never.text.clone()),
            };
            format!("fault {number} was never applied: {place}")
        }
        Some(Kind::StepsNotDone(missing)) => {
            let what = if missing.begun { "did not end" } else { "was never reached" };
            let more = match missing.more {
                0 => String::new(),
                more => format!(", nor {} after it", count(more.into(), "step")),
            };
            let place = at_step(&missing.text, missing.step.as_ref());
            format!("{} {what}{more}: {place}", step(missing.step.as_ref()))
        }
        Some(Kind::LimitReached(limit)) => limit_reached(Some(limit)),
        Some(Kind::Stopped(_)) => "stopped before it finished".to_owned(),
        None => "a problem unknown to this version".to_owned(),
    }
}

fn step(step: Option<&StepReference>) -> String {
    step.map(|step| format!("step {} of {}", step.number, step.application)).unwrap_or_default()
}

fn at_step(text: &str, step: Option<&StepReference>) -> String {
    step.map_or_else(|| text.to_owned(), |step| place(text, step.line, &step.path))
}

/// Something in the scenario, with its line, or with its path if the scenario has only one line.
fn place(text: &str, line: u32, path: &str) -> String {
    match (line, path) {
        (0, "") => text.to_owned(),
        (0, path) => format!("{text} ({path})"),
        (line, _) => format!("{text} (line {line})"),
    }
}

/// Which limit is reached, and what to do; `None` is one that this client does not know.
pub fn limit_reached(limit: Option<&RunLimit>) -> String {
    let help = "end the run with `until`, or raise `limits`";
    let raise = "raise the limit of the server or the command";
    match limit.and_then(|limit| limit.kind.as_ref()) {
        Some(run_limit::Kind::VirtualTime(time)) => {
            format!("not over at the limit of {} of virtual time: {help}", duration(from_proto(Some(time))))
        }
        Some(run_limit::Kind::Events(events)) => format!("not over at the limit of {events} events: {help}"),
        Some(run_limit::Kind::UnderWay(datagrams)) => {
            format!(
                "more than {datagrams} datagrams in flight at once: use smaller buffers, or make fewer copies"
            )
        }
        Some(run_limit::Kind::MemoryBytes(bytes)) => {
            let limit = format_size(*bytes);
            format!(
                "not over at the limit of {limit} of memory: send less at once, keep fewer connections, or {raise}"
            )
        }
        Some(run_limit::Kind::Connections(ends)) => {
            format!("not over at the limit of {} of connections: open fewer, or {raise}", count(*ends, "end"))
        }
        Some(run_limit::Kind::Comparisons(comparisons)) => {
            format!(
                "not judged within {}: expect less of a long run, or {raise}",
                count(*comparisons, "comparison")
            )
        }
        Some(run_limit::Kind::ProcessorTime(time)) => {
            let limit = duration(from_proto(Some(time)));
            format!("not over after {limit} of processor time: make it shorter, or {raise}")
        }
        None => format!("not over at a limit: {help}"),
    }
}

#[cfg(test)]
mod tests {
    use halfopen_proto::Duration;
    use halfopen_proto::v1::{Claim, Errors, StepEndedOtherwise};

    use super::*;

    #[test]
    fn a_limit_is_named_with_its_number_and_what_to_do() {
        use run_limit::Kind;
        let time = Duration { seconds: 90, nanos: 0 };
        for (kind, what, help) in [
            (Kind::VirtualTime(time), "the limit of 1m 30s of virtual time", "`until`"),
            (Kind::Events(1_000), "the limit of 1000 events", "`limits`"),
            (Kind::UnderWay(16_384), "16384 datagrams", "smaller buffers"),
            (Kind::MemoryBytes(512 << 20), "the limit of 512 MiB of memory", "raise the limit"),
            (Kind::Connections(10), "the limit of 10 ends of connections", "raise the limit"),
            (Kind::Comparisons(1), "within 1 comparison:", "raise the limit"),
            (Kind::ProcessorTime(time), "after 1m 30s of processor time", "raise the limit"),
        ] {
            let limit = RunLimit { kind: Some(kind) };
            let text = problem(&Problem { kind: Some(problem::Kind::LimitReached(limit)) });
            assert!(text.contains(what) && text.contains(help), "{text}");
        }
    }

    #[test]
    fn any_of_several_errors_may_be_expected() {
        let names = vec!["ECONNRESET".to_owned(), "ETIMEDOUT".to_owned()];
        let kind = Some(host_claim::Kind::Errors(Errors { names }));
        let claim =
            Claim { kind: Some(claim::Kind::Host(HostClaim { kind, ..HostClaim::default() })), at: None };
        let result = ExpectationResult { claim: Some(claim), ..ExpectationResult::default() };
        assert_eq!(expected(&result), "ECONNRESET or ETIMEDOUT");
        let ended = StepEndedOtherwise {
            text: "receive, error: [EAGAIN, ETIMEDOUT]".to_owned(),
            expected: "ETIMEDOUT".to_owned(),
            or_expected: vec!["EAGAIN".to_owned()],
            step: Some(StepReference {
                application: "client".to_owned(),
                number: 2,
                ..StepReference::default()
            }),
            ..StepEndedOtherwise::default()
        };
        let text = problem(&Problem { kind: Some(problem::Kind::StepEndedOtherwise(ended)) });
        assert!(
            text.starts_with("step 2 of client succeeded but should have failed with ETIMEDOUT or EAGAIN:"),
            "{text}"
        );
    }
}
