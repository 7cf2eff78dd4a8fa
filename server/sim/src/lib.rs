//! One run of a scenario.
