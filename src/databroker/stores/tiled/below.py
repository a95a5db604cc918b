"""A hint for those who open what is above a catalog of runs, such as the root of a server."""

from __future__ import annotations

from ..._util.user_warnings import warn_user
from ...errors import NothingFoundWarning
from .server import Json, Server

_SHOWN = 5
_ASKED = 100


def says_it_has_runs(entry: Json) -> bool:
    """Tell whether an entry is marked as a catalog of runs, be it an empty one."""
    specs = entry["attributes"].get("specs") or ()
    return any(spec.get("name") == "CatalogOfBlueskyRuns" for spec in specs)


def warn_of_catalogs_below(server: Server) -> None:
    """Name what may be a catalog of runs below one that has none."""
    params = (("fields", "structure_family"), ("omit_links", "true"), ("page[limit]", str(_ASKED)))
    answer = server.search(params=params)
    found = [
        str(item["id"])
        for item in (answer or {})["data"]
        if item["attributes"].get("structure_family") == "container"
    ]
    if found:
        names = ", ".join(map(repr, found[:_SHOWN])) + (", ..." if len(found) > _SHOWN else "")
        warn_user(
            f"{server.name} has no runs, but below it there are: {names}. If the runs are in one "
            f"of these, give its address as 'uri', such as {server.url('metadata', found[0])}.",
            NothingFoundWarning,
        )
