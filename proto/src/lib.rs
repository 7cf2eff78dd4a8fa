//! The `halfopen.v1` protocol.
