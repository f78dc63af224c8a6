"""Which addresses the product may post to, so that nobody reaches the inside of a network through it. Pure but for
the look-up of names, which is passed in."""

import ipaddress
import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from bellwether.common.errors import InvalidInputError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]
NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True)
class Target:
    """Where one attempt goes: the name that the certificate must bear and the address that is connected to."""

    scheme: str
    host: str
    port: int
    path: str
    address: str

    @property
    def host_header(self) -> str:
        """The value of Host: with the port where it is not the usual one."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == {"https": 443, "http": 80}[self.scheme] else f"{name}:{self.port}"


class RefusedAddressError(InvalidInputError):
    """The address leads where the product does not go."""


def look_up(host: str, port: int) -> list[str]:
    """Return the addresses of a name as the system knows them; RefusedAddressError when there are none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise RefusedAddressError(f"The host {host} cannot be found.", {"url": "This host cannot be found."}) from error
    return [str(entry[4][0]).partition("%")[0] for entry in found]


def checked_url(url: str, *, allowed_hosts: Collection[str]) -> tuple[str, str, int, str]:
    """Return scheme, host, port and path of an address that may be stored; nothing is looked up.

    https only, no user name in it; http is for hosts in `allowed_hosts`. Raises RefusedAddressError naming `url`.
    """

    def refuse(sentence: str) -> RefusedAddressError:
        return RefusedAddressError(f"The address cannot be used. {sentence}", {"url": sentence})

    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise refuse("This is no address.") from None
    host = (parts.hostname or "").lower()
    if not host or any(character.isspace() or ord(character) < 33 for character in url.strip()):
        raise refuse("Give an address such as https://example.com/hooks.")
    if parts.username is not None or parts.password is not None:
        raise refuse("Leave user name and password out: requests are signed instead.")
    if parts.scheme not in {"https", "http"} or (parts.scheme == "http" and host not in allowed_hosts):
        raise refuse("Use https.")
    path = parts.path or "/"
    return (
        parts.scheme,
        host,
        port or (443 if parts.scheme == "https" else 80),
        path + (f"?{parts.query}" if parts.query else ""),
    )


def target_of(url: str, *, allowed_hosts: Collection[str], resolve: Resolve = look_up) -> Target:
    """Return where to connect for `url` now. All addresses of the name must be public ones, except for hosts in
    `allowed_hosts`; the one returned is connected to, so that a second look-up cannot give another."""
    scheme, host, port, path = checked_url(url, allowed_hosts=allowed_hosts)
    addresses = resolve(host, port)
    inside = [address for address in addresses if not is_public(ipaddress.ip_address(address))]
    if not addresses or (inside and host not in allowed_hosts):
        sentence = f"{host} leads into a private network. Name it in BELLWETHER_WEBHOOK_HOSTS if that is meant."
        raise RefusedAddressError(f"The address cannot be used. {sentence}", {"url": sentence})
    return Target(scheme, host, port, path, addresses[0])


def is_public(address: Address) -> bool:
    """Return whether an address is one of the public internet, also when it is written inside another one."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.teredo is not None:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved and not address.is_unspecified
