//! What applications send, so that what arrives can be checked octet by octet.

use std::sync::OnceLock;

/// A prime: no segment size divides it, so octets that arrive out of place do not match.
const PERIOD: usize = 65_521;

/// From where one stream begins in the pattern to where the next does. Both are prime, so that as many streams as the
/// period is long begin elsewhere.
const STRIDE: u64 = 7_919;

/// What the pattern is made of: short lines of letters, because of those who read captures. In other octets Wireshark finds
/// mistakes of the protocol that the port belongs to; and without the end of a line, it would wait for it and join segments.
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123\n\n\n\n\n\n\n\n";

/// Most octets that are looked at in one go.
pub(crate) const CHUNK: usize = 64 * 1024;

/// Octets of memory that a piece is counted with besides octets of its own.
const PIECE: u64 = 48;

/// The octets that an application has written to a connection.
///
/// Where the application sent no octets of its own, the one at an offset of the stream follows from the offset, and differs from
/// stream to stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Written {
    octets: u64,
    /// Where in the pattern the stream begins.
    shift: u64,
    /// What is not of the pattern, or of another part of it, and where it begins.
    pieces: Vec<(u64, Piece)>,
}

/// A piece of a stream.
#[derive(Clone, Debug)]
enum Piece {
    /// The application's own octets.
    Own(Box<[u8]>),
    /// A copy of what another stream has there: so many octets of the pattern from this place on.
    Copy { place: u64, octets: u64 },
}

impl Piece {
    fn octets(&self) -> u64 {
        match self {
            Piece::Own(own) => own.len() as u64,
            Piece::Copy { octets, .. } => *octets,
        }
    }
}

impl Written {
    /// What is written to this one of all streams: nothing yet.
    pub(crate) fn new(stream: u64) -> Written {
        Written { shift: stream.wrapping_mul(STRIDE) % PERIOD as u64, ..Written::default() }
    }

    /// The next octets of the pattern, at most `max_len`.
    pub(crate) fn next_of_pattern(&self, max_len: u64) -> &'static [u8] {
        self.pattern(self.octets, usize::try_from(max_len).unwrap_or(CHUNK).min(CHUNK))
    }

    /// The octets that are written next are the application's own. Returns how much more memory that takes, octets.
    pub(crate) fn begin_own(&mut self, octets: &[u8]) -> u64 {
        if octets.is_empty() {
            return 0;
        }
        self.pieces.push((self.octets, Piece::Own(octets.into())));
        PIECE + octets.len() as u64
    }

    /// The octets that are written next are a copy: so many of the pattern from this place on. Returns how much more memory that
    /// takes, octets.
    pub(crate) fn begin_copy(&mut self, place: u64, octets: usize) -> u64 {
        let octets = octets as u64;
        match self.pieces.last_mut() {
            Some((start, Piece::Copy { place: before, octets: known }))
                if *start + *known == self.octets && *before + *known == place =>
            {
                *known += octets;
                0
            }
            _ if octets > 0 => {
                self.pieces.push((self.octets, Piece::Copy { place, octets }));
                PIECE
            }
            _ => 0,
        }
    }

    /// Where the pattern has these octets, which were written at this offset, if they are of the pattern.
    pub(crate) fn place_of(&self, offset: u64, octets: &[u8]) -> Option<u64> {
        let place = match self.piece_at(offset) {
            Some((_, Piece::Own(_))) => return None,
            Some((start, Piece::Copy { place, .. })) => place + (offset - start),
            None => offset + self.shift,
        };
        (octets.len() <= CHUNK && pattern(place, octets.len()) == octets).then_some(place)
    }

    fn piece_at(&self, offset: u64) -> Option<(u64, &Piece)> {
        let after = self.pieces.partition_point(|(start, _)| *start <= offset);
        let (start, piece) = self.pieces.get(after.checked_sub(1)?)?;
        (offset < start + piece.octets()).then_some((*start, piece))
    }

    /// So many octets more are written.
    pub(crate) fn advance(&mut self, octets: usize) {
        self.octets += octets as u64;
    }

    /// Whether these octets were written at this offset; otherwise where they first differ.
    pub(crate) fn check(&self, offset: u64, octets: &[u8]) -> Result<(), u64> {
        let end = offset + octets.len() as u64;
        if end > self.octets {
            return Err(self.octets.max(offset));
        }
        let mut at = offset;
        while at < end {
            let rest = &octets[(at - offset) as usize..];
            let expected = self.at(at, rest.len());
            let same = rest.iter().zip(expected).take_while(|(found, wanted)| found == wanted);
            if rest[..expected.len()] != *expected {
                return Err(at + same.count() as u64);
            }
            at += expected.len() as u64;
        }
        Ok(())
    }

    /// Octets from this offset on: at least one, and at most `max_len`.
    fn at(&self, offset: u64, max_len: usize) -> &[u8] {
        let most = |octets: u64| max_len.min(usize::try_from(octets).unwrap_or(usize::MAX)).min(CHUNK);
        match self.piece_at(offset) {
            Some((start, Piece::Own(own))) => {
                let rest = &own[(offset - start) as usize..];
                &rest[..rest.len().min(max_len)]
            }
            Some((start, Piece::Copy { place, octets })) => {
                pattern(place + (offset - start), most(octets - (offset - start)))
            }
            None => {
                let after = self.pieces.partition_point(|(start, _)| *start <= offset);
                let until = self.pieces.get(after).map_or(u64::MAX, |(start, _)| start - offset);
                self.pattern(offset, most(until))
            }
        }
    }

    fn pattern(&self, offset: u64, octets: usize) -> &'static [u8] {
        pattern(offset + self.shift, octets)
    }
}

