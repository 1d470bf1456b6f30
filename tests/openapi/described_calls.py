"""Calls that the OpenAPI description allows and forbids, sent to a running server by Schemathesis."""

import os
import re
import subprocess
import sys
from pathlib import Path

from resformer.scripts.torchserve.server import Server
from tests.servers import OPENAPI

__all__ = ["send_described_calls"]

FOLDER = Path(__file__).parent


def send_described_calls(server: Server, work: Path, phases: str, examples: int) -> str:
    """Sends calls, and returns what is wrong with the answers: nothing where each is as described.

    Args:
        work: A folder for what is left behind.
        phases: Of Schemathesis, separated by commas.
        examples: Of each operation and phase, at most.
    """
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(FOLDER / "schemathesis.toml")]
    command += ["run", str(OPENAPI), "--url", f"http://127.0.0.1:{server.port}", "--checks", "all", "--no-color"]
    # Any text may name an entity, of which the server knows some, and most bytes are no photo.
    command += ["--exclude-checks", "positive_data_acceptance"]
    command += ["--header", f"Authorization: Bearer {server.key('inference')}", "--continue-on-failure"]
    command += ["--phases", phases, "--max-examples", str(examples), "--request-timeout", "60", "--warnings", "off"]
    path = os.pathsep.join([str(FOLDER), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": path}
    done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True)
    sent_some = re.search(r"\b[1-9]\d* generated", done.stdout)
    return "" if done.returncode == 0 and sent_some else done.stdout + done.stderr
