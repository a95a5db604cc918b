"""Files of the first databrokers: ``metadatastore:`` and ``assets:``, each a Mongo database.

They become the two URIs of the driver ``mongo-normalized``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit, urlunsplit

from .source_map import KeyPath, SourceMap

__all__ = ["is_pair", "mongo_uri", "translate"]

_PARTS = {
    "metadatastore": ("metadatastore_db", "databroker.headersource.mongo", ("MDS", "MDSRO")),
    "assets": ("asset_registry_db", "databroker.assets.mongo", ("Registry", "RegistryRO")),
}
_COMMON = ("description", "handlers", "root_map", "transforms")
_KEYS = (*_PARTS, *_COMMON, "timezone", "stale_after", "allowed_roots", "api_version")
_CONFIG = (
    *("uri", "host", "port", "database", "mongo_user", "mongo_pwd", "authsource"),
    *("timezone", "directory", "dbpath"),
)


def is_pair(mapping: Mapping[str, Any]) -> bool:
    """Tell whether a mapping has the form of the first databrokers."""
    return "driver" not in mapping and any(part in mapping for part in _PARTS)


def translate(whole: Mapping[str, Any], where: SourceMap) -> tuple[dict[str, Any], SourceMap]:
    """Turn it into databroker's own form, and say where each key came from."""
    where.check_keys(whole, _KEYS)
    if whole.get("api_version", 1) not in (1, 2):
        raise where.error(
            "'api_version' must be 1 or 2; the older interface is gone.", "api_version"
        )
    flat: dict[str, Any] = {"driver": "mongo-normalized"}
    moves: dict[str, KeyPath] = {"driver": ("metadatastore",)}
    for part, (key, module, classes) in _PARTS.items():
        config = _part(whole, part, module, classes, where)
        flat[key] = mongo_uri(config, where.inner(part, "config"))
        moves[key] = (part, "config")
        if config.get("timezone") is not None and "timezone" not in flat:
            flat["timezone"] = config["timezone"]
            moves["timezone"] = (part, "config", "timezone")
    for key in (*_COMMON, "timezone", "stale_after", "allowed_roots"):
        if whole.get(key) is not None:
            flat[key] = whole[key]
            moves[key] = (key,)
    return flat, where.moved(moves)


def _part(
    whole: Mapping[str, Any], part: str, module: str, classes: tuple[str, ...], where: SourceMap
) -> dict[str, Any]:
    if part not in whole:
        raise where.error(f"it needs {part!r} too.")
    described = where.mapping(whole[part], part)
    where.inner(part).check_keys(described, ("module", "class", "config"), repr(part))
    written = str(described.get("module", ""))
    if written != module or described.get("class") not in classes:
        if "sqlite" in written or "hdf5" in written:
            raise where.error(
                f"the files of {written!r} (databroker 0.x) cannot be read by this version.",
                part,
                "module",
            )
        raise where.error(
            f"{part!r} must be of module {module!r} and class {' or '.join(map(repr, classes))}.",
            part,
        )
    config = where.mapping(described.get("config"), part, "config")
    where.inner(part, "config").check_keys(config, _CONFIG, "'config'")
    return config


def mongo_uri(config: Mapping[str, Any], where: SourceMap) -> str:
    """Return the one URI that says what an old ``config:`` says in pieces.

    Examples
    --------
    >>> mongo_uri({"uri": "mongodb://ann:pw@db/", "database": "runs"}, SourceMap())
    'mongodb://ann:pw@db/runs?authSource=admin'
    """
    if not isinstance(config.get("database"), str) or not config["database"]:
        raise where.error("it needs 'database'.")
    database = quote(config["database"].encode("utf-8", "replace"), safe="")
    if config.get("uri") is None:
        key, uri = "host", _from_pieces(config, where)
    else:
        key, uri = "uri", str(config["uri"])
        for clash in ("host", "port"):
            if config.get(clash) is not None:
                message = f"give 'uri', or 'host' and 'port', not 'uri' and {clash!r}."
                raise where.error(message, clash)
    try:
        return _with_database(uri, database, config.get("authsource"))
    except ValueError:  # what it says may quote a password
        raise where.error(
            f"{key!r} makes no URI. Special characters in a user or password are written as "
            "'%5B', for example.",
            key,
        ) from None


def _from_pieces(config: Mapping[str, Any], where: SourceMap) -> str:
    if not config.get("host"):
        raise where.error("it needs 'uri', or 'host' and 'port'.")
    port = config.get("port", 27017)
    if isinstance(port, bool) or not str(port).isdigit():
        raise where.error("'port' must be a whole number.", "port")
    user = ""
    if config.get("mongo_user"):
        user = f"{_quoted(config['mongo_user'])}:{_quoted(config.get('mongo_pwd') or '')}@"
    return f"mongodb://{user}{config['host']}:{port}"


def _quoted(value: object) -> str:
    return quote_plus(str(value).encode("utf-8", "replace"))


def _with_database(uri: str, database: str, authsource: object) -> str:
    # The database in a URI is also the one that a user is looked up in, unless
    # it says otherwise. Naming another there must not change who may enter.
    scheme, host, path, query, _ = urlsplit(uri)
    if authsource:
        query = "&".join(filter(None, (query, f"authSource={quote_plus(str(authsource))}")))
    elif "@" in host and "authsource=" not in query.lower():
        home = path.strip("/") or "admin"
        query = "&".join(filter(None, (query, f"authSource={home}")))
    return urlunsplit((scheme, host, f"/{database}", query, ""))
