//! The result of a run: expectations, problems, counts.

use halfopen_proto::v1::{self, claim, finding, host_claim, problem, run_limit, segments_claim};
use halfopen_scenario::{
    Claim, Count, Errors, Expectation, HostClaim, KeepaliveOutcome, OrderItem, PathItem, Wholeness,
};
use halfopen_tcp::State;
use halfopen_trace::{
    ExpectationResult, FinalState, Finding, KeepaliveFound, Limit, Problem, RunFinished, Totals,
};

use super::converter::{Converter, written};
use super::enums;
use super::tcp_info::{info_match, info_value};
use super::values::{duration, errno, flags, window};

impl Converter {
    pub(super) fn expectation_result(&self, result: &ExpectationResult) -> v1::ExpectationResult {
        let scenario = self.scenario.as_ref();
        let expectation = scenario.and_then(|scenario| scenario.expectations.get(result.expectation.index()));
        v1::ExpectationResult {
            expectation: Some(self.expectation(result.expectation)),
            passed: result.passed,
            text: expectation.map(|expectation| written(&expectation.text)).unwrap_or_default(),
            claim: expectation.map(|expectation| self.claim(expectation)),
            finding: Some(v1::Finding { kind: Some(self.finding(&result.finding)) }),
            connection: result.connection.map_or(0, |connection| connection.0.get()),
            deciding_event: result.decided.map_or(0, |decided| decided.event),
            deciding_time: result.decided.map(|decided| duration(decided.time.as_duration())),
        }
    }

    fn claim(&self, expectation: &Expectation) -> v1::Claim {
        let kind = match &expectation.claim {
            Claim::Host { host, connection, some, claim } => claim::Kind::Host(v1::HostClaim {
                host: self.host(Some((*host).into())),
                connection: connection.map(|connection| self.connection(connection)).unwrap_or_default(),
                some: *some,
                kind: Some(host_claim(claim)),
            }),
            Claim::Segments { matching, count, spacing } => claim::Kind::Segments(v1::SegmentsClaim {
                matching: Some(self.segment_match(matching)),
                count: Some(match *count {
                    Count::Exactly(count) => segments_claim::Count::Exactly(count),
                    Count::AtLeast(count) => segments_claim::Count::AtLeast(count),
                    Count::AtMost(count) => segments_claim::Count::AtMost(count),
                }),
                spacing: spacing.iter().copied().map(window).collect(),
            }),
            Claim::Order(items) => claim::Kind::Order(v1::OrderClaim {
                items: items.iter().map(|item| self.order_item(item)).collect(),
            }),
            Claim::AllClosed => claim::Kind::Run(v1::RunClaim::AllClosed.into()),
            Claim::Data { sender: None, wholeness: Wholeness::Intact } => {
                claim::Kind::Run(v1::RunClaim::DataIntact.into())
            }
            Claim::Data { sender, wholeness } => claim::Kind::Data(v1::DataClaim {
                sender: self.host(sender.map(Into::into)),
                incomplete: *wholeness == Wholeness::Incomplete,
            }),
            Claim::VirtualTime(time) => claim::Kind::VirtualTime(window(*time)),
        };
        v1::Claim { kind: Some(kind), at: expectation.at.map(window) }
    }

    fn order_item(&self, item: &OrderItem) -> v1::OrderItem {
        match item {
            OrderItem::Segment(matching) => v1::OrderItem { segment: Some(self.segment_match(matching)) },
            OrderItem::Gap => v1::OrderItem { segment: None },
        }
    }

