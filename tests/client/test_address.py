"""Addresses of servers."""

import pytest

from resformer.client.address import DEFAULT_URL, Address


@pytest.mark.parametrize(
    ("given", "whole"),
    [
        (DEFAULT_URL, DEFAULT_URL),
        ("http://127.0.0.1:8080", DEFAULT_URL),
        (" http://127.0.0.1:8080/ ", DEFAULT_URL),
        ("https://shop.example.com/api/predictions/resformer/", "https://shop.example.com/api/predictions/resformer"),
        ("http://[::1]:8080", "http://[::1]:8080/predictions/resformer"),
        ("grpc://localhost", "grpc://localhost:8083"),
        ("grpcs://[::1]:9000/", "grpcs://[::1]:9000"),
    ],
)
def test_addresses(given: str, whole: str) -> None:
    assert Address.parse(given).url == whole


def test_what_carries_requests() -> None:
    address = Address.parse("grpcs://shop.example.com:9000")
    assert (address.is_grpc, address.is_secure, address.is_local) == (True, True, False)
    assert address.target == "shop.example.com:9000"
    address = Address.parse(DEFAULT_URL)
    assert (address.is_grpc, address.is_secure, address.is_local) == (False, False, True)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("127.0.0.1:8080", "is no address; name it like http://127.0.0.1:8080/predictions/resformer or grpc://"),
        ("ftp://127.0.0.1", "is no address"),
        ("http://", "is no address"),
        ("http://127.0.0.1:port", "is no address"),
        ("http://127.0.0.1:8080?entity_name=width", "query string"),
        ("grpc://127.0.0.1:8083/predictions/resformer", "gRPC has none"),
        ("https://user:secret@shop.example.com", "has a user in it"),
    ],
)
def test_what_is_none(url: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        Address.parse(url)
    assert "secret" not in str(refused.value)
