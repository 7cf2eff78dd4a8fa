//! The presets of middleboxes: the table in docs/middleboxes.md.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;
use std::{env, fs};

use halfopen_scenario::{MiddleboxSettings, Preset, TrackedState};

/// Where a value is from.
#[derive(Clone, Copy)]
enum Basis {
    /// A document or source code that is named.
    D(&'static str),
    /// Nothing that would say it: what is likely.
    U,
}

use Basis::{D, U};

const NLB: Basis =
    D("AWS blog, \"Introducing NLB TCP configurable idle timeout\" (2024): 350 s, 60 s to 6000 s can be set");
const NLB_RESET: Basis =
    D("AWS, Network Load Balancer, listeners: who sends after the idle timeout gets a RST");
const NAT: Basis = D("AWS VPC, NAT gateways: 350 s");
const NAT_RESET: Basis = D(
    "AWS VPC, NAT gateways: a RST, no FIN, to resources behind the gateway that go on (here: to either side)",
);
const AZURE: Basis =
    D("Microsoft Learn, load-balancer-tcp-reset: 4 min unless set, flows are silently dropped; \
    RSTs to both ends are to be asked for, here by `on-expiry: reset-both`");
const GCP: Basis = D("Google Cloud, tune-nat-configuration: established 1200 s, transitory 30 s");
const GCP_TIME_WAIT: Basis =
    D("Google Cloud, tune-nat-configuration: 120 s; gateways made since 2026-09-30 have 30 s");
const IPVS: Basis =
    D("Linux net/netfilter/ipvs/ip_vs_proto_tcp.c; the first and the third of `ipvsadm --set 900 120 300` \
    are ESTABLISHED and UDP, the second is FIN-WAIT");
const SWARM: Basis =
    D("moby#31208, moby#37466: lost between machines; on one machine a RST comes (moby#29655)");
const CONNTRACK: Basis =
    D("Linux Documentation/networking/nf_conntrack-sysctl.rst: nf_conntrack_tcp_timeout_*");
const LOOSE: Basis = D("the same: nf_conntrack_tcp_loose is on");
const LIBERAL: Basis = D(
    "the same: nf_conntrack_tcp_be_liberal is off, so it is INVALID; that this is dropped is the usual rule",
);

type Row = (&'static str, fn(&MiddleboxSettings) -> String, [Basis; 6]);

/// The columns are those of `Preset::ALL`: aws-nlb, aws-nat-gateway, azure-lb, gcp-nat, ipvs, linux-conntrack.
const ROWS: [Row; 13] = [
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
    ("`mss-clamp`", |s| s.mss_clamp.map_or("none".to_owned(), |mss| format!("{mss} B")), [U, U, U, U, U, U]),
];

fn idle(settings: &MiddleboxSettings, state: TrackedState) -> String {
    time(settings.idle.of(state))
}

fn time(time: Option<Duration>) -> String {
    time.map_or("never".to_owned(), |time| format!("{} s", time.as_secs()))
}

const HEAD: &str = "# Middleboxes

`preset: NAME` on a middlebox of a scenario gives it these numbers and choices; what else is said there changes single ones. What the words mean
is in [scenarios/README.md](../scenarios/README.md#middleboxes).

Behind each value stands how sure it is: **D** documented, or read from its source code; **U** unverified: nobody says it, and it is what is likely. The
sources are below the table.

This page is written by a test of `server/scenario`, from the code.

";

const TAIL: &str = "
## What a box does

A box sees a segment half way between two hosts, and does not know whether it arrives. Its states are those of Linux's nf_conntrack, for all
presets: ESTABLISHED means that the ACK of the SYN+ACK has passed. Every segment that passes starts the timer of its state again, keepalive probes too;
what passes without fitting the state (a SYN on an established connection) does not.

* **Forgetting.** At its time a connection is forgotten. `on-expiry: reset-both` sends a RST to both ends at that moment, unless the connection is
  over (TIME-WAIT, CLOSED). A run does not wait for boxes that forget silently.
* **The number of a RST** that answers a stray is the stray's own acknowledgment number, as RFC 9293 §3.10.7.1 has it: it is what its sender expects next, and is
  accepted at once. The one sent at expiry is the last acknowledgment that the box has seen of that end. If the end has received more since, whose
  acknowledgment was lost before the box, the number is too old and the RST is not used (RFC 5961 §3.2). If the number is inside the window but not
  the next one, the end sends a challenge ACK, which is a stray by then: with `strays: reset` it draws a RST with the right number.
* **Windows** are those of van Rooij's paper, as nf_conntrack has them, where `invalid` is not `pass`. They are not checked on connections that were adopted.
* **Untranslated.** Hosts here know each other by their own addresses. What passes untranslated gets as its source the address that the host would have behind
  the box (198.18.0.0/15 and 2001:2::/48, which are for tests); its receiver knows no such connection and answers with a RST, which the box
  brings to the host.
* **Faults.** `forget` loses the state of all connections, `blocks-new` lets no new ones pass, `power-loss` and `reboot` let nothing pass, and what the box
  knew is gone.

Every change is an event that names the box; what a box loses says so (`nat: no state`), and so does a RST that it sends (`by nat`).
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
