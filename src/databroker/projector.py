"""Runs under other names: the projections that a start document may describe.

A projection says, for each name that somebody wants to see, where in the run
its value is: in the start document, in a device's configuration, in a stream.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from .errors import DatabrokerError

if TYPE_CHECKING:
    import xarray as xr

    from .v2 import BlueskyRun

__all__ = [
    "ProjectionError",
    "Projector",
    "get_run_projection",
    "project_summary_dict",
    "project_xarray",
]

Projection = Mapping[str, Any]


class ProjectionError(DatabrokerError, ValueError):
    """A projection cannot be carried out."""


class Projector(Protocol):
    """What makes something of a run by a projection, and says what was not possible."""

    def __call__(self, run: BlueskyRun, *args: Any, **kwargs: Any) -> tuple[Any, list[str]]:
        """Return the result, and a sentence for each name that is missing in it."""


def get_run_projection(run: BlueskyRun, projection_name: str | None = None) -> Projection | None:
    """Return a projection that a run describes.

    Parameters
    ----------
    run
        As ``db.v2[uid]`` gives it.
    projection_name
        Which; by default the only one.

    Returns
    -------
    dict or None
        None if there is none of this name, or no name was given and there are several.

    Raises
    ------
    KeyError
        Several have this name.
    """
    known: list[Projection] = run.metadata["start"].get("projections") or []
    if projection_name is None:
        return known[0] if len(known) == 1 else None
    named = [each for each in known if each.get("name") == projection_name]
    if len(named) > 1:
        raise KeyError(f"Several projections are called {projection_name!r}.")
    return named[0] if named else None


def project_xarray(
    run: BlueskyRun,
    *args: Any,
    projection: Projection | None = None,
    projection_name: str | None = None,
) -> tuple[xr.Dataset, list[str]]:
    """Return what a projection shows of a run as a dataset.

    Fields of streams are its variables, loaded when they are computed; other
    values are its attributes. Events of a second stream are along ``time_<stream>``.

    Parameters
    ----------
    run
        As ``db.v2[uid]`` gives it.
    *args
        Without effect.
    projection
        By default the run's own.
    projection_name
        Which of the run's own.

    Returns
    -------
    dataset, issues
        And a sentence for each name that could not be found.
    """
    import xarray as xr

    variables: dict[str, Any] = {}
    values, linked, issues = _resolved(run, projection, projection_name)
    first: str | None = None
    for name, (stream, field) in linked.items():
        first = first or stream
        try:
            array = run[stream](include=[field]).to_dask()[field].reset_coords(drop=True)
        except DatabrokerError as error:
            issues.append(f"{name}: {error}")
            continue
        if stream != first:
            array = array.rename(time=f"time_{stream}")
        variables[name] = array
    return xr.Dataset(variables, attrs=values), issues


def project_summary_dict(
    run: BlueskyRun,
    *args: Any,
    return_fields: Iterable[str] = (),
    projection: Projection | None = None,
    projection_name: str | None = None,
) -> tuple[dict[str, Any], list[str]]:
    """Return what a projection shows of a run's metadata as a dictionary; no events are read.

    Parameters
    ----------
    run, *args, projection, projection_name
        As in `project_xarray`.
    return_fields
        Only these names; by default all.

    Returns
    -------
    values, issues
        And a sentence for each name that could not be found.
    """
    values, _, issues = _resolved(run, projection, projection_name)
    wanted = set(return_fields) or set(values)
    return {name: value for name, value in values.items() if name in wanted}, issues


def _resolved(
    run: BlueskyRun, projection: Projection | None, name: str | None
) -> tuple[dict[str, Any], dict[str, tuple[str, str]], list[str]]:
    """Return values by name, (stream, field) by name, and what is wrong with the others."""
    projection = projection or get_run_projection(run, name)
    if projection is None:
        raise ProjectionError("There is no such projection; give one, or the name of one.")
    values: dict[str, Any] = {}
    linked: dict[str, tuple[str, str]] = {}
    issues: list[str] = []
    for shown, rule in projection["projection"].items():
        try:
            if rule.get("type") == "linked" and rule.get("location") == "event":
                linked[shown] = (rule["stream"], rule["field"])
            else:
                values[shown] = _value(run, rule)
        except (LookupError, ProjectionError) as error:
            issues.append(f"{shown}: {error}")
    return values, linked, issues


def _value(run: BlueskyRun, rule: Mapping[str, Any]) -> Any:
    if rule.get("type") == "static":
        return rule["value"]
    if rule.get("type") == "calculated":
        # What documents name is not run: they may come from anybody.
        raise ProjectionError("it is to be calculated, which is not supported.")
    if rule.get("location") == "start":
        return run.metadata["start"][rule["field"]]
    if rule.get("location") == "configuration":
        descriptor = run[rule["stream"]].metadata["descriptors"][rule.get("config_index", 0)]
        return descriptor["configuration"][rule["config_device"]]["data"][rule["field"]]
    raise ProjectionError(f"there is no location {rule.get('location')!r}.")
