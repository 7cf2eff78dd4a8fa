//! What is expected, as people say it.

use std::time::Duration;

use halfopen_scenario::{Claim, Count, Expectation, HostClaim, PathItem, Window};
use halfopen_tcp::State;
use halfopen_units::{format_count, format_duration};

/// What an expectation expects.
pub(super) fn expected(expectation: &Expectation) -> String {
    let claim = match &expectation.claim {
        Claim::Host { claim, .. } => in_words(claim),
        Claim::Segments { count, spacing, .. } => {
            let gaps: Vec<String> = spacing.iter().map(|gap| range(*gap)).collect();
            let apart = if gaps.is_empty() { String::new() } else { format!(", {} apart", gaps.join(", ")) };
            format!("{}{apart}", count_in_words(*count))
        }
        // As it is written: from the one bracket to the other.
        Claim::Order(_) => {
            let text = &expectation.text;
            let (start, end) =
                (text.find('[').unwrap_or(0), text.rfind(']').map_or(text.len(), |end| end + 1));
            text.get(start..end).unwrap_or(text).to_owned()
        }
        Claim::AllClosed => "every connection closed".to_owned(),
        Claim::DataIntact => "all that was sent received".to_owned(),
        Claim::VirtualTime(window) => range(*window),
    };
    match expectation.at {
        Some(window) if window.from == window.to => format!("{claim}, at {}", format_duration(window.from)),
        Some(window) => format!("{claim}, {}", range(window)),
        None => claim,
    }
}

fn in_words(claim: &HostClaim) -> String {
    let names = |states: &[State]| states.iter().map(|state| state.name()).collect::<Vec<_>>().join(", ");
    match claim {
        HostClaim::States(path) => {
            let name = |item: &PathItem| match item {
                PathItem::State(state) => state.name(),
                PathItem::Gap => "…",
            };
            path.iter().map(name).collect::<Vec<_>>().join(", ")
        }
        HostClaim::Ends(state) => state.to_string(),
        HostClaim::Never(states) => format!("never {}", names(states)),
        HostClaim::Keepalive { outcome, probes, after } => {
            let probes = probes.map(|probes| format_count(probes.into(), "probe"));
            let after = after.map(|window| format!("{} after the last segment", range(window)));
            let details: Vec<String> = probes.into_iter().chain(after).collect();
            let separator = if details.is_empty() { "" } else { ": " };
            format!("{}{separator}{}", outcome.name(), details.join(", "))
        }
        HostClaim::Error(errno) => errno.to_string(),
        HostClaim::Received(octets) => format_count(*octets, "octet"),
    }
}

fn count_in_words(count: Count) -> String {
    match count {
        Count::Exactly(count) => format_count(count, "segment"),
        Count::AtLeast(count) => format!("at least {}", format_count(count, "segment")),
        Count::AtMost(count) => format!("at most {}", format_count(count, "segment")),
    }
}

/// A time, or from when to when.
fn range(window: Window) -> String {
    const STEP: Duration = Duration::from_nanos(1);
    let [from, to] = [window.from, window.to].map(format_duration);
    if window.from == window.to {
        from
    } else if window.from == Duration::ZERO {
        // A nanosecond less than something is how `under` reads.
        match (window.to + STEP).subsec_micros() {
            0 if window.to.subsec_nanos() > 0 => format!("under {}", format_duration(window.to + STEP)),
            _ => format!("within {to}"),
        }
    } else {
        format!("between {from} and {to}")
    }
}
