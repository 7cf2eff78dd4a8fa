//! `halfopen schema`: the JSON Schema of scenarios.

use std::io::Write;

use crate::failure::Failure;
use crate::{exit, output};

/// The schema is that of the loader in this process: no service is needed.
pub(super) fn execute() -> Result<u8, Failure> {
    let mut out = output::stdout();
    out.write_all(halfopend::schema().as_bytes())?;
    out.flush()?;
    Ok(exit::PASSED)
}
