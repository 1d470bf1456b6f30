"""Coverage-guided fuzzers of what reads bytes and texts of strangers: photos, requests and quantities."""
