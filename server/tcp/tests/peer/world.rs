//! Plays a case to its end, and says what must be true of it.

use std::time::Duration;

use halfopen_tcp::Instant;

use crate::application::{Application, Outcome};
use crate::host::{Halfopen, Host};
use crate::network::Network;
use crate::plan::Plan;
use crate::smoltcp_host::Smoltcp;

/// Whose TCP an end has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stack {
    Ours,
    Smoltcp,
}

/// No application may wait longer for its next octet or its end: Linux repeats data for 924 s, and RFC 9293's user
/// timeout of 300 s and TIME-WAIT of 240 s may follow one another.
const PATIENCE: Duration = Duration::from_secs(3600);

/// More than any case needs.
const MOST_DATAGRAMS: u64 = 200_000;

/// More than the largest buffer gives in one instant.
const MOST_AT_ONCE: u32 = 5_000;

struct World {
    now: Instant,
    network: Network,
    hosts: [Box<dyn Host>; 2],
    applications: [Application; 2],
    /// When an application last got on.
    progress: Instant,
    trace: bool,
}

/// Plays the case; an error says what is wrong.
pub(crate) fn run(plan: &Plan, stacks: [Stack; 2]) -> Result<(), String> {
    let host = |end: usize| -> Box<dyn Host> {
        match stacks[end] {
            Stack::Ours => Box::new(Halfopen::new(end, plan.seed, &plan.tunings[end])),
            Stack::Smoltcp => Box::new(Smoltcp::new(end, plan.seed, &plan.tunings[end])),
        }
    };
    let mut world = World {
        now: Instant::ZERO,
        network: Network::new(plan),
        hosts: [host(0), host(1)],
        applications: [0, 1].map(|end| Application::new(end, &plan.scripts[end], plan.tunings[end].lingers)),
        progress: Instant::ZERO,
        trace: std::env::var_os("PEER_TRACE").is_some(),
    };
    world.play().and_then(|()| world.judge(plan)).map_err(|what| world.explain(&what))
}

impl World {
    fn play(&mut self) -> Result<(), String> {
        self.settle(0)?;
        self.settle(1)?;
        while let Some(next) = self.next() {
            if next > self.progress + PATIENCE {
                return Err(format!("nobody got on since {}, and somebody waits for {next}", self.progress));
            }
            if self.network.sent() > MOST_DATAGRAMS {
                return Err("they talk for ever".to_owned());
            }
            self.now = next;
            if let Some((end, datagram)) = self.network.arrival(next) {
                self.show(end, "<-", &datagram);
                self.hosts[end].arrives(next, &datagram);
                self.settle(end)?;
                continue;
            }
            for end in [0, 1] {
                self.hosts[end].wake(next);
                self.settle(end)?;
            }
        }
        Ok(())
    }

    fn next(&mut self) -> Option<Instant> {
        let now = self.now;
        let applications = self.applications.iter().filter_map(Application::wakes_at);
        let timers = self.hosts.iter_mut().filter_map(|host| host.wakes_at(now));
        timers.chain(applications).chain(self.network.next()).min()
    }

    /// Lets an end's application and TCP do what they can now.
    fn settle(&mut self, end: usize) -> Result<(), String> {
        let peer = &self.applications[1 - end];
        let sent = (peer.written, peer.has_shut);
        let mut sent_now = 0;
        loop {
            let before = self.applications[end].progress();
            self.applications[end].run(self.now, self.hosts[end].as_mut(), sent)?;
            if self.applications[end].progress() != before {
                self.progress = self.now;
            }
            let mut idle = true;
            while let Some(datagram) = self.hosts[end].transmit(self.now) {
                idle = false;
                self.show(end, "->", &datagram);
                self.network.send(self.now, end, datagram);
                sent_now += 1;
                if sent_now > MOST_AT_ONCE {
                    return Err(format!("end {end} sends for ever"));
                }
            }
            if idle {
                return Ok(());
            }
        }
    }

    /// What must be true when nothing happens any more.
    fn judge(&mut self, plan: &Plan) -> Result<(), String> {
        for end in [0, 1] {
            let left = self.hosts[end].leftovers();
            if !left.is_empty() {
                return Err(format!("end {end} is stuck: {left:?}"));
            }
            let (this, peer) = (&self.applications[end], &self.applications[1 - end]);
            // An end that listens is told nothing of a connection that never was.
            if this.outcome.is_none() && (end == 0 || peer.outcome == Some(Outcome::Finished)) {
                return Err(format!("the application of end {end} waits for ever"));
            }
            if this.read == peer.written || this.outcome == Some(Outcome::Quit) {
                continue;
            }
            if this.outcome == Some(Outcome::Finished) {
                return Err(format!("end {end} finished without all that was written"));
            }
            if peer.outcome == Some(Outcome::Finished) && plan.tunings[1 - end].lingers {
                return Err(format!("end {} believes that end {end} has everything", 1 - end));
            }
        }
        Ok(())
    }

    fn explain(&mut self, what: &str) -> String {
        let hosts: Vec<String> = self.hosts.iter_mut().map(|host| host.describe()).collect();
        format!("{what}\nat {}\n{hosts:#?}\n{:#?}", self.now, self.applications)
    }

    /// One line a datagram, for whoever looks for a cause (`PEER_TRACE=1`).
    fn show(&self, end: usize, way: &str, datagram: &[u8]) {
        if !self.trace || datagram.len() < 40 {
            return;
        }
        let word = |at: usize| u32::from_be_bytes([0, 1, 2, 3].map(|offset| datagram[at + offset]));
        let header = usize::from(datagram[32] >> 4) * 4;
        let (seq, ack, flags) = (word(24), word(28), halfopen_tcp::Flags::from_bits(datagram[33]));
        let (window, payload) = (word(34) >> 16, datagram.len() as i64 - 20 - header as i64);
        println!("{} {end} {way} {flags} seq {seq} ack {ack} window {window} payload {payload}", self.now);
    }
}
