//! The runs that wait for their turn, by tenant. The pool shares its threads fairly; it gets a few runs of each tenant at a time, because
//! its queue is in memory, and thousands may wait here.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use halfopen_history::{Number, Unfinished};
use tokio::sync::Notify;

use crate::tenant::Tenant;

/// A run that waits for its turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) number: Number,
    pub(crate) id: String,
    pub(crate) tenant: Tenant,
}

impl From<Unfinished> for Waiting {
    fn from(Unfinished { number, id, tenant }: Unfinished) -> Waiting {
        // Only a tenant has created it.
        let tenant = tenant.parse().unwrap_or_else(|_| Tenant::only().clone());
        Waiting { number, id, tenant }
    }
}

/// The runs that wait.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    tenants: Mutex<BTreeMap<Tenant, Lane>>,
    changed: Notify,
}

/// The runs of a tenant.
#[derive(Debug, Default)]
struct Lane {
    waiting: VecDeque<Waiting>,
    /// How many the pool has.
    in_pool: usize,
}

impl Queue {
    /// Adds a run.
    pub(crate) fn add(&self, run: Waiting) {
        self.lock().entry(run.tenant.clone()).or_default().waiting.push_back(run);
        self.changed.notify_one();
    }

    /// Puts a run back to where it was.
    pub(crate) fn give_back(&self, run: Waiting) {
        self.lock().entry(run.tenant.clone()).or_default().waiting.push_front(run);
        self.changed.notify_one();
    }

    /// How many runs of a tenant wait.
    pub(crate) fn waiting(&self, tenant: &Tenant) -> usize {
        self.lock().get(tenant).map_or(0, |lane| lane.waiting.len())
    }

    /// How many runs of all tenants wait.
    pub(crate) fn all_waiting(&self) -> usize {
        self.lock().values().map(|lane| lane.waiting.len()).sum()
    }

    /// Takes a run of the tenant of whom the pool has the fewest, and fewer than `most`.
    pub(crate) fn next(&self, most: usize) -> Option<Waiting> {
        let mut tenants = self.lock();
        let lanes = tenants.values_mut().filter(|lane| lane.in_pool < most && !lane.waiting.is_empty());
        lanes.min_by_key(|lane| lane.in_pool)?.waiting.pop_front()
    }

    /// The pool has a run of a tenant, until the place is dropped.
    pub(crate) fn place(self: &Arc<Self>, tenant: &Tenant) -> Place {
        self.lock().entry(tenant.clone()).or_default().in_pool += 1;
        Place { queue: Arc::clone(self), tenant: tenant.clone() }
    }

    /// Completes when there may be a run to take.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Tenant, Lane>> {
        // Nothing panics while the lock is held.
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A run in the pool.
#[derive(Debug)]
pub(crate) struct Place {
    queue: Arc<Queue>,
    tenant: Tenant,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut tenants = self.queue.lock();
        if let Some(lane) = tenants.get_mut(&self.tenant) {
            lane.in_pool -= 1;
            if lane.in_pool == 0 && lane.waiting.is_empty() {
                tenants.remove(&self.tenant);
            }
        }
        drop(tenants);
        self.queue.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(tenant: &str, id: usize) -> Waiting {
        let unfinished = Unfinished { number: Number(0), id: id.to_string(), tenant: tenant.to_owned() };
        unfinished.into()
    }

    #[test]
    fn each_tenant_has_some_in_the_pool_in_the_order_of_acceptance() {
        let queue = Arc::new(Queue::default());
        (0..5).for_each(|id| queue.add(run("blue", id)));
        (0..2).for_each(|id| queue.add(run("green", id)));
        let mut places = Vec::new();
        let mut taken = Vec::new();
        while let Some(run) = queue.next(2) {
            places.push(queue.place(&run.tenant));
            taken.push(format!("{} {}", run.tenant, run.id));
        }
        assert_eq!(taken, ["blue 0", "green 0", "blue 1", "green 1"]);
        let blue = "blue".parse().expect("a tenant");
        assert_eq!(queue.waiting(&blue), 3);
        places.remove(0);
        let next = queue.next(2).expect("there is room");
        assert_eq!(next, run("blue", 2));
        queue.give_back(next);
        assert_eq!(queue.next(2), Some(run("blue", 2)));
        drop(places);
        assert_eq!(queue.lock().keys().collect::<Vec<_>>(), [&blue], "who has nothing is forgotten");
    }
}
