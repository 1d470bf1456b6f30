"""Asks a service for known vulnerabilities of every locked package: `make audit`. Needs the network.

Exit codes: 0 none is known, 1 some are known, or a package could not be looked up: pip-audit itself ends with 0 then.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from resformer.model.files.whole_file import written_whole
from resformer.scripts.lib.external_error import ExternalError
from resformer.scripts.supply_chain.lock_files import FOLDER, LOCKS

__all__ = ["AuditError", "audit_command", "findings"]


class AuditError(ExternalError):
    """There is no complete answer, and why."""


def audit_command(locks: Sequence[Path], service: str) -> list[str]:
    """The call of pip-audit: reads the locks alone, installs and resolves nothing.

    Args:
        locks: Files with hashes.
        service: `osv` or `pypi`.
    """
    command = [sys.executable, "-m", "pip_audit", "--require-hashes", "--disable-pip", "--format", "json"]
    command += ["--progress-spinner", "off", "--vulnerability-service", service]
    return command + [word for lock in locks for word in ("--requirement", str(lock))]


def findings(report: dict[str, Any]) -> list[str]:
    """A line for each known vulnerability in a report of pip-audit.

    Raises:
        AuditError: A package was not looked up.
    """
    skipped = [dependency["name"] for dependency in report["dependencies"] if "skip_reason" in dependency]
    if skipped or not report["dependencies"]:
        raise AuditError(
            f"{len(skipped)} of {len(report['dependencies'])} packages could not be looked up "
            f"({', '.join(skipped[:3])} ...); ask again where the service can be reached"
        )
    return [
        f"{dependency['name']} {dependency['version']}: {found['id']}, "
        f"fixed in {', '.join(found['fix_versions']) or 'no version yet'}"
        for dependency in report["dependencies"]
        for found in dependency["vulns"]
    ]


def _report(locks: Sequence[Path], service: str) -> dict[str, Any]:
    done = subprocess.run(audit_command(locks, service), capture_output=True, text=True)
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except json.JSONDecodeError as error:
        reason = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise AuditError(f"pip-audit gave no report; {service} must be reachable: {reason}") from error
    return report


def _main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("locks", type=Path, nargs="*", default=[Path(FOLDER) / f"{name}.txt" for name in LOCKS])
    parser.add_argument("--service", choices=("osv", "pypi"), default="osv")
    parser.add_argument("--out", type=Path, default=Path("build/audit.json"))
    options = parser.parse_args()
    report = _report(options.locks, options.service)
    found = findings(report)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(options.out) as file:
        file.write(json.dumps(report, indent=2) + "\n")
    print("\n".join([*found, f"{len(report['dependencies'])} packages, {len(found)} known vulnerabilities"]))
    return 1 if found else 0


if __name__ == "__main__":
    try:
        sys.exit(_main())
    except (ExternalError, OSError, ValueError) as error:
        sys.exit(f"make audit: {error}")
