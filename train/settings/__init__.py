"""Settings of training runs: YAML files (train/configs), checked on load with all errors at once."""
