//! What a segment must be to match, as the scenario language writes it.

use halfopen_proto::v1::{
    FlagsMatch, OptionMatch, OrderClaim, OrderItem, SegmentMatch, SizeMatch, size_match,
};
use halfopen_units::format_size;

use super::{flags, state};

/// An order of segments: `[SYN, …, {from: server, flags: FIN}]`.
pub(super) fn order(claim: &OrderClaim) -> String {
    let item = |item: &OrderItem| item.segment.as_ref().map_or_else(|| "…".to_owned(), segment);
    let items: Vec<String> = claim.items.iter().map(item).collect();
    format!("[{}]", items.join(", "))
}

/// Control bits alone, or the keys that are set.
fn segment(matching: &SegmentMatch) -> String {
    let bits = matching.flags.as_ref().map(flags_match);
    if let Some(bits) = &bits
        && *matching == (SegmentMatch { flags: matching.flags, ..SegmentMatch::default() })
    {
        return bits.clone();
    }
    let name = |name: &str| (!name.is_empty()).then(|| name.to_owned());
    let switch = |on: bool| if on { "on" } else { "off" }.to_owned();
    let payload = matching.payload.as_ref().map(|payload| match payload.size {
        Some(size_match::Size::Exactly(0)) => "none".to_owned(),
        Some(size_match::Size::LargerThan(0)) => "any".to_owned(),
        Some(_) | None => size(payload),
    });
    let keys = [
        ("from", name(&matching.sender)),
        ("to", name(&matching.receiver)),
        ("on", name(&matching.connection)),
        ("flags", bits),
        ("payload", payload),
        ("size", matching.size.as_ref().map(size)),
        ("sequence", matching.sequence.map(|number| number.to_string())),
        ("acknowledgment", matching.acknowledgment.map(|number| number.to_string())),
        ("state", matching.state.as_ref().map(|at| format!("{{{}: {}}}", at.host, state(at.state())))),
        ("window", matching.window.as_ref().map(size)),
        ("mss", matching.mss.as_ref().map(|mss| option(mss, |mss| format_size(mss.into())))),
        (
            "window-scale",
            matching.window_scale.as_ref().map(|shift| option(shift, |shift| shift.to_string())),
        ),
        ("sack-permitted", matching.sack_permitted.map(switch)),
        ("sack", matching.sack.map(switch)),
        ("timestamps", matching.timestamps.map(switch)),
        ("retransmission", matching.retransmission.map(switch)),
        ("keepalive-probe", matching.keepalive_probe.map(switch)),
        ("window-probe", matching.window_probe.map(switch)),
    ];
    let keys = keys.into_iter().filter_map(|(key, value)| Some(format!("{key}: {}", value?)));
    format!("{{{}}}", keys.collect::<Vec<_>>().join(", "))
}

fn flags_match(matching: &FlagsMatch) -> String {
    let bits = flags(matching.flags.unwrap_or_default());
    if matching.only { format!("only {bits}") } else { bits }
}

fn option(matching: &OptionMatch, value: impl FnOnce(u32) -> String) -> String {
    matching.value.map_or_else(|| "off".to_owned(), value)
}

fn size(matching: &SizeMatch) -> String {
    match matching.size {
        Some(size_match::Size::Exactly(size)) => format_size(size),
        Some(size_match::Size::LargerThan(than)) => format!("larger than {}", format_size(than)),
        Some(size_match::Size::SmallerThan(than)) => format!("smaller than {}", format_size(than)),
        None => "any".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use halfopen_proto::v1::{StateMatch, TcpFlags, TcpState};

    use super::*;

    #[test]
    fn an_order_is_written_as_in_the_scenario() {
        let bits =
            |only| Some(FlagsMatch { flags: Some(TcpFlags { syn: true, ..TcpFlags::default() }), only });
        let sized = |size| Some(SizeMatch { size: Some(size) });
        let item = |segment| OrderItem { segment: Some(segment) };
        let cases = [
            (OrderItem::default(), "…"),
            (item(SegmentMatch { flags: bits(false), ..SegmentMatch::default() }), "SYN"),
            (item(SegmentMatch { flags: bits(true), ..SegmentMatch::default() }), "only SYN"),
            (
                item(SegmentMatch { sender: "a".into(), flags: bits(false), ..SegmentMatch::default() }),
                "{from: a, flags: SYN}",
            ),
            (
                item(SegmentMatch {
                    payload: sized(size_match::Size::Exactly(0)),
                    size: sized(size_match::Size::LargerThan(1024)),
                    window_probe: Some(false),
                    ..SegmentMatch::default()
                }),
                "{payload: none, size: larger than 1 KiB, window-probe: off}",
            ),
            (
                item(SegmentMatch {
                    state: Some(StateMatch { host: "b".into(), state: TcpState::TimeWait.into() }),
                    sequence: Some(0),
                    ..SegmentMatch::default()
                }),
                "{sequence: 0, state: {b: TIME-WAIT}}",
            ),
            (
                item(SegmentMatch {
                    window: sized(size_match::Size::SmallerThan(1024)),
                    mss: Some(OptionMatch { value: Some(1460) }),
                    window_scale: Some(OptionMatch { value: None }),
                    timestamps: Some(true),
                    ..SegmentMatch::default()
                }),
                "{window: smaller than 1 KiB, mss: 1460 B, window-scale: off, timestamps: on}",
            ),
        ];
        for (item, expected) in cases {
            assert_eq!(order(&OrderClaim { items: vec![item] }), format!("[{expected}]"));
        }
    }
}
