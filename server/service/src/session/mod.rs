//! Sessions: runs that are played step by step, by callers who are the applications on their hosts.
//!
//! A [`Session`](play::Session) lives on one of a few threads (`stage`), because a simulation cannot move between threads, and takes
//! turns there with others: its work is done in short slices. At its end it is judged on a thread of the pool (`referee`). The
//! [`Sessions`] of a service know where each one is, how many there may be, and for a while what became of those that are gone. What
//! happens in a session is its [`Record`](record::Record), which watchers read without disturbing it.

mod calls;
mod conditions;
mod cursor;
mod job;
mod log;
mod options;
mod order;
mod participants;
mod places;
mod play;
mod played;
mod record;
mod referee;
mod refusal;
mod sessions;
mod stage;
mod watch;

pub(crate) use self::calls::Addressed;
pub(crate) use self::job::{Finish, Job};
pub(crate) use self::log::too_long;
pub(crate) use self::play::{Exported, Opening};
pub(crate) use self::played::{MAX_SOCKETS, Played};
pub(crate) use self::sessions::Sessions;
pub(crate) use self::watch::Watch;
