"""Whose address a request came from, past the proxies that are trusted and no further."""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

_LONGEST_REMEMBERED: Final = 256
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class ClientIp:
    """Reads X-Forwarded-For from the right: each trusted proxy vouches for the one before it."""

    def __init__(self, trusted_proxies: Iterable[str]) -> None:
        self._networks = [ipaddress.ip_network(proxy) for proxy in trusted_proxies]
        self.is_trusted = lru_cache(1024)(self._is_trusted)
        self._remembered = lru_cache(4096)(self._of)

    def of(self, peer: str, forwarded_for: str) -> str | None:
        """The client's address, given who connected and the X-Forwarded-For header."""
        if not forwarded_for or not self.is_trusted(peer):
            return self._remembered(peer, "")
        is_short = len(forwarded_for) <= _LONGEST_REMEMBERED
        return (self._remembered if is_short else self._of)(peer, forwarded_for)

    def _is_trusted(self, peer: str) -> bool:
        """Whether what `peer` says in X-Forwarded-* is believed."""
        address = _address(peer)
        return address is not None and any(address in network for network in self._networks)

    def _of(self, peer: str, forwarded_for: str) -> str | None:
        client = _address(peer)
        for hop in reversed(forwarded_for.split(",")):
            if client is None or not self.is_trusted(str(client)):
                break
            before = _address(hop.strip())
            if before is None:
                break
            client = before
        return None if client is None else str(client)


def _address(text: str) -> _Address | None:
    """The address in `text`, which may come with a port; an IPv4 one mapped into IPv6 is itself."""
    host = text.partition("]")[0].removeprefix("[") if text.startswith("[") else text
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return None
    mapped = getattr(found, "ipv4_mapped", None)
    return mapped or found
