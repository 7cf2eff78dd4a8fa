//! What goes wrong.

use std::net::IpAddr;
use std::time::Duration;

use schemars::{JsonSchema, Schema};
use serde::Deserialize;

use super::items::items;
use super::{BlackHole, Cut, Forgery, Given, HostInState, Match, NewFields, Opt, Processes};
use crate::Field;
use crate::de::Spanned;
use crate::forms;
use crate::parse::{Mistake, Parse, Scalar, Switch, expected};
use crate::quantity::{Probability, Size};

/// The name of a host or a middlebox.
type Name = Scalar<String>;

items! {
    /// A fault: one word for what goes wrong, and beside it how, which and when.
    enum Fault { all: when: When = "+when" }

    /// Segments are lost.
    struct Drop {
        /// These segments are lost.
        pub(crate) drop: Given<Match>,
        #[serde(rename = "+which")]
        pub(crate) which: Which,
    }

    /// Segments take longer.
    struct Delay {
        /// These segments take longer.
        pub(crate) delay: Given<Match>,
        /// How much longer they take.
        pub(crate) by: Opt<Duration>,
        #[serde(rename = "+which")]
        pub(crate) which: Which,
    }

    /// Segments arrive more than once.
    struct Duplicate {
        /// These segments arrive more than once.
        pub(crate) duplicate: Given<Match>,
        /// The number of additional copies: 1 by default.
        pub(crate) copies: Opt<u32>,
        /// The time from one copy to the next: 0s by default.
        pub(crate) spacing: Opt<Duration>,
        #[serde(rename = "+which")]
        pub(crate) which: Which,
    }

    /// Segments are overtaken.
    struct Reorder {
        /// These segments arrive after later ones.
        pub(crate) reorder: Given<Match>,
        /// How many later segments of the same direction arrive first: 1 by default.
        pub(crate) behind: Opt<u32>,
        #[serde(rename = "+which")]
        pub(crate) which: Which,
    }

    /// Bits of segments are flipped.
    struct Corrupt {
        /// Bits of these segments are flipped on the way, so that their checksum is wrong.
        pub(crate) corrupt: Given<Match>,
        /// The number of adjacent bits that are flipped: 1 by default, 15 at most.
        pub(crate) bits: Opt<u32>,
        /// The part of the segment whose bits are flipped: any by default.
        pub(crate) field: Opt<Field>,
        #[serde(rename = "+which")]
        pub(crate) which: Which,
    }

    /// Fields of segments are rewritten.
    struct Rewrite {
        /// Fields of these segments are rewritten on the way.
        pub(crate) rewrite: Given<Match>,
        /// The new values.
        pub(crate) set: Option<Spanned<NewFields>>,
        #[serde(rename = "+which")]
        pub(crate) which: Which,
    }

    /// A router cannot deliver segments.
    struct Unreachable {
        /// These segments are lost, and a router tells their sender by ICMP.
        pub(crate) unreachable: Given<Match>,
        /// What the router cannot reach: `host` by default.
        pub(crate) code: Opt<crate::Unreachable>,
        /// The MTU that the router reports, with `code: fragmentation-needed`.
        pub(crate) mtu: Opt<Size>,
        #[serde(rename = "+which")]
        pub(crate) which: Which,
    }

    /// A forged segment arrives.
    struct Inject {
        /// A segment that no host sent arrives.
        pub(crate) inject: Given<Forgery>,
    }

    /// A host or middlebox loses power.
    struct PowerLoss {
        /// This host or middlebox loses power and never returns.
        pub(crate) power_loss: Given<Name>,
    }

    /// A host or middlebox restarts.
    struct Reboot {
        /// This host or middlebox loses power, and returns without any state.
        pub(crate) reboot: Given<Name>,
        /// How long it is down.
        pub(crate) back_after: Opt<Duration>,
    }

    /// Processes die.
    struct Kill {
        /// The processes of this host die, or one list of it: `{server: old}`. Its kernel closes their sockets.
        pub(crate) kill: Given<Processes>,
        /// When they start again: never by default.
        pub(crate) restarts_after: Opt<Duration>,
    }

    /// Processes stop.
    struct Freeze {
        /// The processes of this host stop; its kernel keeps running.
        pub(crate) freeze: Given<Name>,
        /// When they continue: never by default.
        pub(crate) resumes_after: Opt<Duration>,
    }

    /// A host stops.
    struct Pause {
        /// This host stops, its kernel included.
        pub(crate) pause: Given<Name>,
        /// When it continues: never by default.
        pub(crate) resumes_after: Opt<Duration>,
        /// Whether its clock keeps running meanwhile: `runs` by default.
        pub(crate) clock: Opt<PausedClock>,
    }

    /// A clock jumps.
    struct ClockJump {
        /// The clock of this host jumps forward.
        pub(crate) clock_jump: Given<Name>,
        /// How far it jumps.
        pub(crate) by: Opt<Duration>,
    }

    /// A cable is pulled.
    struct CablePull {
        /// The network cable of this host is pulled.
        pub(crate) cable_pull: Given<Name>,
        /// When it is plugged in again: never by default.
        pub(crate) replug_after: Opt<Duration>,
    }

    /// Large datagrams vanish.
    struct Blackhole {
        /// IP datagrams larger than this vanish.
        pub(crate) blackhole: Given<BlackHole>,
        /// When this ends: never by default.
        pub(crate) heals_after: Opt<Duration>,
    }

    /// Hosts cannot reach one another.
    struct Partition {
        /// Nothing gets through between these hosts, from one to the other, or between one and all others.
        pub(crate) partition: Given<Cut>,
        /// When this ends: never by default.
        pub(crate) heals_after: Opt<Duration>,
    }

    /// An address changes hands.
    struct MoveAddress {
        /// This address moves to another host, as a virtual address does at a failover.
        pub(crate) move_address: Given<Scalar<IpAddr>>,
        /// The host that loses it: by default, the one that has it.
        pub(crate) from: Opt<String>,
        /// The host that gets it.
        pub(crate) to: Opt<String>,
        /// Whether the network learns of it: `on` by default.
        pub(crate) announced: Opt<Switch>,
        /// When the host that had it has it again: never by default.
        pub(crate) returns_after: Opt<Duration>,
    }

    /// An address is lost.
    struct LoseAddress {
        /// The host that has this address loses it, as a phone does that leaves a Wi-Fi network.
        pub(crate) lose_address: Given<Scalar<IpAddr>>,
        /// That host.
        pub(crate) from: Opt<String>,
        /// When it has the address again: never by default.
        pub(crate) returns_after: Opt<Duration>,
    }

    /// A middlebox forgets.
    struct Forget {
        /// This middlebox loses the state of all connections.
        pub(crate) forget: Given<Name>,
    }

    /// A middlebox makes no new state.
    struct BlocksNew {
        /// This middlebox lets no new connection through.
        pub(crate) blocks_new: Given<Name>,
        /// When it does so again: never by default.
        pub(crate) unblocks_after: Opt<Duration>,
    }
}

