//! The service among honest, heavy, slow, silent, hostile and dying clients, for as long as one likes.
//!
//! What must hold: the service does not crash, and nothing in it panics; every accepted run is answered, or the client is told why
//! not; the same run has the same events, whatever else goes on; 99 of 100 short runs of honest clients take less than a second;
//! when the clients are gone, so are the memory, descriptors and threads that they caused.
//!
//! ```text
//! SOAK_TIME=2h SOAK_SEED=7 cargo test --release -p halfopend --test soak -- --ignored --nocapture
//! ```
//!
//! The seed decides what each client does and in which order, but not what the clocks of the machine make of it.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(clippy::disallowed_methods, reason = "a process outside, in real time")]

mod client;
mod dial;
mod dice;
mod dying;
mod frames;
mod heavy;
mod honest;
mod hostile;
mod run;
mod service;
mod silent;
mod slow;
mod tally;

use std::env;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use halfopen_units::parse_duration;
use tokio::runtime::{Handle, Runtime};

use crate::client::{Client, Kind, World};
use crate::service::{Held, Service};

/// Of 100 short runs of honest clients, 99 take less.
const PROMISED_LATENCY: Duration = Duration::from_secs(1);
/// How much more memory than at the start may be held at the end, in percent.
const PROMISED_MEMORY: u64 = 20;
/// How long the service may take to let go of what clients caused that are gone.
const LETTING_GO: Duration = Duration::from_secs(60);
/// On a machine with more, the clients are as many as for this number of processors.
const MOST_PROCESSORS: usize = 8;
/// The acts before memory is measured the first time: what is made once, and what is kept, has been made then.
const WARM_UP: [(Kind, usize); 2] = [(Kind::Honest, 500), (Kind::Heavy, 10)];

/// A setting in the environment, or `default`.
fn setting<T>(name: &str, default: &str, parse: impl Fn(&str) -> Option<T>) -> T {
    let text = env::var(name).unwrap_or_else(|_| default.to_owned());
    parse(&text).unwrap_or_else(|| panic!("{name}={text} cannot be read"))
}

#[test]
#[ignore = "takes a minute, or hours"]
fn whatever_clients_do_the_service_holds() {
    let time = setting("SOAK_TIME", "1min", |text| parse_duration(text).ok());
    let seed: u64 = setting("SOAK_SEED", "1", |text| text.parse().ok());
    println!("SOAK_TIME={time:?} SOAK_SEED={seed}");
    let [runtime, honest] = [(); 2].map(|()| Runtime::new().unwrap());
    let broken = runtime.block_on(soak(time, seed, honest.handle()));
    assert!(broken.is_empty(), "broken with seed {seed}:\n{}", broken.join("\n"));
}

/// Lets all clients loose for a time. Returns the promises that were broken. Honest clients have threads of their own, so that
/// what they measure is the service, and not what it costs the others to read their answers.
async fn soak(time: Duration, seed: u64, honest: &Handle) -> Vec<String> {
    let mut service = Service::start();
    let world = Arc::new(World::new(service.door()));
    warm_up(&world, seed).await;
    let start = service.settled().await;
    println!("start: {start}");

    let begin = Instant::now();
    world.open_until(begin + time);
    let processors =
        thread::available_parallelism().map_or(1, |number| number.get().min(MOST_PROCESSORS) as u8);
    let clients: Vec<_> = Kind::ALL
        .into_iter()
        .flat_map(|kind| (0..kind.number() * processors).map(move |number| (kind, number)))
        .map(|(kind, number)| {
            let client = Client::new(&world, kind, number, seed).live();
            if kind == Kind::Honest { honest.spawn(client) } else { tokio::spawn(client) }
        })
        .collect();
    let interval = (time / 20).clamp(Duration::from_secs(10), Duration::from_secs(60));
    let mut peak = start.memory;
    while world.is_open() && service.is_alive() {
        tokio::time::sleep(interval.min(begin + time - Instant::now().min(begin + time))).await;
        let held = service.held();
        peak = peak.max(held.memory);
        println!("{:>6} s: {held}; {}", begin.elapsed().as_secs(), world.tally.latest_latencies());
    }
    world.close();
    for client in clients {
        client.await.unwrap();
    }
    let mut broken = world.tally.report();
    println!("peak: {} MiB", peak >> 20);
    broken.extend(after(&mut service, start).await);
    broken
}

/// Acts one after the other: many honest ones, and some that want much.
async fn warm_up(world: &Arc<World>, seed: u64) {
    for (kind, acts) in WARM_UP {
        let mut client = Client::new(world, kind, 0, seed);
        for _ in 0..acts {
            client.act().await;
        }
    }
    world.tally.forget_latencies();
}

/// What is broken once all clients are gone.
async fn after(service: &mut Service, start: Held) -> Vec<String> {
    let given_back = |held: Held| {
        held.memory * 100 <= start.memory * (100 + PROMISED_MEMORY)
            && held.descriptors <= start.descriptors
            && held.threads <= start.threads
    };
    let patience = Instant::now() + LETTING_GO;
    while service.is_alive() && !given_back(service.held()) && Instant::now() < patience {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let held = service.held();
    println!("end: {held}");
    let mut broken = Vec::new();
    if !given_back(held) {
        broken.push(format!("not given back {LETTING_GO:?} after the last client left: {start} at the start, {held} at the end"));
    }
    broken.extend(service.stop());
    broken
}
