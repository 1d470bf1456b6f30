"""The files of deploy/ and compose.yaml."""
