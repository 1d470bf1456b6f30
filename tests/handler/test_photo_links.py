"""Photos of links, from a host on loopback whose names a resolver of the test's own gives."""

import asyncio
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from resformer.handler.link_rules import LinkRules
from resformer.handler.photo_links import PhotoLinks
from resformer.handler.public_addresses import is_public_address
from resformer.model.errors import (
    BadRequest,
    ImageTooLarge,
    LinkFailed,
    ResformerError,
    UnsupportedImage,
    UrlNotAllowed,
)
from tests.handler.photo_host import PHOTO, PhotoHost

NAME = "images.example.com"
LOOPBACK = "127.0.0.1"


class Names(AbstractResolver):
    """Answers each look-up of a name with the next of its lists of addresses, and in the end with the last."""

    def __init__(self, **addresses: list[list[str]]):
        self.addresses = {name.replace("_", "."): lists for name, lists in addresses.items()}
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.asked.append(host)
        lists = self.addresses.get(host, [])
        found = lists.pop(0) if len(lists) > 1 else next(iter(lists), [])
        if not found:
            raise OSError("no such name")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in found
        ]

    async def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def host() -> Iterator[PhotoHost]:
    with PhotoHost(NAME, "*.cdn.example.com") as host:
        yield host


@pytest.fixture
def names(host: PhotoHost) -> Names:
    host.asked.clear()
    return Names(images_example_com=[[LOOPBACK]], a_cdn_example_com=[[LOOPBACK]], other_example_com=[[LOOPBACK]])


def links_of(
    host: PhotoHost, names: Names, *, public: bool = True, seconds: float = 10.0, **options: Any
) -> PhotoLinks:
    """Follows links of the host, whose address passes for a public one unless `public` is false."""
    ports = [f"{name}:{host.port}" for name in (NAME, "*.cdn.example.com", "other.example.com")]
    return PhotoLinks(
        LinkRules(hosts=ports, seconds=seconds),
        5000,
        resolver=lambda: names,
        is_allowed=lambda address: is_public_address(address) or (public and address == LOOPBACK),
        tls=options.get("tls", host.tls),
    )


def link(host: PhotoHost, path: str, name: str = NAME) -> str:
    return f"https://{name}:{host.port}/{path}"


def test_photos_are_fetched_without_cookies_credentials_or_proxies(
    host: PhotoHost, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    links = links_of(host, names)
    for _ in range(2):
        assert links.fetch([link(host, "photo.jpg"), link(host, "photo.jpg", "a.cdn.example.com")]) == [PHOTO, PHOTO]
    for _, headers in host.asked:
        assert headers.keys() == {"Host", "User-Agent", "Accept", "Accept-Encoding", "Connection"}
        assert headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("http://images.example.com:PORT/photo.jpg", UrlNotAllowed),
        ("ftp://images.example.com:PORT/photo.jpg", UrlNotAllowed),
        ("file:///etc/passwd", UrlNotAllowed),
        ("//images.example.com:PORT/photo.jpg", UrlNotAllowed),
        ("photo.jpg", UrlNotAllowed),
        ("https://images.example.com/photo.jpg", UrlNotAllowed),  # the port is not listed
        ("https://images.example.com:22/photo.jpg", UrlNotAllowed),
        ("https://user@images.example.com:PORT/photo.jpg", UrlNotAllowed),
        ("https://:secret@images.example.com:PORT/photo.jpg", UrlNotAllowed),
        ("https://images.example.com@evil.example.net:PORT/", UrlNotAllowed),
        ("https://evil.example.net:PORT/images.example.com", UrlNotAllowed),
        ("https://images.example.com.evil.example.net:PORT/", UrlNotAllowed),
        ("https://cdn.example.com:PORT/photo.jpg", UrlNotAllowed),
        ("https://xcdn.example.com:PORT/photo.jpg", UrlNotAllowed),
        ("https://.cdn.example.com:PORT/photo.jpg", UrlNotAllowed),
        ("https://images.example.com.:PORT/photo.jpg", UrlNotAllowed),
        ("https://127.0.0.1:PORT/photo.jpg", UrlNotAllowed),
        ("https://[::1]:PORT/photo.jpg", UrlNotAllowed),
        ("https://[::ffff:127.0.0.1]:PORT/photo.jpg", UrlNotAllowed),
        ("https://2130706433:PORT/photo.jpg", UrlNotAllowed),
        ("https://localhost:PORT/photo.jpg", UrlNotAllowed),
        ("https://images.example.com:99999/photo.jpg", BadRequest),
        ("https://[images.example.com/photo.jpg", BadRequest),
        ("https://evil.example.net\\@images.example.com:PORT/", BadRequest),
        ("https://images.example.com:PORT/a b", BadRequest),
        ("https://images.example.com:PORT/a\r\nHost: b", BadRequest),
        ("https://images.example.com:PORT/\x00", BadRequest),
        ("https://images.example.com:PORT/\ud83d", BadRequest),
        ("https://images.example.com:PORT/" + "a" * 2000, BadRequest),
        ("https://" + "a" * 1000, UrlNotAllowed),
        ("https://", UrlNotAllowed),
    ],
)
def test_other_links_are_not_even_looked_up(
    host: PhotoHost, names: Names, text: str, kind: type[ResformerError]
) -> None:
    [error] = links_of(host, names).fetch([text.replace("PORT", str(host.port))])
    assert type(error) is kind
    assert len(str(error)) < 200
    assert (names.asked, host.asked) == ([], [])


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("https://a.cdn.example.com:PORT/photo.jpg", None),
        ("/photo.jpg", None),
        ("https://evil.example.net/photo.jpg", UrlNotAllowed),
        ("http://images.example.com:PORT/photo.jpg", UrlNotAllowed),
        ("https://127.0.0.1:PORT/photo.jpg", UrlNotAllowed),
        ("https://169.254.169.254/latest/meta-data", UrlNotAllowed),
        ("https://user:pass@images.example.com:PORT/photo.jpg", UrlNotAllowed),
        ("file:///etc/passwd", UrlNotAllowed),
        ("https://[", LinkFailed),
        ("/away", LinkFailed),  # for ever
        ("", LinkFailed),
    ],
)
def test_each_redirect_is_checked(
    host: PhotoHost, names: Names, target: str, kind: type[ResformerError] | None
) -> None:
    host.redirect = target.replace("PORT", str(host.port))
    [outcome] = links_of(host, names).fetch([link(host, "away")])
    assert outcome == PHOTO if kind is None else type(outcome) is kind
    assert len(host.asked) <= 4


