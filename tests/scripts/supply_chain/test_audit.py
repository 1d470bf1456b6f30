"""The audit reads the locks, and no answer is never taken for no vulnerabilities. No service is asked."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from resformer.scripts.supply_chain.audit import AuditError, audit_command, findings
from tests.paths import ROOT


def test_pip_audit_reads_the_locks() -> None:
    """Its dry run looks at everything but the service."""
    command = audit_command([ROOT / "locks" / "serve.txt", ROOT / "locks" / "gradio.txt"], "osv")
    done = subprocess.run([*command, "--dry-run"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "would have audited 101 packages" in done.stderr, done.stderr


def test_without_a_network_it_fails(tmp_path: Path) -> None:
    """The address of the proxy is one where nothing listens."""
    environment = {**os.environ, "https_proxy": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9"}
    module = "resformer.scripts.supply_chain.audit"
    command = [sys.executable, "-m", module, str(ROOT / "locks" / "gradio.txt"), "--out", str(tmp_path / "audit.json")]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert "make audit: pip-audit gave no report; osv must be reachable" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "audit.json").exists()


def test_a_vulnerability_is_a_line() -> None:
    found = {"id": "PYSEC-0", "fix_versions": ["2"], "aliases": [], "description": ""}
    report = {"dependencies": [{"name": "a", "version": "1", "vulns": [found, {**found, "fix_versions": []}]}]}
    assert findings(json.loads(json.dumps(report))) == [
        "a 1: PYSEC-0, fixed in 2",
        "a 1: PYSEC-0, fixed in no version yet",
    ]
    assert findings({"dependencies": [{"name": "a", "version": "1", "vulns": []}]}) == []


def test_a_package_that_was_not_looked_up_is_an_error() -> None:
    known = {"name": "a", "version": "1", "vulns": []}
    with pytest.raises(AuditError, match="1 of 2 packages could not be looked up"):
        findings({"dependencies": [known, {"name": "b", "skip_reason": "not found"}]})
    with pytest.raises(AuditError, match="0 of 0 packages"):
        findings({"dependencies": []})
