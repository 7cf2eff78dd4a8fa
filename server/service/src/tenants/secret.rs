//! Tokens, of which a server knows the digests only.

use std::fmt;
use std::str::FromStr;

use ring::digest::{SHA256, SHA256_OUTPUT_LEN, digest};

/// With what every token begins, so that scanners for secrets find those that leaked.
const PREFIX: &str = "hop_";
/// The number of random octets in a token.
const RANDOM: usize = 32;

/// A new token: 256 random bits, in hexadecimal.
pub(crate) fn new_secret() -> Result<String, getrandom::Error> {
    let mut octets = [0; RANDOM];
    getrandom::fill(&mut octets)?;
    Ok(format!("{PREFIX}{}", Hex(&octets)))
}

/// The SHA-256 of a token. A slow hash protects passwords, of which an attacker can try the likely ones; nobody can try a
/// part of 2^256 random tokens that matters, and a slow hash would let callers waste the time of the server.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Digest([u8; SHA256_OUTPUT_LEN]);

impl Digest {
    pub(crate) fn of(token: &[u8]) -> Digest {
        let mut octets = [0; SHA256_OUTPUT_LEN];
        octets.copy_from_slice(digest(&SHA256, token).as_ref());
        Digest(octets)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(&self.0).fmt(f)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Digest, InvalidDigest> {
        let digits = text.as_bytes().chunks_exact(2);
        if text.len() != 2 * SHA256_OUTPUT_LEN || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(if text.starts_with(PREFIX) { InvalidDigest::Token } else { InvalidDigest::Digits });
        }
        let mut octets = [0; SHA256_OUTPUT_LEN];
        for (octet, pair) in octets.iter_mut().zip(digits) {
            let pair = std::str::from_utf8(pair).map_err(|_| InvalidDigest::Digits)?;
            *octet = u8::from_str_radix(pair, 16).map_err(|_| InvalidDigest::Digits)?;
        }
        Ok(Digest(octets))
    }
}

/// What is not the digest of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidDigest {
    /// It has other characters, or too few or too many.
    #[error("a SHA-256 has 64 hexadecimal digits; `halfopend token new` prints it")]
    Digits,
    /// It is a token, which belongs into no file.
    #[error("that is a token, and not its SHA-256: make a new one, because this one was written down")]
    Token,
}

/// Octets in hexadecimal.
struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_sha_256() {
        // FIPS 180-2, appendix B.1.
        let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of(b"abc").to_string(), text);
        assert_eq!(text.parse(), Ok(Digest::of(b"abc")));
        assert_eq!(text.to_uppercase().parse(), Ok(Digest::of(b"abc")));
        for (wrong, error) in [
            (&text[1..], InvalidDigest::Digits),
            (&format!("{text}0"), InvalidDigest::Digits),
            (&text.replace('b', "g"), InvalidDigest::Digits),
            ("", InvalidDigest::Digits),
            (&"é".repeat(32), InvalidDigest::Digits),
            (&new_secret().expect("randomness"), InvalidDigest::Token),
        ] {
            assert_eq!(wrong.parse::<Digest>(), Err(error), "{wrong}");
        }
    }

    #[test]
    fn every_token_is_another_and_travels_in_a_header() {
        let (one, other) = (new_secret().expect("randomness"), new_secret().expect("randomness"));
        assert_ne!(one, other);
        one.parse::<halfopen_proto::Token>().expect("a visible word");
        assert_eq!(one.len(), PREFIX.len() + 2 * RANDOM);
    }
}
