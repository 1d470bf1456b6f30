"""The reference of the HTTP API, from its OpenAPI description."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from resformer.scripts.docs_site.schema_text import describe, properties_of, table

__all__ = ["http_api_page"]

METHODS = ("get", "put", "post", "delete", "patch")


def http_api_page(openapi: Path, download: str) -> str:
    """The page in Markdown.

    Args:
        openapi: The description, in YAML.
        download: Where the page links to for the file itself.
    """
    document = yaml.safe_load(openapi.read_text(encoding="utf-8"))
    schemas = document["components"]["schemas"]
    links = {name: f"[{name}](#{name.lower()})" for name in schemas}
    parts = [
        "# HTTP API",
        f"From the [OpenAPI description]({download}) of version {document['info']['version']}. [API](../api.md) "
        "explains requests and answers, with examples.",
    ]
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                shared = item.get("parameters", ())
                parts += _operation(f"{method.upper()} {path}", shared, operation, document, links)
    parts.append("## Schemas")
    for name, schema in schemas.items():
        parts += _schema(name, schema, links)
    return "\n\n".join(parts) + "\n"


def _operation(
    title: str, shared: Sequence[Any], operation: Mapping[str, Any], document: Any, links: Mapping[str, str]
) -> list[str]:
    parameters = [_resolved(parameter, document) for parameter in (*shared, *operation.get("parameters", ()))]
    responses = {status: _resolved(response, document) for status, response in operation["responses"].items()}
    rows = [
        [f"`{p['name']}`", p["in"], describe(p["schema"], links), p.get("description", "")]
        for p in sorted(parameters, key=lambda parameter: not parameter.get("required", False))
    ]
    bodies = _resolved(operation.get("requestBody", {}), document).get("content", {})
    body_rows = [[f"`{kind}`", describe(body["schema"], links)] for kind, body in bodies.items()]
    return [
        f"## `{title}`",
        operation["summary"],
        operation.get("description", ""),
        _security(document),
        "### Parameters",
        table(["name", "in", "value", "meaning"], rows),
        *(["### Request body", table(["media type", "body"], body_rows)] if body_rows else []),
        "### Responses",
        table(
            ["status", "body", "meaning"],
            [[status, _bodies(response, links), response["description"]] for status, response in responses.items()],
        ),
    ]


def _bodies(response: Mapping[str, Any], links: Mapping[str, str]) -> str:
    return ", ".join(describe(body["schema"], links) for body in response.get("content", {}).values())


def _security(document: Any) -> str:
    schemes = [
        document["components"]["securitySchemes"][name] for need in document.get("security", ()) for name in need
    ]
    bearer = any(scheme.get("scheme") == "bearer" for scheme in schemes)
    return "Every call carries a key: `Authorization: Bearer KEY`." if bearer else ""


def _schema(name: str, schema: Mapping[str, Any], links: Mapping[str, str]) -> list[str]:
    parts = [f"### {name}", schema.get("description", "")]
    if "properties" not in schema:
        return [*parts, describe(schema, links)]
    rows = [[f"`{p.name}`", p.value, "yes" if p.required else "", p.meaning] for p in properties_of(schema, links)]
    return [*parts, table(["key", "value", "required", "meaning"], rows)]


def _resolved(node: Any, document: Any) -> Any:
    if "$ref" not in node:
        return node
    for part in node["$ref"].removeprefix("#/").split("/"):
        document = document[part]
    return document
