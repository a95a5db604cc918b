"""The file of `--auth`: an issuer of OpenID Connect tokens, a trusted proxy, and their rules."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..._util.printable import shown
from ..._util.signals import not_from_signal
from ...config.source_map import Section, plain, read_bytes, read_yaml
from ...config.templates import filled_in
from ...extras import require
from .authenticator import Authenticator
from .caller import SCOPES
from .claims import Condition, Rules
from .proxy import TrustedProxy

_RULES = ("name", "scopes", "runs", "all_runs")
_OIDC = ("issuer", "audience", "keys", "algorithms", *_RULES)
_PROXY = ("addresses", "headers", *_RULES)


def read_auth_file(path: str | os.PathLike[str]) -> list[Authenticator]:
    """Return the authenticators that a file describes; docs/serving.md has an example.

    Parameters
    ----------
    path
        Of a YAML file with the keys ``oidc`` or ``proxy``, or both.

    Returns
    -------
    list[Authenticator]
        For `Access`, in the order in which they are tried.

    Raises
    ------
    InvalidConfiguration
        It says something that cannot be carried out; the line is named.
    MissingExtra
        What checks tokens is not installed.
    """
    file = Path(path)
    section = filled_in(plain(*_read(file)))
    section.check_keys(("oidc", "proxy"))
    found: list[Authenticator] = []
    if "proxy" in section:
        found.append(_proxy(section.section("proxy")))
    if "oidc" in section:
        found.append(_oidc(section.section("oidc")))
    if not found:
        raise section.error("it is empty. It takes 'oidc', 'proxy', or both.")
    return found


def _read(file: Path) -> tuple[Any, Path, Any]:
    values, lines = read_yaml(file)
    return values, file, lines


def _proxy(section: Section) -> Authenticator:
    section.check_keys(_PROXY)
    headers = section.section("headers")
    named = {claim: _text(headers, claim) for claim in headers}
    rules = _rules(section, "user")
    if rules.name not in named:
        raise section.error(f"'headers' must say which one has the {rules.name!r}.", "headers")
    return TrustedProxy(_texts(section, "addresses"), named, rules)


def _oidc(section: Section) -> Authenticator:
    oidc = require("databroker.server.access.oidc", "oidc")
    section.check_keys(_OIDC)
    authenticator: Authenticator = oidc.OpenIDConnect(
        issuer=_text(section, "issuer"),
        audience=_text(section, "audience"),
        keys=_public_keys(section),
        rules=_rules(section, "sub"),
        algorithms=(_texts(section, "algorithms") if "algorithms" in section else oidc.ALGORITHMS),
    )
    return authenticator


def _public_keys(section: Section) -> Mapping[str, Any] | str:
    """Return the keys that stand there or in the file that is named, or their address."""
    given = section.get("keys")
    if isinstance(given, Mapping):
        return given
    place = _text(section, "keys")
    if "://" in place:
        return place
    try:
        found = json.loads(read_bytes(section.folder / Path(place).expanduser()))
    except not_from_signal(OSError, ValueError) as error:
        raise section.error(f"the keys in {place} cannot be read: {error}.", "keys") from error
    if not isinstance(found, Mapping):
        raise section.error(f"{place} has no JSON Web Key Set.", "keys")
    return found


def _rules(section: Section, name: str) -> Rules:
    scopes, runs = section.section("scopes"), section.section("runs")
    scopes.check_keys(SCOPES, "'scopes'")
    return Rules(
        _text(section, "name") if "name" in section else name,
        {scope: _condition(scopes, scope) for scope in SCOPES if scope in scopes} or {"read": True},
        {key: _text(runs, key) for key in runs},
        _condition(section, "all_runs") if "all_runs" in section else False,
    )


def _condition(section: Section, key: str) -> Condition:
    given = section[key]
    if isinstance(given, bool):
        return given
    if not isinstance(given, Mapping):
        raise section.error(
            f"{key!r} must be true, false, or a mapping of claims to values, not {shown(given)}.",
            key,
        )
    claims = section.section(key)
    return {claim: _texts(claims, claim) for claim in claims}


def _text(section: Section, key: str) -> str:
    given = section.get(key)
    if not isinstance(given, str) or not given:
        raise section.error(f"{key!r} must be a text, not {shown(given)}.", key)
    return given


def _texts(section: Section, key: str) -> Sequence[str]:
    given = section.get(key)
    is_list = isinstance(given, list) and given and all(isinstance(each, str) for each in given)
    if not is_list:
        raise section.error(f"{key!r} must be a list of texts, not {shown(given)}.", key)
    texts: list[str] = section[key]
    return texts
