//! The sans-IO TCP.
