//! Ids that nobody can guess.

use tonic::Status;

use crate::status;

/// A new one.
pub(crate) fn new() -> Result<String, Status> {
    let mut octets = [0_u8; 16];
    getrandom::fill(&mut octets).map_err(|error| status::no_randomness(&error))?;
    Ok(octets.iter().map(|octet| format!("{octet:02x}")).collect())
}
