//! On which side of its lifeline a text stands.

use std::collections::BTreeMap;

use super::ways::turns;
use crate::picture::{Arrow, Picture, Row, What};
use crate::timeline::HostIndex;

/// Which side the texts of each connection stand on.
pub(super) struct Sides {
    /// The host at the other end of each connection of a host.
    peers: BTreeMap<(HostIndex, u32), HostIndex>,
    /// Beside a single lifeline its segments need the right, or turn around there.
    alone: Option<bool>,
}

impl Sides {
    pub(super) fn new(picture: &Picture) -> Sides {
        let mut peers = BTreeMap::new();
        for row in &picture.rows {
            let What::Arrow(Arrow { from, to, .. }) = &row.what else { continue };
            let (Some(from_host), Some(to_host)) = (from.host, to.host) else { continue };
            peers.entry((from_host, from.connection)).or_insert(to_host);
            peers.entry((to_host, to.connection)).or_insert(from_host);
        }
        Sides { peers, alone: (picture.lifelines.len() == 1).then(|| turns(picture)) }
    }

    /// Whether the texts of a row stand on the left of a lifeline: outside of all, or away from the other end of their
    /// connection.
    pub(super) fn is_left(&self, host: HostIndex, row: &Row) -> bool {
        if let Some(turns) = self.alone {
            return turns;
        }
        if host == 0 {
            return true;
        }
        let connection = match &row.what {
            What::Arrow(arrow) if arrow.from.host == Some(host) => arrow.from.connection,
            What::Arrow(arrow) => arrow.to.connection,
            What::Notes(_) | What::Silence(_) | What::Folded(_) | What::Omitted(_) => row.connection,
        };
        self.peers.get(&(host, connection)).is_some_and(|peer| *peer > host)
    }
}