    fn finding(&self, finding: &Finding) -> finding::Kind {
        use finding::Kind;
        let fact = |fact: v1::FindingFact| Kind::Fact(fact.into());
        match finding {
            Finding::NoConnection => fact(v1::FindingFact::NoConnection),
            Finding::NeverOpened => fact(v1::FindingFact::NeverOpened),
            Finding::States(path) => Kind::States(states(path)),
            Finding::LastState(state) => {
                Kind::LastState(state.map_or(v1::TcpState::Unspecified, enums::state).into())
            }
            Finding::Keepalive(found) => Kind::Keepalive(found.map(keepalive).unwrap_or_default()),
            Finding::Error(error) => Kind::Error(errno(*error)),
            Finding::PendingError(error) => Kind::PendingError(error.name().to_owned()),
            Finding::EndOfStream(seen) => Kind::EndOfStream(*seen),
            Finding::NoConnectionThen => fact(v1::FindingFact::NoConnectionThen),
            Finding::TcpInfo(values) => Kind::TcpInfo(v1::TcpInfo {
                values: values.iter().map(|(field, value)| info_value(*field, *value)).collect(),
            }),
            Finding::Received(octets) => Kind::Received(*octets),
            Finding::NoSegments => fact(v1::FindingFact::NoSegments),
            Finding::Segments { count, spacing } => Kind::Segments(v1::SegmentsFound {
                count: *count,
                spacing: spacing.iter().copied().map(duration).collect(),
            }),
            Finding::Order { first, more } => Kind::Order(v1::OrderFound {
                first: first
                    .iter()
                    .map(|(host, control)| v1::SegmentFound {
                        sender: self.host(Some(*host)),
                        flags: Some(flags(*control)),
                    })
                    .collect(),
                more: *more,
            }),
            Finding::AllClosed => fact(v1::FindingFact::AllClosed),
            Finding::NotClosed { host, state } => Kind::NotClosed(v1::NotClosed {
                host: self.host(Some(*host)),
                state: enums::state(*state).into(),
            }),
            Finding::DataIntact { octets } => Kind::DataIntact(*octets),
            Finding::DataMissing { sender, received, sent } => Kind::DataMissing(v1::DataMissing {
                sender: self.host(Some(*sender)),
                received: *received,
                sent: *sent,
            }),
            Finding::DataMistaken => fact(v1::FindingFact::DataMistaken),
            Finding::NoData => fact(v1::FindingFact::NoData),
            Finding::VirtualTime(time) => Kind::VirtualTime(duration(*time)),
        }
    }

    fn problem(&self, problem: Problem) -> v1::Problem {
        use problem::Kind;
        let kind = match problem {
            Problem::DataMistaken { connection, offset } => {
                Kind::DataMistaken(v1::DataMistakenProblem { connection: connection.0.get(), offset })
            }
            Problem::StepEndedOtherwise { step, expected, error, failed } => {
                let mut expected = names(expected).into_iter();
                Kind::StepEndedOtherwise(v1::StepEndedOtherwise {
                    step: Some(self.step(step)),
                    text: self.step_text(step),
                    expected: expected.next().unwrap_or_default(),
                    or_expected: expected.collect(),
                    error: errno(error),
                    failed,
                })
            }
            Problem::StepFailed { step, error } => Kind::StepFailed(v1::StepFailed {
                step: Some(self.step(step)),
                text: self.step_text(step),
                error: errno(error),
            }),
            Problem::FaultNotApplied(fault) => Kind::FaultNotApplied(v1::FaultNotApplied {
                fault: Some(self.fault(fault)),
                text: self.scenario_fault(fault).map(|fault| written(&fault.text)).unwrap_or_default(),
            }),
            Problem::StepsNotDone { first, begun, more } => Kind::StepsNotDone(v1::StepsNotDone {
                step: Some(self.step(first)),
                text: self.step_text(first),
                begun,
                more,
            }),
            Problem::LimitReached(reached) => Kind::LimitReached(limit(reached)),
            Problem::Stopped => Kind::Stopped(true),
        };
        v1::Problem { kind: Some(kind) }
    }

    pub(super) fn run_finished(&self, finished: &RunFinished) -> v1::RunFinished {
        let final_state = |last: &FinalState| v1::FinalState {
            host: self.host(Some(last.host)),
            connection: last.connection.0.get(),
            state: enums::state(last.state).into(),
        };
        v1::RunFinished {
            verdict: enums::verdict(finished.verdict).into(),
            problems: finished.problems.iter().map(|problem| self.problem(*problem)).collect(),
            final_states: finished.final_states.iter().map(final_state).collect(),
            totals: Some(totals(&finished.totals)),
        }
    }
}

