//! A time axis: the distance between two moments is the logarithm of the time between them, so that both 20 ms and
//! two hours can be seen. Equal times have equal lengths.

use std::collections::BTreeSet;
use std::time::Duration;

/// The positions of moments on a line.
pub(super) struct Axis {
    stops: Vec<(Duration, f64)>,
}

impl Axis {
    /// The moments from `from` to `to`.
    pub(super) fn new(moments: &BTreeSet<Duration>, (from, to): (f64, f64)) -> Axis {
        let mut stops: Vec<(Duration, f64)> = Vec::with_capacity(moments.len());
        for moment in moments {
            let place = stops.last().map_or(0.0, |(last, place)| place + length(*moment - *last));
            stops.push((*moment, place));
        }
        let all = stops.last().map_or(0.0, |(_, place)| *place);
        let scale = if all > 0.0 { (to - from) / all } else { 0.0 };
        for (_, place) in &mut stops {
            *place = from + *place * scale;
        }
        Axis { stops }
    }

    /// The position of a moment; between two known ones, in proportion.
    pub(super) fn at(&self, moment: Duration) -> f64 {
        let after = self.stops.partition_point(|(stop, _)| *stop <= moment);
        match (self.stops.get(after.wrapping_sub(1)), self.stops.get(after)) {
            (Some((before, x)), Some((after, y))) => {
                let part = (moment - *before).as_secs_f64() / (*after - *before).as_secs_f64();
                x + (y - x) * part
            }
            (Some((_, x)), None) | (None, Some((_, x))) => *x,
            (None, None) => 0.0,
        }
    }

    /// The moments, in order.
    pub(super) fn stops(&self) -> impl Iterator<Item = (Duration, f64)> {
        self.stops.iter().copied()
    }
}

fn length(time: Duration) -> f64 {
    (1.0 + time.as_nanos() as f64 / 1000.0).log10().powi(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_equally_long_is_equally_long_and_nothing_vanishes() {
        let seconds = [0.0, 0.02, 0.04, 7200.0, 7275.0, 7350.0];
        let moments: BTreeSet<Duration> = seconds.into_iter().map(Duration::from_secs_f64).collect();
        let axis = Axis::new(&moments, (100.0, 900.0));
        let places: Vec<f64> = axis.stops().map(|(_, place)| place).collect();
        assert_eq!((places[0].round(), places[5].round()), (100.0, 900.0));
        assert!((places[1] - places[0] - (places[2] - places[1])).abs() < 0.01);
        assert!((places[4] - places[3] - (places[5] - places[4])).abs() < 0.01);
        assert!(places.windows(2).all(|pair| pair[1] - pair[0] > 40.0), "{places:?}");
        let between = axis.at(Duration::from_millis(30));
        assert!((between - (places[1] + places[2]) / 2.0).abs() < 0.01);
        assert_eq!(axis.at(Duration::from_secs(99_999)).round(), 900.0);
    }

    #[test]
    fn an_axis_may_be_empty() {
        assert_eq!(Axis::new(&BTreeSet::new(), (1.0, 2.0)).at(Duration::ZERO), 0.0);
        assert_eq!(Axis::new(&BTreeSet::from([Duration::ZERO]), (1.0, 2.0)).at(Duration::ZERO), 1.0);
    }
}
