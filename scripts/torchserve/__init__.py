"""Building of archives, and serving of them with TorchServe."""
