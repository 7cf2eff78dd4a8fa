//! A network that loses, repeats, reorders, damages and delays.

use std::collections::BTreeMap;
use std::time::Duration;

use halfopen_tcp::Instant;
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};

use crate::plan::{Path, Plan};

/// The datagrams between two ends, and the dice that decide about them.
pub(crate) struct Network {
    paths: [Path; 2],
    blackout: Option<(u32, u32)>,
    /// One for each direction, so that one does not change the other's luck.
    dice: [Pcg64Mcg; 2],
    /// By arrival and number: the end it goes to, its octets.
    flying: BTreeMap<(Instant, u64), (usize, Vec<u8>)>,
    sent: u64,
}

impl Network {
    pub(crate) fn new(plan: &Plan) -> Network {
        Network {
            paths: plan.paths,
            blackout: plan.blackout,
            dice: [plan.seed, !plan.seed].map(Pcg64Mcg::seed_from_u64),
            flying: BTreeMap::new(),
            sent: 0,
        }
    }

    /// How many datagrams there have been, copies included.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// When the next datagram arrives.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.flying.first_key_value().map(|((at, _), _)| *at)
    }

    /// The next datagram, if it is due, and whose it is.
    pub(crate) fn arrival(&mut self, now: Instant) -> Option<(usize, Vec<u8>)> {
        let entry = self.flying.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(entry.remove())
    }

    /// An end sends a datagram.
    pub(crate) fn send(&mut self, now: Instant, from: usize, octets: Vec<u8>) {
        let path = self.paths[from];
        let ms = now.as_nanos() / 1_000_000;
        let dark = self.blackout.is_some_and(|(from, to)| (u64::from(from)..u64::from(to)).contains(&ms));
        if self.happens(from, path.loss) || dark {
            return;
        }
        if self.happens(from, path.duplication) {
            self.fly(now, from, octets.clone());
        }
        self.fly(now, from, octets);
    }

    fn fly(&mut self, now: Instant, from: usize, mut octets: Vec<u8>) {
        let path = self.paths[from];
        if self.happens(from, path.corruption) {
            self.damage(from, &mut octets);
        }
        let late = if self.happens(from, path.straggling) { 60_000 } else { path.jitter_ms };
        let delay = u64::from(path.latency_ms) * 1000 + self.below(from, u64::from(late) * 1000 + 1);
        self.sent += 1;
        self.flying.insert((now + Duration::from_micros(delay), self.sent), (1 - from, octets));
    }

    /// One flipped bit, which no checksum misses, or a cut.
    fn damage(&mut self, from: usize, octets: &mut Vec<u8>) {
        let length = octets.len() as u64;
        if self.happens(from, 200) {
            octets.truncate(self.below(from, length) as usize);
        } else {
            let bit = self.below(from, length * 8) as usize;
            octets[bit / 8] ^= 1 << (bit % 8);
        }
    }

    fn happens(&mut self, from: usize, per_mille: u32) -> bool {
        per_mille > 0 && self.below(from, 1000) < u64::from(per_mille)
    }

    fn below(&mut self, from: usize, bound: u64) -> u64 {
        self.dice[from].next_u64() % bound
    }
}
