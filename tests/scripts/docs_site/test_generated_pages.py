"""Pages that are made from the code name everything that there is, and explain it."""

import json
import re

import pytest
import yaml

import resformer
from resformer.model.networks.presets import preset
from resformer.scripts.docs_site.command_line_page import command_line_page, command_names
from resformer.scripts.docs_site.http_api_page import http_api_page
from resformer.scripts.docs_site.network_figure import FIGURE, draw_network
from resformer.scripts.docs_site.notebook_page import notebook_page
from resformer.scripts.docs_site.python_api_page import python_api_page
from resformer.scripts.docs_site.settings_page import Model, documented_models, settings_page
from resformer.scripts.docs_site.site_pages import site_files
from tests.paths import ROOT
from tests.servers import OPENAPI


def test_commands_have_a_section_with_their_options() -> None:
    page = command_line_page()
    assert len(command_names()) > 20
    for name in command_names()[1:]:
        assert f"# `{name}`\n" in page
    assert "| `--min-confidence P` | Leave less confident answers empty" in page


@pytest.mark.parametrize("model", documented_models(), ids=lambda model: model.__name__)
def test_every_config_key_has_a_meaning(model: Model) -> None:
    section = settings_page().split(f"{{ #{model.__name__.lower()} }}")[1].split("\n##")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if line.startswith("| `")]
    meanings = {key.strip("`"): meaning for key, _, _, meaning in rows}
    own = {model.model_fields[name].alias or name for name in model.__annotations__ if name in model.model_fields}
    assert own <= meanings.keys()
    assert [key for key, meaning in meanings.items() if not meaning] == []


def test_the_openapi_description_is_shown() -> None:
    page = http_api_page(OPENAPI, "openapi.yaml")
    document = yaml.safe_load(OPENAPI.read_text(encoding="utf-8"))
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method == "parameters":
                continue
            assert f"## `{method.upper()} {path}`" in page
            assert all(f"\n| {status} |" in page for status in operation["responses"])
    for name, schema in document["components"]["schemas"].items():
        assert f"\n### {name}\n" in page
        assert all(f"| `{key}` |" in page for key in schema.get("properties", ()))
    assert "| `image.frames` |" in page
    assert "| `alternatives[].confidence` |" in page


def test_the_python_api_is_what_a_package_exports() -> None:
    page = python_api_page(resformer, "Python", first="Result")
    assert page.startswith("# Python\n\nProduct photos to structured values.\n\n::: resformer.Result\n")
    assert set(re.findall("::: resformer.(.*)", page)) == set(resformer.__all__) - {"__version__"}


def test_the_figure_has_the_sizes_of_the_shipped_preset() -> None:
    assert FIGURE.read_text(encoding="utf-8") == draw_network(preset("small")), "draw it again: see network_figure.py"


def test_a_notebook_is_text_and_code() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "\n", "Text."]},
        {"cell_type": "code", "source": ["%%bash\n", "ls\n"], "outputs": []},
        {"cell_type": "code", "source": ["x = 1\n", "x"], "outputs": []},
    ]
    page = notebook_page("notebooks/one.ipynb", json.dumps({"cells": cells}))
    assert page.startswith("# Title\n")
    assert page.endswith("\n\n```bash\nls\n```\n\n```python\nx = 1\nx\n```\n")


def test_files_that_documents_link_to_are_pages() -> None:
    files = site_files(ROOT)
    assert files["source/deploy/nginx/edge.conf.md"].startswith("# deploy/nginx/edge.conf\n\n````nginx\n")
    assert "(../../benchmarks/rows.json)" in files["source/docs/benchmarks.md"]
    assert files["reference/openapi.yaml"] == OPENAPI.read_text(encoding="utf-8")
