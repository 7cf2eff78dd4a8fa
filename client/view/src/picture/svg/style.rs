//! The colours of drawings, for light and dark, and what has which.

use std::fmt::Write as _;

use halfopen_proto::v1::TcpState;

use crate::picture::NoteKind;

/// What is drawn in a colour of its own: the class, the colour on white and the colour on black. Each has a contrast of at
/// least 4.5 with its background.
const COLOURS: [(&str, &str, &str); 9] = [
    ("paper", "#ffffff", "#0d1117"),
    ("ink", "#1f2328", "#e6edf3"),
    ("dim", "#59636e", "#9198a1"),
    ("opening", "#0969da", "#58a6ff"),
    ("open", "#1a7f37", "#3fb950"),
    ("closing", "#8a5a00", "#d9a026"),
    ("waiting", "#8250df", "#b083f0"),
    ("bad", "#cf222e", "#ff6a61"),
    ("fault", "#b3257b", "#f07ebf"),
];

/// Everything else about how drawings look. Everything is drawn in the current colour, which its class says.
const RULES: &str = "\
svg.halfopen text{font:12px ui-sans-serif,system-ui,-apple-system,\"Segoe UI\",Helvetica,Arial,sans-serif;fill:currentColor}\
svg.halfopen .strong{font-weight:600}\
svg.halfopen .time{font-size:11px;font-variant-numeric:tabular-nums}\
svg.halfopen .state{font-size:11px;font-weight:600;letter-spacing:.02em}\
svg.halfopen .halo{paint-order:stroke;stroke-width:4px;stroke-linejoin:round}\
svg.halfopen .shaft{fill:none;stroke:currentColor;stroke-width:1.3}\
svg.halfopen .data{stroke-width:2.2}\
svg.halfopen .again{stroke-dasharray:7 3}\
svg.halfopen .asks{stroke-dasharray:2 3}\
svg.halfopen .beyond{stroke-dasharray:1 5;stroke-width:1;opacity:.7}\
svg.halfopen .hair{fill:none;stroke:currentColor;stroke-width:1;opacity:.45}\
svg.halfopen .fill{fill:currentColor}\
svg.halfopen .thick{fill:none;stroke:currentColor;stroke-width:2}\
svg.halfopen g:target text{text-decoration:underline;text-decoration-thickness:2px}";

/// The style sheet of a drawing, which is also that of a page with drawings in it.
pub(crate) fn sheet() -> String {
    let mut sheet = RULES.to_owned();
    let mut dark = String::new();
    for (class, light, black) in COLOURS {
        let (class, place) = if class == "ink" { ("", "") } else { (class, " .") };
        // A string takes everything.
        let _ = write!(sheet, "svg.halfopen{place}{class}{{color:{light}}}");
        let _ = write!(dark, "svg.halfopen{place}{class}{{color:{black}}}");
        if class == "paper" {
            let _ = write!(sheet, "svg.halfopen .halo{{stroke:{light}}}");
            let _ = write!(dark, "svg.halfopen .halo{{stroke:{black}}}");
        }
    }
    let _ = write!(sheet, "@media screen and (prefers-color-scheme:dark){{{dark}}}");
    sheet
}

/// The class of a state.
pub(crate) const fn state(state: TcpState) -> &'static str {
    match state {
        TcpState::Unspecified | TcpState::Closed | TcpState::Listen => "dim",
        TcpState::SynSent | TcpState::SynReceived => "opening",
        TcpState::Established => "open",
        TcpState::FinWait1
        | TcpState::FinWait2
        | TcpState::CloseWait
        | TcpState::Closing
        | TcpState::LastAck => "closing",
        TcpState::TimeWait => "waiting",
    }
}

/// The class of a note.
pub(super) const fn note(kind: NoteKind) -> &'static str {
    match kind {
        NoteKind::Transition | NoteKind::Timer | NoteKind::Application | NoteKind::End => "dim",
        NoteKind::Keepalive | NoteKind::Middlebox => "closing",
        NoteKind::Failed | NoteKind::Error | NoteKind::Unreachable => "bad",
        NoteKind::Fault => "fault",
    }
}
