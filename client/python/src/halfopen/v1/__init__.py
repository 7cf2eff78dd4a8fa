"""The messages of the protocol, generated from `proto/halfopen/v1`."""
