//! Writes to streams that may have no reader, such as a pipe.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};

/// How many bytes are written at once, to see whether anybody reads.
const PIECE: usize = 4096;

/// How many writes began and ended.
static WRITES: AtomicU64 = AtomicU64::new(0);

/// How many writes that may never end began and ended: one is in progress while it is odd.
pub(crate) fn writes() -> u64 {
    WRITES.load(Ordering::Relaxed)
}

/// Writes all of it. Such a write does not delay the end of the program.
pub(crate) fn write_to_reader(out: &mut impl Write, octets: &[u8]) -> io::Result<usize> {
    for piece in octets.chunks(PIECE) {
        WRITES.fetch_add(1, Ordering::Relaxed);
        let written = out.write_all(piece).and_then(|()| out.flush());
        WRITES.fetch_add(1, Ordering::Relaxed);
        written?;
    }
    Ok(octets.len())
}
