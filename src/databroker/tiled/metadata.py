"""Documents as Tiled's metadata: what JSON and MessagePack of every client hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_BITS = 63


def presentable(value: Any) -> Any:
    r"""Return a value without what Tiled cannot send.

    Integers beyond 64 bits are floats, or text if no float holds them, and half of a character is
    written as a code.

    Examples
    --------
    >>> presentable({"n": 2**70, "text": "a\ud800"})
    {'n': 1.1805916207174113e+21, 'text': 'a\\ud800'}
    """
    if isinstance(value, str):
        return value if value.isascii() else value.encode(errors="backslashreplace").decode()
    if isinstance(value, Mapping):
        return {presentable(key): presentable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [presentable(each) for each in value]
    if type(value) is int and value.bit_length() > _BITS:
        return _float(value)
    return value


def _float(value: int) -> Any:
    try:
        return float(value)
    except OverflowError:
        return hex(value)


def of_stream(descriptors: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what is said of a stream: its first descriptor, and the configuration of later ones.

    So does Tiled's own writer of runs.
    """
    first, *later = descriptors
    said = {key: value for key, value in first.items() if key not in _OF_THE_RUN}
    for descriptor in later:
        said["data_keys"] = {**descriptor["data_keys"], **said["data_keys"]}
    said.setdefault("configuration", {})
    if later:
        said["_config_updates"] = [
            {key: descriptor[key] for key in _UPDATED if key in descriptor} for descriptor in later
        ]
    found: dict[str, Any] = presentable(said)
    return found


_OF_THE_RUN = ("run_start", "name", "object_keys")
_UPDATED = ("uid", "time", "configuration")
