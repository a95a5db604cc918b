"""Runs served over HTTP: an ASGI application that answers what the contract of stores asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._util.lazy import lazy_names

if TYPE_CHECKING:
    from .access.access import Access as Access
    from .access.auth_file import read_auth_file as read_auth_file
    from .access.caller import Caller as Caller
    from .access.key_file import KeyFile as KeyFile
    from .access.tokens import OneToken as OneToken
    from .application import app as app
    from .limits import Limits as Limits

__all__ = ["Access", "Caller", "KeyFile", "Limits", "OneToken", "app", "read_auth_file"]

__getattr__ = lazy_names(
    __name__,
    {
        "Access": ".access.access",
        "Caller": ".access.caller",
        "KeyFile": ".access.key_file",
        "Limits": ".limits",
        "OneToken": ".access.tokens",
        "app": ".application",
        "read_auth_file": ".access.auth_file",
    },
)
