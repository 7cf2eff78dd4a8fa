//! The clients: their kinds, how many of each there are, and what they share.

use std::collections::BTreeMap;
use std::error::Error;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};
use tonic::transport::Channel;

use crate::dial::{Door, Leave};
use crate::dice::Dice;
use crate::tally::Tally;
use crate::{dying, heavy, honest, hostile, silent, slow};

/// Nothing that a client does takes longer, or the service does not answer it or does not notice it.
const PATIENCE: Duration = Duration::from_secs(90);

/// Why an act failed.
pub(crate) type Trouble = Box<dyn Error + Send + Sync>;

/// What all clients share.
pub(crate) struct World {
    pub(crate) door: Door,
    pub(crate) tally: Tally,
    /// What a run with a seed consisted of, the first time.
    pub(crate) runs: Mutex<BTreeMap<(&'static str, u64), u64>>,
    until: Mutex<Instant>,
}

impl World {
    pub(crate) fn new(door: Door) -> World {
        World { door, tally: Tally::default(), runs: Mutex::default(), until: Mutex::new(Instant::now()) }
    }

    /// Lets clients act until then.
    pub(crate) fn open_until(&self, until: Instant) {
        *self.until.lock().unwrap() = until;
    }

    pub(crate) fn is_open(&self) -> bool {
        Instant::now() < *self.until.lock().unwrap()
    }

    pub(crate) fn close(&self) {
        self.open_until(Instant::now());
    }
}

/// The kinds of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Wants something short and takes the answer.
    Honest,
    /// Wants much.
    Heavy,
    /// Takes its time to read.
    Slow,
    /// Says nothing, or stops in the middle.
    Silent,
    /// Does what no client should.
    Hostile,
    /// Is killed in the middle.
    Dying,
}

impl Kind {
    pub(crate) const ALL: [Kind; 6] =
        [Kind::Honest, Kind::Heavy, Kind::Slow, Kind::Silent, Kind::Hostile, Kind::Dying];

    /// How many there are for each processor, each with an address of its own.
    pub(crate) fn number(self) -> u8 {
        match self {
            Kind::Honest | Kind::Hostile | Kind::Dying => 4,
            Kind::Heavy => 3,
            Kind::Slow => 2,
            Kind::Silent => 8,
        }
    }

    /// How long one pauses after each act, at most, in milliseconds.
    fn pause(self) -> u64 {
        match self {
            Kind::Honest => 100,
            Kind::Heavy | Kind::Slow | Kind::Silent => 2_000,
            Kind::Hostile => 1_000,
            Kind::Dying => 200,
        }
    }

    /// Whose address a line of the log has.
    pub(crate) fn of(line: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| line.contains(&format!("127.{}.0.", kind.network())))
    }

    /// The second number of the addresses of its clients.
    fn network(self) -> u8 {
        1 + self as u8
    }

    /// Whether every act must succeed.
    pub(crate) fn must_be_served(self) -> bool {
        match self {
            Kind::Honest | Kind::Heavy | Kind::Slow => true,
            Kind::Silent | Kind::Hostile | Kind::Dying => false,
        }
    }
}

/// A client.
pub(crate) struct Client {
    pub(crate) world: Arc<World>,
    pub(crate) kind: Kind,
    pub(crate) from: Ipv4Addr,
    pub(crate) dice: Dice,
    /// The act that it is at.
    pub(crate) doing: &'static str,
    /// Its connection, if it keeps one.
    channel: Option<Channel>,
}

impl Client {
    pub(crate) fn new(world: &Arc<World>, kind: Kind, number: u8, seed: u64) -> Client {
        let from = Ipv4Addr::new(127, kind.network(), 0, 1 + number);
        Client {
            world: Arc::clone(world),
            kind,
            from,
            dice: Dice::new(seed, from.to_bits().into()),
            doing: "nothing",
            channel: None,
        }
    }

    /// Acts until the world closes.
    pub(crate) async fn live(mut self) {
        while self.world.is_open() {
            self.act().await;
            sleep(Duration::from_millis(self.dice.below(self.kind.pause()))).await;
        }
    }

    /// Does one thing.
    pub(crate) async fn act(&mut self) {
        let acted = async {
            match self.kind {
                Kind::Honest => honest::act(self).await,
                Kind::Heavy => heavy::act(self).await,
                Kind::Slow => slow::act(self).await,
                Kind::Silent => silent::act(self).await,
                Kind::Hostile => hostile::act(self).await,
                Kind::Dying => dying::act(self).await,
            }
        };
        let acted = timeout(PATIENCE, acted).await;
        let Client { world, kind, from, doing, .. } = self;
        match acted {
            Ok(Ok(outcome)) => world.tally.count(*kind, doing, outcome),
            Ok(Err(_)) if !kind.must_be_served() => world.tally.count(*kind, doing, "cut off"),
            Ok(Err(trouble)) => {
                world.tally.broken(format!("{kind:?} at {from}: {doing}: {}", chain(trouble.as_ref())));
                self.channel = None;
            }
            Err(_) => {
                world.tally.broken(format!("{kind:?} at {from}: {doing}: still at it after {PATIENCE:?}"));
                self.channel = None;
            }
        }
    }

    /// Its connection, which it keeps for many acts.
    pub(crate) async fn channel(&mut self) -> Result<Channel, Trouble> {
        const ACTS: u64 = 100;
        if self.dice.below(ACTS) == 0 {
            self.channel = None;
        }
        let channel = match self.channel.take() {
            Some(channel) => channel,
            None => self.world.door.grpc(self.from, Leave::Properly).await?,
        };
        self.channel = Some(channel.clone());
        Ok(channel)
    }
}

/// An error with what caused it.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text += &format!(": {cause}");
        next = cause.source();
    }
    text
}
