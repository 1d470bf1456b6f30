"""The TorchServe handler: a thin adapter over the predictor."""
