//! Random numbers: one seed for a run, split into named streams.
//!
//! Each purpose has a stream of its own (a host's initial sequence numbers, a fault's coin), so that adding a
//! fault to a scenario does not change what happens elsewhere.

use std::time::Duration;

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::Rng;

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub struct Stream(Pcg64Mcg);

impl Stream {
    /// The stream with this name under the seed of a run.
    pub fn new(seed: u64, name: &str) -> Stream {
        let low = mix(seed ^ hash(name));
        let high = mix(low ^ seed);
        Stream(Pcg64Mcg::new(u128::from(high) << 64 | u128::from(low)))
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number from 0 (included) to 1 (excluded).
    pub fn unit(&mut self) -> f64 {
        // The 53 bits that a double holds exactly.
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number from 0 (included) to `bound` (excluded).
    pub fn below(&mut self, bound: u32) -> u32 {
        // The high half of a product: no modulo bias worth speaking of. It is less than `bound`.
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u32
    }

    /// Whether something with this probability happens. Always draws, so that the stream does not depend on the probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A time from zero to `most` (both included), each nanosecond equally likely.
    pub fn up_to(&mut self, most: Duration) -> Duration {
        let span = most.as_nanos() + 1;
        // The high half of a 128-bit product: no modulo bias worth speaking of.
        let nanos = (u128::from(self.next_u64()) * span) >> 64;
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// FNV-1a: the standard library's hash may change from version to version.
fn hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// SplitMix64's finalizer: every bit of the result depends on every bit of `value`.
const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_depends_on_its_seed_and_its_name_alone() {
        let first = |seed, name| Stream::new(seed, name).next_u64();
        assert_eq!(first(1, "iss/client"), first(1, "iss/client"));
        assert_ne!(first(1, "iss/client"), first(1, "iss/server"));
        assert_ne!(first(1, "iss/client"), first(2, "iss/client"));
    }

    #[test]
    fn a_probability_is_met_on_average() {
        let mut stream = Stream::new(7, "coin");
        let heads = (0..10_000).filter(|_| stream.chance(0.1)).count();
        assert!((900..1100).contains(&heads), "{heads}");
        assert!((0..100).all(|_| stream.chance(1.0)));
        assert!((0..100).all(|_| !stream.chance(0.0)));
    }

    #[test]
    fn a_time_stays_in_its_range_and_fills_it() {
        let mut stream = Stream::new(7, "jitter");
        let most = Duration::from_nanos(3);
        let mut seen = [false; 4];
        for _ in 0..200 {
            seen[stream.up_to(most).as_nanos() as usize] = true;
        }
        assert_eq!(seen, [true; 4]);
        assert_eq!(stream.up_to(Duration::ZERO), Duration::ZERO);
    }
}
