//! The presets of middleboxes: the table in docs/middleboxes.md.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;
use std::{env, fs};

use halfopen_scenario::{MiddleboxSettings, Preset, TrackedState};

/// The source of a value.
#[derive(Clone, Copy)]
enum Basis {
    /// The named document or source code.
    D(&'static str),
    /// No source: a plausible value.
    U,
}

use Basis::{D, U};

const NLB: Basis = D(
    "AWS blog, \"Introducing NLB TCP configurable idle timeout\" (2024): 350 s, configurable from 60 s to 6000 s",
);
const NLB_RESET: Basis =
    D("AWS, Network Load Balancer, listeners: a segment after the idle timeout is answered by a RST");
const NAT: Basis = D("AWS VPC, NAT gateways: 350 s");
const NAT_RESET: Basis = D(
    "AWS VPC, NAT gateways: a RST, no FIN, to resources behind the gateway that continue (here: to either side)",
);
const AZURE: Basis =
    D("Microsoft Learn, load-balancer-tcp-reset: 4 min by default, flows are silently dropped; \
    RSTs to both ends are optional, here with `on-expiry: reset-both`");
const GCP: Basis = D("Google Cloud, tune-nat-configuration: established 1200 s, transitory 30 s");
const GCP_TIME_WAIT: Basis =
    D("Google Cloud, tune-nat-configuration: 120 s; gateways created since 2026-09-30 have 30 s");
const IPVS: Basis =
    D("Linux net/netfilter/ipvs/ip_vs_proto_tcp.c; the first and the third of `ipvsadm --set 900 120 300` \
    are ESTABLISHED and UDP, the second is FIN-WAIT");
const SWARM: Basis =
    D("moby#31208, moby#37466: lost between machines; on one machine, answered by a RST (moby#29655)");
const IPVS_REUSE: Basis =
    D("Linux net/netfilter/ipvs/ip_vs_core.c since 5.9; before, with `conn_reuse_mode` 1 and connection \
    tracking: `on-reuse: drop-first-syn`");
const CONNTRACK_REUSE: Basis =
    D("Linux net/netfilter/nf_conntrack_proto_tcp.c: a SYN in TIME_WAIT opens a new connection");
const CONNTRACK: Basis =
    D("Linux Documentation/networking/nf_conntrack-sysctl.rst: nf_conntrack_tcp_timeout_*");
const LOOSE: Basis = D("the same: nf_conntrack_tcp_loose is on");
const LIBERAL: Basis =
    D("the same: nf_conntrack_tcp_be_liberal is off, so it is INVALID, which rules usually drop");

type Row = (&'static str, fn(&MiddleboxSettings) -> String, [Basis; 6]);

/// The columns are those of `Preset::ALL`: aws-nlb, aws-nat-gateway, azure-lb, gcp-nat, ipvs, linux-conntrack.
const ROWS: [Row; 14] = [
    ("`idle`: `syn-sent`", |s| idle(s, TrackedState::SynSent), [U, U, U, GCP, IPVS, CONNTRACK]),
    ("`syn-received`", |s| idle(s, TrackedState::SynReceived), [U, U, U, GCP, IPVS, CONNTRACK]),
    ("`established`", |s| idle(s, TrackedState::Established), [NLB, NAT, AZURE, GCP, IPVS, CONNTRACK]),
    ("`fin-wait`", |s| idle(s, TrackedState::FinWait), [U, U, U, GCP, IPVS, CONNTRACK]),
    ("`close-wait`", |s| idle(s, TrackedState::CloseWait), [U, U, U, GCP, IPVS, CONNTRACK]),
    ("`last-ack`", |s| idle(s, TrackedState::LastAck), [U, U, U, GCP, IPVS, CONNTRACK]),
    ("`time-wait`", |s| idle(s, TrackedState::TimeWait), [U, U, U, GCP_TIME_WAIT, IPVS, CONNTRACK]),
    ("`closed`", |s| idle(s, TrackedState::Closed), [U, U, U, U, IPVS, CONNTRACK]),
    ("`unacknowledged`", |s| time(s.idle.unacknowledged), [U, U, U, U, IPVS, CONNTRACK]),
    ("`on-expiry`", |s| s.on_expiry.name().to_owned(), [NLB_RESET, NAT_RESET, AZURE, U, SWARM, CONNTRACK]),
    ("`strays`", |s| s.strays.name().to_owned(), [NLB_RESET, NAT_RESET, AZURE, U, SWARM, LOOSE]),
    ("`invalid`", |s| s.invalid.name().to_owned(), [U, U, U, U, U, LIBERAL]),
    ("`on-reuse`", |s| s.on_reuse.name().to_owned(), [U, U, U, U, IPVS_REUSE, CONNTRACK_REUSE]),
    ("`mss-clamp`", |s| s.mss_clamp.map_or("none".to_owned(), |mss| format!("{mss} B")), [U, U, U, U, U, U]),
];

fn idle(settings: &MiddleboxSettings, state: TrackedState) -> String {
    time(settings.idle.of(state))
}

fn time(time: Option<Duration>) -> String {
    time.map_or("never".to_owned(), |time| format!("{} s", time.as_secs()))
}

const HEAD: &str = "# Middleboxes

`preset: NAME` on a middlebox of a scenario gives it these settings; other keys override single ones. [scenarios/README.md](../scenarios/README.md#middleboxes)
explains the keys.

The letter after each value shows its certainty: **D** documented, or read from source code; **U** unverified: a plausible value without a
source. The sources are below the table.

A test of `server/scenario` generates this page from the code.

";

const TAIL: &str = "
## How a middlebox works

A middlebox sees a segment half way between two hosts, and does not know whether it arrives. For all presets, its states are those of Linux's
nf_conntrack: ESTABLISHED means that the ACK of the SYN+ACK has passed. Every segment that passes restarts the timer of its state, including
keepalive probes, except for a segment that does not fit the state (such as a SYN on an established connection).

* **Expiry.** When the idle time has passed, the connection is forgotten. `on-expiry: reset-both` sends a RST to both ends at that moment, unless
  the connection is closed already (TIME-WAIT, CLOSED). A run does not wait for middleboxes that forget silently.
* **Sequence numbers of RSTs.** A RST that answers a stray has the acknowledgment number of the stray, as RFC 9293 §3.10.7.1 requires; the sender of
  the stray expects exactly this number, and accepts the RST. A RST at expiry has the last acknowledgment number that the middlebox saw from
  that end. If the end has received more since then, and its acknowledgment was lost before the middlebox, the number is too old, and the RST
  is ignored (RFC 5961 §3.2). If the number is inside the window, but not the next one, the end sends a challenge ACK, which is now a stray:
  with `strays: reset`, it is answered by a RST with the right number.
* **Windows** are those of van Rooij's paper, as in nf_conntrack, if `invalid` is not `pass`. They are not checked on adopted connections.
* **Untranslated segments.** Hosts know each other by their own addresses. An untranslated segment gets as its source the address that the host
  would have behind the middlebox (198.18.0.0/15 and 2001:2::/48, which are reserved for tests). Its receiver has no such connection, and
  answers with a RST, which the middlebox forwards to the host.
* **Translation.** With `translates`, a connection from behind the middlebox gets a port of the shared address, as in RFC 3022: its own, if that is
  free (Linux), or else the next free one. A port may stand for one connection to each address and port beyond (RFC 4787 §4.1: address and
  port-dependent mapping). It is free again when the middlebox forgets the connection. A segment from outside that no such port belongs to is a
  stray; `untranslated`, it is for the middlebox itself, which answers with a RST. An untranslated segment from behind shows the address of its
  host. Addresses of the other IP version are not translated.
* **Sequence numbers.** With `sequence-numbers: randomised`, a middlebox moves those of each end from its SYN on, and back what the other end
  acknowledges. When it forgets the connection, the ends no longer understand each other's numbers, also if it adopts the connection again.
* **Faults.** `forget` removes the state of all connections, and `blocks-new` blocks new ones. With `power-loss` and `reboot`, nothing passes, and the
  state is gone.

Every change is an event with the name of the middlebox. A segment that it drops shows the reason (`nat: no state`), and a RST that it sends shows
its name (`by nat`).
";

#[test]
fn the_table_in_the_docs_is_what_the_presets_have() {
    let mut text = HEAD.to_owned() + "|  |";
    for preset in Preset::ALL {
        write!(text, " {} |", preset.name()).unwrap();
    }
    text.push_str("\n|---|---|---|---|---|---|---|\n");
    let mut sources = String::new();
    for (name, value, bases) in ROWS {
        write!(text, "| {name} |").unwrap();
        let mut named = Vec::new();
        for (preset, basis) in Preset::ALL.into_iter().zip(bases) {
            let (letter, source) = match basis {
                D(source) => ("D", Some(source)),
                U => ("U", None),
            };
            write!(text, " {} {letter} |", value(&preset.settings())).unwrap();
            named.extend(source.map(|source| (preset, source)));
        }
        text.push('\n');
        for (preset, source) in named {
            let line = format!("* {}: {source}\n", preset.name());
            if !sources.contains(&line) {
                sources.push_str(&line);
            }
        }
    }
    write!(text, "\n## Sources\n\n{sources}{TAIL}").unwrap();

    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/middleboxes.md");
    if env::var_os("SNAPSHOTS").is_some_and(|value| value == "overwrite") {
        fs::write(&file, &text).unwrap();
    }
    let help =
        "the presets have changed: SNAPSHOTS=overwrite cargo test -p halfopen-scenario --test middleboxes";
    assert_eq!(fs::read_to_string(&file).unwrap_or_default(), text, "{help}");
}

/// The numbers that everybody quotes.
#[test]
fn presets_have_the_numbers_that_are_known() {
    let seconds = |preset: Preset, state| preset.settings().idle.of(state).unwrap().as_secs();
    let established = [350, 350, 240, 1200, 900, 432_000];
    for (preset, expected) in Preset::ALL.into_iter().zip(established) {
        assert_eq!(seconds(preset, TrackedState::Established), expected, "{}", preset.name());
    }
    assert_eq!(seconds(Preset::LinuxConntrack, TrackedState::CloseWait), 60);
    assert_eq!(seconds(Preset::GcpNat, TrackedState::TimeWait), 120);
    assert_eq!(seconds(Preset::Ipvs, TrackedState::FinWait), 120);
}
