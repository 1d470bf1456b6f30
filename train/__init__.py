"""Training, evaluation and the tools that make their data."""
