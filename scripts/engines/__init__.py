"""What answers the open questions of a scoring run: threads of this process, worker processes, or a Ray cluster."""
