//! How things look: colours, and the characters of lifelines.

use anstyle::{AnsiColor, Style};
use halfopen_proto::v1::{HostState, TcpState};

use super::super::Life;
use super::canvas::PLAIN;

pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const BOLD: Style = Style::new().bold();
pub(super) const BAD: Style = AnsiColor::Red.on_default();
pub(super) const FAULT: Style = AnsiColor::Magenta.on_default();
const OPEN: Style = AnsiColor::Green.on_default();
const BETWEEN: Style = AnsiColor::Yellow.on_default();

pub(super) const fn of_state(state: TcpState) -> Style {
    match state {
        TcpState::Unspecified | TcpState::Closed => DIM,
        TcpState::Listen | TcpState::Established => OPEN,
        TcpState::SynSent
        | TcpState::SynReceived
        | TcpState::FinWait1
        | TcpState::FinWait2
        | TcpState::CloseWait
        | TcpState::Closing
        | TcpState::LastAck
        | TcpState::TimeWait => BETWEEN,
    }
}

/// A lifeline where nothing is beside it: thick while a connection is established, dotted while there is none, dashed while
/// the host stands still, nothing while it is down.
pub(super) const fn lifeline(life: Life) -> (char, Style) {
    let established = matches!(life.state, Some(TcpState::Established));
    let style = match (life.host, life.state) {
        (HostState::Frozen | HostState::Paused, _) => FAULT,
        (_, Some(state)) => of_state(state),
        (_, None) => DIM,
    };
    let character = match (life.host, life.state) {
        (HostState::Down, _) => ' ',
        (HostState::Frozen, _) => {
            if established {
                '┇'
            } else {
                '┆'
            }
        }
        (HostState::Paused, _) => {
            if established {
                '╏'
            } else {
                '╎'
            }
        }
        (HostState::Up | HostState::Unspecified, None) => '┊',
        (HostState::Up | HostState::Unspecified, Some(_)) => {
            if established {
                '┃'
            } else {
                '│'
            }
        }
    };
    (character, style)
}

/// What is at a lifeline in some row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Joint {
    pub(super) left: bool,
    pub(super) right: bool,
}

/// A lifeline with something that begins there, or crosses it.
pub(super) const fn joint(life: Life, joint: Joint) -> (char, Style) {
    let (plain, style) = lifeline(life);
    let thick = matches!(plain, '┃' | '┇' | '╏');
    let character = match (joint.left, joint.right) {
        (false, false) => plain,
        (true, true) => match plain {
            ' ' => '─',
            _ if thick => '╂',
            _ => '┼',
        },
        (true, false) => {
            if thick {
                '┨'
            } else {
                '┤'
            }
        }
        (false, true) => {
            if thick {
                '┠'
            } else {
                '├'
            }
        }
    };
    (character, if plain == ' ' { PLAIN } else { style })
}
