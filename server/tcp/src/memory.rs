//! The memory that connections take, and how buffers give it back.
//!
//! It is counted by what is there, not by what the allocator has reserved, and with fixed sizes, so that it is the same on every
//! machine.

use std::collections::VecDeque;

/// Octets that a connection takes besides what is in its buffers, with its places in the tables of its endpoint.
pub(crate) const CONNECTION: u64 = 2048;
/// Octets that are kept of a segment in flight.
pub(crate) const SEGMENT: u64 = 64;
/// Octets that a range out of order takes besides its data.
pub(crate) const RANGE: u64 = 64;

/// What a queue keeps, octets, however empty it is.
const KEPT: usize = 16 * 1024;

/// Gives back what a queue has reserved and no longer needs: most of it, once less than a quarter is in use. Thus what is counted and
/// what is reserved do not drift apart.
pub(crate) fn give_back<T>(queue: &mut VecDeque<T>) {
    if queue.capacity() * size_of::<T>() > KEPT && queue.len() < queue.capacity() / 4 {
        queue.shrink_to(2 * queue.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::Connection;
    use crate::scoreboard::Sent;

    #[test]
    fn a_connection_and_a_segment_take_what_is_counted() {
        for (name, counted, size) in
            [("connection", CONNECTION, size_of::<Connection>()), ("segment", SEGMENT, size_of::<Sent>())]
        {
            let size = size as u64;
            assert!(
                size <= counted && counted <= 2 * size,
                "a {name} has {size} octets, {counted} are counted"
            );
        }
    }

    #[test]
    fn a_queue_that_was_emptied_gives_its_memory_back() {
        let mut queue: VecDeque<u8> = std::iter::repeat_n(0, 1 << 20).collect();
        let reserved = queue.capacity();
        queue.drain(..reserved / 2);
        give_back(&mut queue);
        assert_eq!(queue.capacity(), reserved, "half of it is in use");
        queue.drain(..queue.len() - 1000);
        give_back(&mut queue);
        assert!(queue.capacity() < 4096, "{}", queue.capacity());
    }
}
