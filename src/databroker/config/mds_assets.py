"""Files of the first databrokers: ``metadatastore:`` and ``assets:``, each a Mongo database.

They become the two URIs of the driver ``mongo-normalized``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit, urlunsplit

from .source_map import KeyPath, Section

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


def translate(whole: Section) -> Section:
    """Turn it into databroker's own form."""
    whole.check_keys(_KEYS)
    if whole.get("api_version", 1) not in (1, 2):
        message = "'api_version' must be 1 or 2; the older interface is gone."
        raise whole.error(message, "api_version")
    flat: dict[str, Any] = {"driver": "mongo-normalized"}
    origins: dict[str, KeyPath] = {"driver": ("metadatastore",)}
    for part, (key, module, classes) in _PARTS.items():
        config = _part(whole, part, module, classes)
        flat[key] = mongo_uri(config)
        origins[key] = (part, "config")
        if config.get("timezone") is not None and "timezone" not in flat:
            flat["timezone"] = config["timezone"]
            origins["timezone"] = (part, "config", "timezone")
    for key in (*_COMMON, "timezone", "stale_after", "allowed_roots"):
        if whole.get(key) is not None:
            flat[key] = whole[key]
            origins[key] = (key,)
    return whole.moved(flat, origins)


def _part(whole: Section, part: str, module: str, classes: tuple[str, ...]) -> Section:
    """Return how to reach one of the two databases."""
    if part not in whole:
        raise whole.error(f"it needs {part!r} too.")
    described = whole.section(part)
    described.check_keys(("module", "class", "config"), repr(part))
    written = str(described.get("module", ""))
    if "sqlite" in written or "hdf5" in written:
        message = f"the files of {written!r} (databroker 0.x) cannot be read by this version."
        raise described.error(message, "module")
    if written != module or described.get("class") not in classes:
        accepted = " or ".join(map(repr, classes))
        raise described.error(f"{part!r} must be of module {module!r} and class {accepted}.")
    config = described.section("config")
    config.check_keys(_CONFIG, "'config'")
    return config


def mongo_uri(config: Section) -> str:
    """Return the one URI that says what an old ``config:`` says in pieces.

    Examples
    --------
    >>> mongo_uri(Section({"uri": "mongodb://ann:pw@db/", "database": "runs"}))
    'mongodb://ann:pw@db/runs?authSource=admin'
    """
    if not isinstance(config.get("database"), str) or not config["database"]:
        raise config.error("it needs 'database'.")
    database = quote(config["database"].encode("utf-8", "replace"), safe="")
    if config.get("uri") is None:
        key, uri = "host", _from_pieces(config)
    else:
        key, uri = "uri", str(config["uri"])
        for clash in ("host", "port"):
            if config.get(clash) is not None:
                message = f"give 'uri', or 'host' and 'port', not 'uri' and {clash!r}."
                raise config.error(message, clash)
    try:
        return _with_database(uri, database, config.get("authsource"))
    except ValueError:  # what it says may quote a password
        raise config.error(
            f"{key!r} makes no URI. Special characters in a user or password are written as "
            "'%5B', for example.",
            key,
        ) from None


def _from_pieces(config: Section) -> str:
    if not config.get("host"):
        raise config.error("it needs 'uri', or 'host' and 'port'.")
    port = config.get("port", 27017)
    if isinstance(port, bool) or not str(port).isdigit():
        raise config.error("'port' must be a whole number.", "port")
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
