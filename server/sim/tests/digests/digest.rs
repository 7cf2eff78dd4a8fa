//! What is kept of a run: small, and enough to find the first event that is another one.

use std::fmt;
use std::hash::Hasher;

use siphasher::sip::SipHasher13;

/// So many events are kept as they are.
const TEXT: usize = 100;
/// Of the others there are at most so many marks; of long runs each stands for several events.
const MARKS: usize = 10_000;
/// Marks on a line.
const WIDTH: usize = 100;
/// A mark is one of these.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-";

/// A run.
pub(crate) struct Digest {
    lines: Vec<String>,
    /// After each event, the hash of it and all before it.
    hashes: Vec<u64>,
}

/// Where two runs part.
#[derive(Debug, PartialEq)]
pub(crate) struct Difference {
    /// The first event that is another one is among these, counted from 0.
    pub(crate) events: (usize, usize),
    now: String,
    was: String,
}

impl Digest {
    pub(crate) fn of(lines: impl Iterator<Item = String>) -> Digest {
        let mut hasher = SipHasher13::new();
        let (mut kept, mut hashes) = (Vec::new(), Vec::new());
        for line in lines {
            hasher.write(line.as_bytes());
            hasher.write_u8(b'\n');
            hashes.push(hasher.clone().finish());
            kept.push(line);
        }
        Digest { lines: kept, hashes }
    }

    /// How many events a mark stands for in a run of so many.
    fn stride(events: usize) -> usize {
        events.saturating_sub(TEXT).div_ceil(MARKS).max(1)
    }

    /// The marks of the events that are not kept as they are, each for so many.
    fn marks(&self, stride: usize) -> String {
        let rest = self.hashes.get(TEXT..).unwrap_or_default();
        let mark = |hashes: &[u64]| char::from(ALPHABET[(hashes[hashes.len() - 1] % 64) as usize]);
        rest.chunks(stride).map(mark).collect()
    }

    fn head(&self) -> String {
        let whole = self.hashes.last().copied().unwrap_or_default();
        format!("{} events, {whole:016x}", self.lines.len())
    }

    /// What differs first from a run whose digest was written down.
    pub(crate) fn first_difference(&self, before: &str) -> Option<Difference> {
        if before == self.to_string() {
            return None;
        }
        let mut rest = before.lines();
        let count = rest.next().and_then(|head| head.split(' ').next()).and_then(|count| count.parse().ok());
        let Some(count) = count else { return Some(self.at((0, 0), Some("never run before"))) };
        let texts: Vec<&str> = rest.by_ref().take(TEXT.min(count)).collect();
        if let Some(index) = (0..texts.len().max(self.lines.len().min(TEXT)))
            .find(|index| texts.get(*index).copied() != self.lines.get(*index).map(String::as_str))
        {
            return Some(self.at((index, index), Some(texts.get(index).copied().unwrap_or("over"))));
        }
        let stride = Digest::stride(count);
        let (old, new) = (rest.collect::<String>(), self.marks(stride));
        let same = old.bytes().zip(new.bytes()).take_while(|(old, new)| old == new).count();
        let first = TEXT + same * stride;
        let last = (first + stride - 1).min(self.lines.len().max(count));
        Some(self.at((first, last), (first >= count).then_some("over")))
    }

    fn at(&self, events: (usize, usize), was: Option<&str>) -> Difference {
        let now =
            self.lines.get(events.0..=events.1.min(events.0 + 9).min(self.lines.len().saturating_sub(1)));
        let now = now.filter(|now| !now.is_empty()).map_or("over".to_owned(), |now| now.join("\n         "));
        let was = was.unwrap_or("not kept, as there are so many; run the commit before to see it");
        Difference { events, now, was: was.to_owned() }
    }
}

/// As it is kept in a file.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.head())?;
        for line in self.lines.iter().take(TEXT) {
            writeln!(f, "{line}")?;
        }
        let marks = self.marks(Digest::stride(self.lines.len()));
        for line in marks.as_bytes().chunks(WIDTH) {
            writeln!(f, "{}", String::from_utf8_lossy(line))?;
        }
        Ok(())
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = self.events;
        if first == last {
            writeln!(f, "event {} is the first that is another one", first + 1)?;
        } else {
            writeln!(f, "the first that is another one is among events {} to {}", first + 1, last + 1)?;
        }
        write!(f, "    was: {}\n    now: {}\n", self.was, self.now)
    }
}