/// So many octets of the pattern from an offset on.
fn pattern(offset: u64, octets: usize) -> &'static [u8] {
    static TABLE: OnceLock<Vec<u8>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let letter = |index: usize| {
            let number = ((index % PERIOD) as u32).wrapping_mul(0x9e37_79b1);
            LETTERS[(number >> (u32::BITS - LETTERS.len().ilog2())) as usize]
        };
        (0..PERIOD + CHUNK).map(letter).collect()
    });
    let start = (offset % PERIOD as u64) as usize;
    &table[start..start + octets]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 10 octets, "hello", 10 octets.
    fn written() -> (Written, Vec<u8>) {
        let mut written = Written::default();
        let mut stream = written.next_of_pattern(10).to_vec();
        written.advance(10);
        written.begin_own(b"hello");
        written.advance(5);
        stream.extend(b"hello");
        stream.extend(written.next_of_pattern(10));
        written.advance(10);
        (written, stream)
    }

    #[test]
    fn what_was_written_is_recognised_in_pieces_of_any_size() {
        let (written, stream) = written();
        for size in 1..=stream.len() {
            for (index, piece) in stream.chunks(size).enumerate() {
                assert_eq!(written.check((index * size) as u64, piece), Ok(()));
            }
        }
    }

    #[test]
    fn what_belongs_to_another_stream_is_wrong() {
        let mut streams = [1, 2, 3, 65_520].map(Written::new);
        for written in &mut streams {
            written.advance(100);
        }
        for (number, written) in streams.iter().enumerate() {
            for (other, octets) in streams.iter().map(|stream| stream.at(50, 20)).enumerate() {
                assert_eq!(written.check(50, octets).is_ok(), number == other, "{number} and {other}");
            }
        }
    }

    #[test]
    fn a_copy_is_what_the_other_stream_has_however_often_it_is_copied() {
        let (origin, stream) = written();
        let mut copies = vec![origin];
        for number in 1..4 {
            let mut copy = Written::new(number);
            copy.advance(3);
            let before = copies.last().unwrap();
            let shift = if number == 1 { 0 } else { 3 };
            let mut memory = 0;
            for (index, piece) in stream.chunks(4).enumerate() {
                memory += match before.place_of((4 * index) as u64 + shift, piece) {
                    Some(place) => copy.begin_copy(place, piece.len()),
                    None => copy.begin_own(piece),
                };
                copy.advance(piece.len());
            }
            let own = |(_, piece): &(u64, Piece)| match piece {
                Piece::Own(own) => own.len() as u64,
                Piece::Copy { .. } => 0,
            };
            assert_eq!(memory, copy.pieces.iter().map(|piece| PIECE + own(piece)).sum::<u64>());
            assert_eq!(copy.check(3, &stream), Ok(()), "copy {number}");
            assert!(
                copy.pieces.iter().any(|(_, piece)| matches!(piece, Piece::Copy { octets: 8, .. })),
                "joined"
            );
            copies.push(copy);
        }
    }

    #[test]
    fn a_wrong_octet_is_found_where_it_is() {
        let (written, stream) = written();
        for position in 0..stream.len() {
            let mut wrong = stream.clone();
            wrong[position] ^= 1;
            assert_eq!(written.check(0, &wrong), Err(position as u64));
        }
        assert!(written.check(1, &stream[..10]).is_err(), "out of place");
        let more = [&stream[..], b"x"].concat();
        assert_eq!(written.check(0, &more), Err(stream.len() as u64), "never sent");
    }
}
