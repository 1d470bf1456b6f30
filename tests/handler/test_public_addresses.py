"""Addresses that a server may connect to for a caller."""

import pytest

from resformer.handler.public_addresses import is_public_address


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "2606:4700::1111", "2a00:1450:4001:80b::200e"])
def test_public(address: str) -> None:
    assert is_public_address(address)


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "127.0.0.1", "127.255.255.254", "10.1.2.3", "172.16.0.1", "192.168.0.1", "100.64.0.1"),
        *("169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192", "192.88.99.1"),
        *("224.0.0.1", "239.1.2.3", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "203.0.113.9"),
        *("::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:8.8.8.8"),
        *("fe80::1", "fe80::1%eth0", "2606:4700::1111%eth0", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1"),
        *("64:ff9b::808:808", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2002:808:808::", "100::1"),
        *("2001:0:5ef5:79fb::1", "2001:db8::1", "3fff::1", "4000::1"),
        *("", "images.example.com", "127.1", "0x7f000001", "2130706433", "8.8.8.8:443", "[::1]", "08.8.8.8"),
    ],
)
def test_not_public(address: str) -> None:
    assert not is_public_address(address)
