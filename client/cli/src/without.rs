//! Which options mean nothing to which commands.

/// Commands that talk to no server.
pub(crate) const WITHOUT_SERVER: [&str; 6] = ["completions", "doc", "help", "man", "schema", "serve"];

/// Commands that need no settings and must not fail because of a mistake in a file: shells call them when they start.
pub(crate) const WITHOUT_SETTINGS: [&str; 3] = ["completions", "help", "man"];
