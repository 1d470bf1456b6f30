"""compose.yaml has the form of the Compose specification, and goes with the image."""

import re
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from tests.paths import ROOT

TEXT = (ROOT / "compose.yaml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]


def test_the_file_has_the_form_of_the_specification() -> None:
    PyCompose.from_yaml(TEXT).validate()
    with pytest.raises(ValueError):
        PyCompose.from_yaml(TEXT.replace("read_only:", "readonly:"))


@pytest.mark.parametrize("name", SERVICES)
def test_services_may_do_little(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "user", "cap_add"} & set(service)


def test_the_server_writes_where_it_may() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    declared = re.search(r"^VOLUME (\[.*\])$", dockerfile, re.MULTILINE)
    assert declared
    server = SERVICES["resformer"]
    assert [line.partition(":")[0] for line in server["tmpfs"]] == yaml.safe_load(declared[1])
    keys = server["environment"]["RESFORMER_KEYS"]
    assert f"keys:{keys}" in server["volumes"]
    assert re.search(rf"install -d -o resformer .* {keys}\n", dockerfile), "a new volume gets the folder's owner"


def test_the_edge_alone_is_reached_from_outside() -> None:
    assert {port["host_ip"] for port in SERVICES["resformer"]["ports"]} == {"127.0.0.1"}
    assert SERVICES["edge"]["ports"] == ["80:80", "443:443"]
    assert "./deploy/nginx:/srv/nginx:ro" in SERVICES["edge"]["volumes"]
    assert SERVICES["edge"]["depends_on"]["resformer"]["restart"], "the edge knows the addresses of its start alone"
    assert "server resformer:8080" in (ROOT / "deploy" / "nginx" / "edge.conf").read_text()
