"""A server under mixed load for minutes, while its workers are killed."""
