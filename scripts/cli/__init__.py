"""The command line `resformer`."""
