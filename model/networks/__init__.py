"""The architecture: torch modules alone. A change here needs new weights."""