impl Fault {
    /// Which of the segments it is about, if it is about segments.
    pub(crate) fn which(&self) -> Option<&Which> {
        match self {
            Fault::Drop(it) => Some(&it.which),
            Fault::Delay(it) => Some(&it.which),
            Fault::Duplicate(it) => Some(&it.which),
            Fault::Reorder(it) => Some(&it.which),
            Fault::Corrupt(it) => Some(&it.which),
            Fault::Rewrite(it) => Some(&it.which),
            Fault::Unreachable(it) => Some(&it.which),
            Fault::Inject(_)
            | Fault::PowerLoss(_)
            | Fault::Reboot(_)
            | Fault::Kill(_)
            | Fault::Freeze(_)
            | Fault::Pause(_)
            | Fault::ClockJump(_)
            | Fault::CablePull(_)
            | Fault::Blackhole(_)
            | Fault::Partition(_)
            | Fault::MoveAddress(_)
            | Fault::LoseAddress(_)
            | Fault::Forget(_)
            | Fault::BlocksNew(_) => None,
        }
    }
}

/// Which of the segments that match.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(crate) struct Which {
    /// How many matches pass before any counts.
    pub(crate) skip: Opt<u32>,
    /// Only the first N matches.
    pub(crate) first: Opt<u32>,
    /// Only the Nth match, counted from 1.
    pub(crate) nth: Opt<u32>,
    /// Only every Nth match.
    pub(crate) every: Opt<u32>,
    /// Each match with this probability.
    pub(crate) probability: Opt<Probability>,
    /// Only from the first of these times until the second.
    pub(crate) between: Option<Spanned<Vec<Scalar<Duration>>>>,
}

/// When a fault happens.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(crate) struct When {
    /// When it happens; for segments, from when on.
    pub(crate) at: Opt<Duration>,
    /// While this host has a connection in this state.
    pub(crate) when: Option<HostInState>,
    /// Once the state has lasted this long.
    pub(crate) r#for: Opt<Duration>,
    /// Whether the run may pass if this never happens.
    pub(crate) may_not_happen: Opt<Switch>,
}

/// What the clock of a paused host does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PausedClock {
    Runs,
    Stops,
}

impl Parse for PausedClock {
    const WHAT: &'static str = "`runs` or `stops`";

    fn schema() -> Schema {
        forms::words(["runs", "stops"])
    }

    fn parse(text: &str) -> Result<PausedClock, Mistake> {
        match text {
            "runs" => Ok(PausedClock::Runs),
            "stops" => Ok(PausedClock::Stops),
            _ => Err(expected::<PausedClock>(text)),
        }
    }
}