@pytest.mark.parametrize(
    "addresses",
    [
        [LOOPBACK],
        ["10.0.0.1", "169.254.169.254", "192.168.1.1", "100.100.100.200"],
        ["::1", "fe80::1", "fd00:ec2::254", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1"],
    ],
)
def test_hosts_without_a_public_address_are_refused(host: PhotoHost, names: Names, addresses: list[str]) -> None:
    names.addresses[NAME] = [addresses]
    [error] = links_of(host, names, public=False).fetch([link(host, "photo.jpg")])
    assert isinstance(error, UrlNotAllowed) and "no public address" in str(error)
    assert not any(address in str(error) for address in addresses)
    assert host.asked == []


def test_of_several_addresses_the_public_ones_alone_are_connected_to(host: PhotoHost, names: Names) -> None:
    """127.0.0.1 passes for the public one; nothing may reach the others, where a server of the same port listens."""
    names.addresses[NAME] = [["10.0.0.1", "::1", LOOPBACK, "169.254.169.254"]]
    assert links_of(host, names).fetch([link(host, "photo.jpg")]) == [PHOTO]


def test_a_name_that_is_bound_anew_between_two_connections_is_refused(host: PhotoHost, names: Names) -> None:
    """One look-up for each connection, whose addresses were checked: there is no time in between to bind it anew."""
    names.addresses[NAME] = [[LOOPBACK], ["10.0.0.1"]]
    host.redirect = "/photo.jpg"
    [error] = links_of(host, names).fetch([link(host, "away")])
    assert isinstance(error, UrlNotAllowed)
    assert names.asked == [NAME, NAME]
    assert [path for path, _ in host.asked] == ["/away"]


@pytest.mark.parametrize(
    ("path", "kind", "message"),
    [
        ("page", UnsupportedImage, "leads to no photo"),
        ("short", UnsupportedImage, "leads to no photo"),
        ("missing", LinkFailed, "answered 404"),
        ("compressed", LinkFailed, "compressed"),
        ("large", ImageTooLarge, "5000 bytes"),
        ("endless", ImageTooLarge, "5000 bytes"),
        ("cut", LinkFailed, "broke off"),
        ("nonsense", LinkFailed, "does not speak HTTP"),
    ],
)
def test_what_is_no_photo(host: PhotoHost, names: Names, path: str, kind: type[ResformerError], message: str) -> None:
    [error] = links_of(host, names).fetch([link(host, path)])
    assert type(error) is kind and message in str(error)


def test_hosts_that_cannot_be_reached(host: PhotoHost, names: Names) -> None:
    del names.addresses["other.example.com"]
    [nowhere] = links_of(host, names).fetch([link(host, "photo.jpg", "other.example.com")])
    assert isinstance(nowhere, LinkFailed) and "has no address" in str(nowhere)
    with socket.create_server((LOOPBACK, 0)) as taken:
        closed = taken.getsockname()[1]
    rules = LinkRules(hosts=[f"{NAME}:{closed}"])
    links = PhotoLinks(rules, 5000, resolver=lambda: names, is_allowed=lambda _: True, tls=host.tls)
    [refused] = links.fetch([f"https://{NAME}:{closed}/photo.jpg"])
    assert isinstance(refused, LinkFailed) and "refused or broke off" in str(refused)


def test_certificates_are_checked(host: PhotoHost, names: Names) -> None:
    names.addresses["other.example.com"] = [[LOOPBACK]]
    [of_another] = links_of(host, names).fetch([link(host, "photo.jpg", "other.example.com")])
    [unknown] = links_of(host, names, tls=None).fetch([link(host, "photo.jpg")])
    for error in (of_another, unknown):
        assert isinstance(error, LinkFailed) and "certificate" in str(error)
    assert host.asked == []


def test_slow_hosts_hold_nobody_longer_than_the_limit(host: PhotoHost, names: Names) -> None:
    slow = [link(host, "drip"), link(host, "header_drip"), link(host, "drip")]
    start = time.monotonic()
    outcomes = links_of(host, names, seconds=1.0).fetch([*slow, link(host, "photo.jpg")])
    assert time.monotonic() - start < 2.5  # beside a limit of one second each, which would be three
    assert all(isinstance(error, LinkFailed) and "within 1 seconds" in str(error) for error in outcomes[:3])
    assert outcomes[3] == PHOTO


def test_a_name_that_is_looked_up_for_ever_ends_at_the_limit(host: PhotoHost, names: Names) -> None:
    class Hanging(Names):
        async def resolve(self, *_: Any, **__: Any) -> list[ResolveResult]:
            await asyncio.Event().wait()
            raise AssertionError

    links = links_of(host, Hanging(), seconds=0.3)
    start = time.monotonic()
    [error] = links.fetch([link(host, "photo.jpg")])
    assert isinstance(error, LinkFailed) and time.monotonic() - start < 3
