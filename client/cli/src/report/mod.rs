//! Reports in files: `--report KIND=PATH`.

mod captures;
mod file;
mod kinds;

pub(crate) use file::discard_unfinished;
pub(crate) use kinds::{Report, open};
