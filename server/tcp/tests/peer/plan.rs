//! What a case is made of: everything random is drawn here, so that a failing case shrinks and can be pasted.

use halfopen_tcp::{CongestionAlgorithm, Profile};
use proptest::collection::vec;
use proptest::prelude::*;

/// A whole case. End 0 opens, end 1 listens.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Of the network's dice and of both ends' initial sequence numbers.
    pub(crate) seed: u64,
    /// From end 0 to end 1, and back.
    pub(crate) paths: [Path; 2],
    /// From this many milliseconds to those nothing arrives at all.
    pub(crate) blackout: Option<(u32, u32)>,
    pub(crate) tunings: [Tuning; 2],
    pub(crate) scripts: [Vec<Step>; 2],
}

/// One direction of the network. Chances are per mille of the datagrams.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path {
    pub(crate) latency_ms: u32,
    /// Up to so much more, which reorders.
    pub(crate) jitter_ms: u32,
    pub(crate) loss: u32,
    pub(crate) duplication: u32,
    /// One bit flipped, or the end cut off.
    pub(crate) corruption: u32,
    /// Up to a minute late.
    pub(crate) straggling: u32,
}

/// How one end's TCP is set up. smoltcp takes what it knows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tuning {
    pub(crate) profile: Profile,
    pub(crate) congestion: CongestionAlgorithm,
    pub(crate) receive_buffer: u32,
    pub(crate) send_buffer: u32,
    pub(crate) mtu: u16,
    pub(crate) window_scale: Option<u8>,
    pub(crate) timestamps: bool,
    pub(crate) sack: bool,
    pub(crate) nagle: bool,
    pub(crate) delayed_ack: bool,
    /// Whether the application closes only when the peer has everything, or TCP failed.
    pub(crate) lingers: bool,
}

/// Something the application does, so long after the step before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) after_ms: u32,
    pub(crate) action: Action,
}

/// What an application does. After its last step it reads to the end, finishes writing, shuts down and closes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    /// Begins to write so many octets more.
    Write(u32),
    /// May read so many octets more.
    Read(u32),
    /// Sends FIN behind what is to be written.
    Shutdown,
    /// Is gone, and reads no more.
    Close,
    /// Resets.
    Abort,
}

/// Any case.
pub(crate) fn plan() -> impl Strategy<Value = Plan> {
    let paths = prop_oneof![
        4 => [path(), path()],
        1 => Just([Path { latency_ms: 0, jitter_ms: 0, loss: 0, duplication: 0, corruption: 0, straggling: 0 }; 2]),
    ];
    let blackout = prop_oneof![
        6 => Just(None),
        1 => (0..5_000_u32, 0..60_000_u32).prop_map(|(from, length)| Some((from, from + length))),
        1 => (0..5_000_u32).prop_map(|from| Some((from, u32::MAX))),
    ];
    (any::<u64>(), paths, blackout, [tuning(), tuning()], [script(), script()]).prop_map(
        |(seed, paths, blackout, tunings, scripts)| Plan { seed, paths, blackout, tunings, scripts },
    )
}

fn path() -> impl Strategy<Value = Path> {
    let latency = prop_oneof![Just(0), 0..50_u32, 0..1000_u32];
    let jitter = prop_oneof![Just(0), 0..20_u32, 0..2000_u32];
    (latency, jitter, chance(300), chance(200), chance(200), chance(30)).prop_map(
        |(latency_ms, jitter_ms, loss, duplication, corruption, straggling)| Path {
            latency_ms,
            jitter_ms,
            loss,
            duplication,
            corruption,
            straggling,
        },
    )
}

fn chance(most: u32) -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), 0..=most / 10, 0..=most]
}

fn tuning() -> impl Strategy<Value = Tuning> {
    let buffer = || prop_oneof![1..3000_u32, 3000..70_000_u32, Just(65_536)];
    let mtu = prop_oneof![2 => Just(1500_u16), 1 => 200..1500_u16];
    let profile = proptest::sample::select(&Profile::ALL[..]);
    let congestion = proptest::sample::select(&CongestionAlgorithm::ALL[..]);
    let window_scale = prop_oneof![Just(None), (0..=14_u8).prop_map(Some)];
    let flags = any::<[bool; 5]>();
    (profile, congestion, buffer(), buffer(), mtu, window_scale, flags).prop_map(
        |(profile, congestion, receive_buffer, send_buffer, mtu, window_scale, flags)| {
            let [timestamps, sack, nagle, delayed_ack, lingers] = flags;
            Tuning {
                profile,
                congestion,
                receive_buffer,
                send_buffer,
                mtu,
                window_scale,
                timestamps,
                sack,
                nagle,
                delayed_ack,
                lingers,
            }
        },
    )
}

fn script() -> impl Strategy<Value = Vec<Step>> {
    let after = prop_oneof![3 => Just(0), 3 => 0..300_u32, 2 => 0..5_000_u32, 1 => 0..200_000_u32];
    let octets = || prop_oneof![4 => 1..2_000_u32, 2 => 1..20_000_u32];
    let action = prop_oneof![
        12 => octets().prop_map(Action::Write),
        8 => octets().prop_map(Action::Read),
        2 => Just(Action::Shutdown),
        1 => Just(Action::Close),
        1 => Just(Action::Abort),
    ];
    vec((after, action).prop_map(|(after_ms, action)| Step { after_ms, action }), 0..7)
}
