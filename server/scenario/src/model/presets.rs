//! Real middleboxes. The sources of their numbers are in docs/middleboxes.md.

use std::time::Duration;

use super::{IdleTimes, Invalid, MiddleboxSettings, OnExpiry, Strays, TrackedState};

/// A real middlebox with its settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Preset {
    /// Network Load Balancer of Amazon Web Services.
    AwsNlb,
    /// NAT gateway of Amazon Web Services.
    AwsNatGateway,
    /// Azure Load Balancer.
    AzureLb,
    /// Cloud NAT of Google Cloud.
    GcpNat,
    /// Linux's IP virtual server, as Docker's swarm and kube-proxy use it.
    Ipvs,
    /// Linux's connection tracking, under every iptables or nftables NAT.
    LinuxConntrack,
}

impl Preset {
    /// All of them.
    pub const ALL: [Preset; 6] = [
        Preset::AwsNlb,
        Preset::AwsNatGateway,
        Preset::AzureLb,
        Preset::GcpNat,
        Preset::Ipvs,
        Preset::LinuxConntrack,
    ];

    /// The word for it in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            Preset::AwsNlb => "aws-nlb",
            Preset::AwsNatGateway => "aws-nat-gateway",
            Preset::AzureLb => "azure-lb",
            Preset::GcpNat => "gcp-nat",
            Preset::Ipvs => "ipvs",
            Preset::LinuxConntrack => "linux-conntrack",
        }
    }

    /// What it does.
    pub fn settings(self) -> MiddleboxSettings {
        let alike = |seconds| IdleTimes::all(Duration::from_secs(seconds));
        let silent = MiddleboxSettings::default();
        match self {
            Preset::AwsNlb | Preset::AwsNatGateway => {
                MiddleboxSettings { idle: alike(350), strays: Strays::Reset, ..silent }
            }
            Preset::AzureLb => MiddleboxSettings { idle: alike(240), on_expiry: OnExpiry::Silent, ..silent },
            Preset::GcpNat => {
                MiddleboxSettings { idle: by_state([30, 30, 1200, 30, 30, 30, 120, 30]), ..silent }
            }
            Preset::Ipvs => {
                MiddleboxSettings { idle: by_state([120, 60, 900, 120, 60, 30, 120, 10]), ..silent }
            }
            Preset::LinuxConntrack => {
                let mut idle = by_state([120, 60, 432_000, 120, 60, 30, 120, 10]);
                idle.unacknowledged = Some(Duration::from_secs(300));
                MiddleboxSettings { idle, strays: Strays::Adopt, invalid: Invalid::Drop, ..silent }
            }
        }
    }
}

/// Seconds, in the order of [`TrackedState::ALL`].
fn by_state(seconds: [u64; TrackedState::ALL.len()]) -> IdleTimes {
    let mut idle = IdleTimes::default();
    for (state, seconds) in TrackedState::ALL.into_iter().zip(seconds) {
        idle.set(state, Some(Duration::from_secs(seconds)));
    }
    idle
}