fn host_claim(claim: &HostClaim) -> host_claim::Kind {
    use host_claim::Kind;
    match claim {
        HostClaim::States(path) => {
            let state = |item: &PathItem| match item {
                PathItem::State(state) => enums::state(*state).into(),
                PathItem::Gap => v1::TcpState::Unspecified.into(),
            };
            Kind::States(v1::TcpStates { states: path.iter().map(state).collect() })
        }
        HostClaim::Ends(state) => Kind::Ends(enums::state(*state).into()),
        HostClaim::Never(never) => Kind::Never(states(never)),
        HostClaim::Keepalive { outcome, probes, after } => {
            let verdict = match outcome {
                KeepaliveOutcome::Alive => v1::KeepaliveVerdict::Alive,
                KeepaliveOutcome::Dead => v1::KeepaliveVerdict::Dead,
                KeepaliveOutcome::Reset => v1::KeepaliveVerdict::Reset,
                KeepaliveOutcome::Silent => v1::KeepaliveVerdict::Unspecified,
            };
            let after = after.map(window);
            Kind::Keepalive(v1::KeepaliveClaim { verdict: verdict.into(), probes: *probes, after })
        }
        HostClaim::Error(errors) => error_claim(*errors),
        HostClaim::EndOfStream => Kind::EndOfStream(true),
        HostClaim::TcpInfo { at, fields } => Kind::TcpInfo(v1::TcpInfoClaim {
            time: Some(duration(*at)),
            fields: fields.iter().map(|(field, wanted)| info_match(*field, *wanted)).collect(),
        }),
        HostClaim::Received(octets) => Kind::Received(*octets),
    }
}

fn error_claim(errors: Errors) -> host_claim::Kind {
    let mut names = names(errors);
    match names.len() {
        1 => host_claim::Kind::Error(names.remove(0)),
        _ => host_claim::Kind::Errors(v1::Errors { names }),
    }
}

/// The POSIX names of errors.
fn names(errors: Errors) -> Vec<String> {
    errors.iter().map(|errno| errno.name().to_owned()).collect()
}

fn states(states: &[State]) -> v1::TcpStates {
    v1::TcpStates { states: states.iter().map(|state| enums::state(*state).into()).collect() }
}

fn keepalive(found: KeepaliveFound) -> v1::KeepaliveOutcome {
    v1::KeepaliveOutcome {
        verdict: enums::keepalive_verdict(found.verdict).into(),
        probes: found.probes,
        silence: Some(duration(found.silence)),
    }
}

pub(crate) fn limit(limit: Limit) -> v1::RunLimit {
    let kind = match limit {
        Limit::VirtualTime(time) => run_limit::Kind::VirtualTime(duration(time)),
        Limit::Events(events) => run_limit::Kind::Events(events),
        Limit::UnderWay(datagrams) => run_limit::Kind::UnderWay(datagrams),
        Limit::Memory(octets) => run_limit::Kind::MemoryBytes(octets),
        Limit::Connections(ends) => run_limit::Kind::Connections(ends),
        Limit::Comparisons(comparisons) => run_limit::Kind::Comparisons(comparisons),
        Limit::ProcessorTime(time) => run_limit::Kind::ProcessorTime(duration(time)),
    };
    v1::RunLimit { kind: Some(kind) }
}

fn totals(totals: &Totals) -> v1::RunTotals {
    v1::RunTotals {
        virtual_time: Some(duration(totals.virtual_time)),
        events: totals.events,
        segments_sent: totals.segments_sent,
        retransmissions: totals.retransmissions,
        segments_lost: totals.segments_lost,
        expectations_passed: totals.expectations_passed,
        expectations_failed: totals.expectations_failed,
    }
}
