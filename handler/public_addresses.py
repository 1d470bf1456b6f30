"""Which addresses are hosts of the public internet, and no part of this machine, its network or its cloud."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

__all__ = ["is_public_address"]

# Beyond what `is_global` knows: the relay of 6to4, multicast, and Azure's own services for a machine.
NOT_PUBLIC_4: Final = tuple(map(IPv4Network, ("192.0.0.0/24", "192.88.99.0/24", "224.0.0.0/4", "168.63.129.16/32")))
# All global unicast addresses are in the first. Those of Teredo and 6to4 carry IPv4 addresses, as do all outside it
# that do: mapped, compatible, and NAT64's.
UNICAST_6: Final = IPv6Network("2000::/3")
NOT_PUBLIC_6: Final = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))


def is_public_address(text: str) -> bool:
    """Whether an IP address, as `getaddrinfo` writes it, may be connected to for a caller. False for other text."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in NOT_PUBLIC_4)
    return _is_public_6(address)


def _is_public_6(address: IPv6Address) -> bool:
    return (
        address.is_global
        and address.scope_id is None
        and address in UNICAST_6
        and not any(address in network for network in NOT_PUBLIC_6)
    )
