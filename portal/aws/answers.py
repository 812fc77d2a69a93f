"""What a service answers to the outside: its address fetched as a browser would, within bounds.

A sandbox account has no load balancer that could be asked: there the sandbox says whether one would have
found a healthy target, and the answer is marked as simulated.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import json
import socket
import ssl
import time
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

from django.utils.translation import gettext as _

from portal.aws.sessions import AccountAccess

SECONDS: Final = 10.0
MOST: Final = 64 * 1024
REDIRECTS: Final = 3
MOVED: Final = frozenset({301, 302, 303, 307, 308})
# Where containers and machines on AWS find keys, beside the link-local addresses.
METADATA: Final = (ipaddress.ip_network("fd00:ec2::/32"),)
PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Answer:
    """The HTTP status, or 0 and `why` when there was none; `refused`: asking again would be no use."""

    status: int
    why: str = ""
    simulated: bool = False
    refused: bool = False


def answer_of(access: AccountAccess, url: str, service_arn: str, *, wanted: int = 200) -> Answer:
    """Ask an address once. Redirects are followed on its own host, unless one is what is `wanted`."""
    if access.endpoint_url:
        return _simulated(access, url, service_arn)
    deadline = time.monotonic() + SECONDS
    here = urlsplit(url)
    for _turn in range(REDIRECTS + 1):
        try:
            status, location = _fetch(here, deadline)
        except _RefusedError as refused:
            return Answer(0, str(refused), refused=True)
        except (OSError, http.client.HTTPException, ValueError) as failed:
            return Answer(0, _("No answer: %(why)s") % {"why": str(failed) or type(failed).__name__})
        if status not in MOVED or status == wanted or not location:
            return Answer(status)
        there = urlsplit(urljoin(here.geturl(), location))
        if there.hostname != here.hostname:
            return Answer(status, _("It redirects to another host: %(host)s") % {"host": there.hostname})
        here = there
    return Answer(0, _("It redirects again and again."))


class _RefusedError(Exception):
    """An address that the portal does not ask."""


def _fetch(url: SplitResult, deadline: float) -> tuple[int, str]:
    """(status, Location). The address is looked up once, and what was checked is what is connected to."""
    if url.scheme not in PORTS or not url.hostname:
        raise _RefusedError(_("Only http:// and https:// addresses are asked."))
    port = url.port or PORTS[url.scheme]
    with _connected(_addresses(url.hostname, port), port, deadline) as plain:
        wire = _encrypted(plain, url.hostname) if url.scheme == "https" else plain
        connection = http.client.HTTPConnection(url.hostname, port, timeout=_left(deadline))
        connection.sock = wire
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        connection.request(
            "GET", path, headers={"User-Agent": "gatehouse", "Accept": "*/*", "Connection": "close"}
        )
        response = connection.getresponse()
        _read_some(response, deadline)
        found = response.status, response.getheader("Location", "") or ""
        wire.close()
    return found


def _encrypted(plain: socket.socket, host: str) -> socket.socket:
    return ssl.create_default_context().wrap_socket(plain, server_hostname=host)


def _read_some(response: http.client.HTTPResponse, deadline: float) -> None:
    """Take the first of the body, as a client would, but no more than that and not for ever."""
    left = MOST
    while left > 0 and (piece := response.read1(min(left, 8192))):
        left -= len(piece)
        _left(deadline)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError(_("it took more than %(n)s seconds") % {"n": int(SECONDS)})
    return left


def _connected(addresses: list[str], port: int, deadline: float) -> socket.socket:
    """To the first that answers: a host may have an address of a kind that there is no way to from here."""
    for address in addresses[:-1]:
        with contextlib.suppress(OSError):
            return socket.create_connection((address, port), timeout=_left(deadline))
    return socket.create_connection((addresses[-1], port), timeout=_left(deadline))


def _addresses(host: str, port: int) -> list[str]:
    """The host's addresses, none of which may be this machine's own or one that hands out keys."""
    found = [str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for text in found:
        if _inside(text):
            raise _RefusedError(
                _("%(host)s is at %(address)s, an address of the portal's own machine; it is not asked.")
                % {"host": host, "address": text}
            )
    return list(dict.fromkeys(found))


def _inside(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped or address
    return (
        address.is_loopback
        or address.is_link_local
        or address.is_unspecified
        or address.is_multicast
        or address.is_reserved
        or any(address in network for network in METADATA if network.version == address.version)
    )


def _simulated(access: AccountAccess, url: str, service_arn: str) -> Answer:
    there = urlsplit(access.endpoint_url)
    asked = json.dumps({"url": url, "service": service_arn})
    try:
        connection = http.client.HTTPConnection(there.hostname or "", there.port, timeout=SECONDS)
        connection.request("POST", "/sandbox/ecs/answer", asked, {"Content-Type": "application/json"})
        response = connection.getresponse()
        said = json.loads(response.read(MOST))
        connection.close()
    except (OSError, http.client.HTTPException, ValueError) as failed:
        return Answer(0, _("No answer: %(why)s") % {"why": failed}, simulated=True)
    return Answer(int(said.get("status", 0)), str(said.get("why", "")), simulated=True)
