"""Form fields of one name reach the handler, through TorchServe's own worker."""

from typing import Any

import pytest
from ts.service import Service

from resformer.handler.repeated_fields import keep_repeated_fields


@pytest.fixture(autouse=True)
def worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Service, "retrieve_data_for_inference", staticmethod(Service.retrieve_data_for_inference))
    keep_repeated_fields()


def row(*fields: tuple[str, bytes]) -> dict[str, Any]:
    parameters = [{"name": name, "contentType": "", "value": bytearray(value)} for name, value in fields]
    request = {"requestId": bytearray(b"1"), "headers": [], "parameters": parameters}
    _, rows, _ = Service.retrieve_data_for_inference([request, request])
    assert rows[0] == rows[1]
    found: dict[str, Any] = rows[0]
    return found


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([("image", b"a")], {"image": b"a"}),
        ([("image", b"a"), ("data", b"b")], {"image": b"a", "data": b"b"}),
        ([("image", b"a"), ("image", b"b")], {"image": (b"a", b"b")}),
        ([("image", b"a"), ("image", b"a")], {"image": (b"a", b"a")}),
        ([("e", b"a"), ("image", b"b"), ("e", b"c"), ("e", b"d")], {"e": (b"a", b"c", b"d"), "image": b"b"}),
        ([], {}),
    ],
)
def test_fields_of_one_name(fields: list[tuple[str, bytes]], expected: dict[str, Any]) -> None:
    assert row(*fields) == expected
