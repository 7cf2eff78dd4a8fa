//! Segments that are rewritten.

use super::{Checker, Place, word};
use crate::de::Spanned;
use crate::shape::NewFields;
use crate::{NewValue, Rewrite};

impl Checker<'_> {
    pub(super) fn rewrite(&mut self, place: Place, given: &Option<Spanned<NewFields>>) -> Rewrite {
        let set = given.as_ref().map(|set| rewrite(&set.value)).unwrap_or_default();
        let pruned = place.pruned || given.as_ref().is_some_and(|set| set.pruned);
        if set == Rewrite::default() && !pruned {
            let place = given.as_ref().map_or(place.span, |set| set.span);
            self.problem(place, "this does not say what is rewritten", "for example `set: {window: 0}`");
        }
        set
    }
}

fn rewrite(set: &NewFields) -> Rewrite {
    let octets = |size: Option<u16>| size.map_or(NewValue::Off, NewValue::To);
    Rewrite {
        sequence: word(&set.sequence).map(|number| number.0),
        acknowledgment: word(&set.acknowledgment).map(|number| number.0),
        flags: word(&set.flags).map(|flags| flags.0),
        window: word(&set.window).map(|window| window.0),
        urgent: word(&set.urgent).map(|urgent| octets(urgent.0)),
        mss: word(&set.mss).map(|mss| octets(mss.0)),
        window_scale: word(&set.window_scale).map(|scale| scale.0.map_or(NewValue::Off, NewValue::To)),
        no_sack_permitted: set.sack_permitted.is_some(),
        no_sack: set.sack.is_some(),
        no_timestamps: set.timestamps.is_some(),
        congestion_experienced: set.ecn.is_some(),
    }
}
