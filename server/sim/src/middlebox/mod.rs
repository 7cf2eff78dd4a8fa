//! Boxes on the way that keep state of connections.

mod faults;
mod rewrite;
mod states;
#[cfg(test)]
mod tests;
mod tracker;
mod translate;
mod walk;
mod window;

pub(crate) use walk::{Coming, Middleboxes};
