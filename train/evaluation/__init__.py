"""Scores of predictions, and the benchmarks with their tables and figures."""
