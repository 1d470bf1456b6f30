"""The monitor: a small process beside TorchServe and nginx that knows how they are, for probes and Prometheus.

    python -m resformer.scripts.monitor --folder FOLDER --listen FOLDER/monitor.sock

It needs no torch, starts at once, and outlives both: what does not answer is a state that it reports.
"""
