//! The octets of datagrams, as far as the reader of a run wants them.

use std::sync::Arc;

use halfopen_trace::SegmentNumber;

/// Octets of datagrams that a run keeps in all before it keeps only their beginnings.
const ENOUGH: usize = 256 << 20;

/// Octets that hold the headers of any segment (IPv6: 40, TCP: 60): what is still kept of each datagram then. An event
/// takes more, so that the limit of events is one of memory, too.
const BEGINNING: usize = 128;

/// Octets of memory that a datagram is counted with besides what is kept of it.
const SNAPSHOT: usize = 32;

/// What is kept of the datagrams of a run.
#[derive(Debug, Default)]
pub(crate) struct Snapshots {
    /// Octets kept of each; 0: nothing is.
    length: usize,
    /// Octets kept so far.
    kept: usize,
    /// The segments as they were sent, in the order of their numbers.
    sent: Vec<Arc<[u8]>>,
}

impl Snapshots {
    /// Keeps at most this many octets of each datagram; 0: none.
    pub(crate) fn new(length: u32) -> Snapshots {
        Snapshots { length: usize::try_from(length).unwrap_or(usize::MAX), ..Snapshots::default() }
    }

    /// The memory that they take, octets. What arrived changed may be forgotten with its event, and is counted all the same.
    pub(crate) fn memory(&self) -> u64 {
        (self.kept + SNAPSHOT * self.sent.len()) as u64
    }

    /// The next segment is sent in this datagram.
    pub(crate) fn sent(&mut self, datagram: &[u8]) -> Option<Arc<[u8]>> {
        let kept = self.keep(datagram)?;
        self.sent.push(Arc::clone(&kept));
        Some(kept)
    }

    /// A segment arrives in this datagram. `None` if it is what was sent.
    pub(crate) fn arrived(&mut self, segment: SegmentNumber, datagram: &[u8]) -> Option<Arc<[u8]>> {
        let sent = usize::try_from(segment.0.get() - 1).ok().and_then(|index| self.sent.get(index))?;
        if datagram.starts_with(sent) { None } else { self.keep(datagram) }
    }

    /// What is kept of a datagram.
    pub(crate) fn keep(&mut self, datagram: &[u8]) -> Option<Arc<[u8]>> {
        if self.length == 0 {
            return None;
        }
        let most = if self.kept < ENOUGH { self.length } else { self.length.min(BEGINNING) };
        let kept = &datagram[..datagram.len().min(most)];
        self.kept += kept.len();
        Some(kept.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(number: u64) -> SegmentNumber {
        SegmentNumber::new(number).unwrap()
    }

    #[test]
    fn nothing_is_kept_unless_it_is_wanted() {
        let mut none = Snapshots::new(0);
        assert_eq!(none.sent(b"datagram"), None);
        assert_eq!(none.arrived(segment(1), b"changed"), None);
        assert_eq!(none.keep(b"message"), None);
    }

    #[test]
    fn what_arrives_as_it_was_sent_is_not_kept_again() {
        let mut four = Snapshots::new(4);
        assert_eq!(four.sent(b"first").as_deref(), Some(&b"firs"[..]));
        assert_eq!(four.sent(b"2nd").as_deref(), Some(&b"2nd"[..]));
        assert_eq!(four.arrived(segment(1), b"first"), None);
        assert_eq!(four.arrived(segment(1), b"firsT"), None, "the difference is not in what is kept");
        assert_eq!(four.arrived(segment(1), b"First").as_deref(), Some(&b"Firs"[..]));
        assert_eq!(four.arrived(segment(2), b"2nd"), None);
        assert_eq!(four.keep(b"message").as_deref(), Some(&b"mess"[..]));
    }

    #[test]
    fn of_a_long_run_only_the_beginnings_are_kept_at_last() {
        let datagram = vec![0; 1 << 20];
        let mut all = Snapshots::new(u32::MAX);
        let lengths: Vec<usize> = (0..258).map(|_| all.keep(&datagram).unwrap().len()).collect();
        assert_eq!(lengths[255], 1 << 20);
        assert_eq!(lengths[256..], [BEGINNING; 2]);
        assert_eq!(Snapshots { kept: ENOUGH, ..Snapshots::new(20) }.keep(&datagram).unwrap().len(), 20);
    }
}
