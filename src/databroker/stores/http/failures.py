"""What goes wrong on the way to a server, as exceptions of ours."""

from __future__ import annotations

import json
import os
import socket
import ssl
from http import HTTPStatus
from http.client import HTTPResponse

from ... import __version__
from ..._util.secrets import hide_passwords
from ...errors import DatabrokerError, InvalidRequest, StoreAway, StoreUnavailable
from ..wire.problems import from_problem

LATER = (429, 502, 503, 504)
"""What a proxy before a server says that cannot answer now."""


def not_reached(error: Exception, name: str) -> StoreUnavailable:
    """Return our exception for a connection that cannot be made.

    Mistakes in an address are told from a server that is away, which may be there later.

    Examples
    --------
    >>> print(not_reached(ssl.SSLCertVerificationError("it is self-signed"), "The server"))
    The server has a certificate that is not trusted here: ...it is self-signed... SSL_CERT_FILE...
    """
    if isinstance(error, TimeoutError):
        return StoreAway(f"{name} takes too long to be reached. Try again later.")
    if isinstance(error, ssl.SSLCertVerificationError):
        return StoreUnavailable(f"{name} {_of_certificate(error)}")
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
        return StoreUnavailable(
            f"{name} does not encrypt as 'https' in its address has it: {_text(error)}. "
            "`databroker serve` is at an address with 'http'; a proxy before it may be at 'https'."
        )
    if isinstance(error, socket.gaierror) and error.errno == socket.EAI_NONAME:
        return StoreUnavailable(
            f"{name} cannot be reached: nobody knows a host of this name ({_text(error)}). Is the "
            "address right?"
        )
    return StoreAway(
        f"{name} cannot be reached: {_text(error)}. Does the server run, and are its host and "
        "port right?"
    )


def not_answered(error: Exception, name: str, asked: str, timeout: float) -> StoreAway:
    """Return our exception for an answer that did not come, or not whole."""
    if isinstance(error, TimeoutError):
        return StoreAway(
            f"{name} takes too long to answer {asked!r} (nothing came for {timeout:g} s). Try "
            "again later, or give the option 'timeout' more seconds."
        )
    return broke_off(name, asked, _text(error))


def broke_off(name: str, asked: str, how: str) -> StoreAway:
    """Return our exception for an answer of which a part came."""
    return StoreAway(f"{name} broke off while it answered {asked!r}: {how}. Ask again.")


def refused(response: HTTPResponse, name: str, asked: str, version: str | None) -> DatabrokerError:
    """Return our exception for an answer that is an error; the server told its version, or not."""
    problem = _problem(response.read())
    differs = version not in (None, __version__)
    versions = f"The server has databroker {version}, and here is {__version__}"
    if problem is not None:
        error = from_problem(problem)
        of_another = differs and isinstance(error, InvalidRequest)
        return InvalidRequest(f"{error} {versions}.") if of_another else error
    if response.status in LATER:
        return StoreAway(
            f"{name} cannot answer now, says a proxy before it (HTTP {response.status}). Does the "
            "server run?"
        )
    if response.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return StoreUnavailable(
            f"{name} does not get {asked!r}: a proxy before it takes no request so large (HTTP "
            "413). Have it take larger ones; in nginx, that is `client_max_body_size`."
        )
    if 300 <= response.status < 400:
        return StoreUnavailable(
            f"{name} sends on to {response.headers.get('location')!r:.200} (HTTP "
            f"{response.status}), which is not followed: the token is for nobody else. If that is "
            "where it is now, have the address begin like that."
        )
    if response.status == HTTPStatus.NOT_FOUND and differs:
        return StoreUnavailable(
            f"{name} does not know {asked!r}. {versions}: a server must not be older than who asks."
        )
    return not_understood(response, name)


def not_understood(response: HTTPResponse, name: str) -> StoreUnavailable:
    """Return our exception for an answer that a server of databroker does not give."""
    kind = response.headers.get("content-type", "nothing")
    return StoreUnavailable(
        f"{name} answers with HTTP {response.status} and {kind}, and not as a server of "
        "databroker does. Is the address right? It ends with the name of a source, as `databroker "
        f"serve` shows it. Or the server is older than databroker {__version__}, which asks it."
    )


def _of_certificate(error: ssl.SSLCertVerificationError) -> str:
    """Say what is wrong with a certificate; the codes are those of OpenSSL."""
    code, text = getattr(error, "verify_code", None), _text(error)
    if code in (62, 64):
        return (
            f"has a certificate for another host: {text}. Is the host in the address right? A "
            "server that has moved needs a certificate for its new name."
        )
    if code in (9, 10):
        return (
            f"has a certificate that is not valid today: {text}. If the clock of this machine is "
            "right, the server needs a new one."
        )
    file = os.environ.get("SSL_CERT_FILE")
    if file and not os.path.exists(file):
        mend = f"The variable SSL_CERT_FILE names {file}, which is not there."
    else:
        mend = (
            "If it is one of your own, have the variable SSL_CERT_FILE name a file with it, or "
            "with who signed it."
        )
    return f"has a certificate that is not trusted here: {text}. {mend}"


def _text(error: Exception) -> str:
    return hide_passwords(str(error)) or type(error).__name__


def _problem(body: bytes) -> dict[str, str] | None:
    try:
        problem = json.loads(body)
    except ValueError:
        return None
    is_one = isinstance(problem, dict) and "code" in problem and "message" in problem
    return problem if is_one else None
