"""Runs under other names: the projections that a start document may describe.

A projection says, for each name that somebody wants to see, where in the run
its value is: in the start document, in a device's configuration, in a stream.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from .errors import DatabrokerError

if TYPE_CHECKING:
    import xarray as xr

    from .v2 import BlueskyRun

__all__ = [
    "ProjectionError",
    "Projector",
    "get_run_projection",
    "get_xarray_config_field",
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
    A variable has what the projection shows of its stream's configuration in its own
    attribute ``configuration``; see `get_xarray_config_field`.

    What is to be calculated is a variable, too. Documents may come from anybody, so only
    a function that was written for this is called: one whose first parameter is annotated
    as a `BlueskyRun`, in a module that this process has imported already.

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

    parts = _resolved(run, projection, projection_name)
    variables: dict[str, Any] = {}
    first: str | None = None
    for stream, fields in parts.linked.items():
        try:
            dataset = run[stream].to_dask()
        except (LookupError, DatabrokerError) as error:
            parts.issues += [f"{shown}: {error}" for shown in fields]
            continue
        first = first or stream
        for shown, key in fields.items():
            if key not in dataset:
                parts.issues.append(f"{shown}: the stream {stream!r} has no field {key!r}.")
                continue
            array = dataset[key].reset_coords(drop=True)
            if stream != first and "time" in array.dims:
                array = array.rename(time=f"time_{stream}")
            array.attrs = {**array.attrs, "configuration": parts.configuration.get(stream, [])}
            variables[shown] = array
    for shown, rule in parts.calculated.items():
        try:
            variables[shown] = _calculated(run, rule)
        except ProjectionError as error:
            parts.issues.append(f"{shown}: {error}")
    return xr.Dataset(variables, attrs=parts.values), parts.issues


def get_xarray_config_field(
    dataset: xr.Dataset, projection_field: str, config_index: int, device: str, field: str
) -> Any:
    """Return a value of the configuration that a projection shows.

    Parameters
    ----------
    dataset
        As `project_xarray` gives it.
    projection_field
        A variable whose stream was configured so.
    config_index
        Which descriptor of the stream, from 0.
    device, field
        The device, and the name of the value in its configuration.

    Raises
    ------
    LookupError
        The projection does not show it.

    Examples
    --------
    >>> import xarray
    >>> shown = xarray.DataArray([1, 2], attrs={"configuration": [{"motor": {"velocity": 5}}]})
    >>> get_xarray_config_field(xarray.Dataset({"x": shown}), "x", 0, "motor", "velocity")
    5
    """
    return dataset[projection_field].attrs["configuration"][config_index][device][field]


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
    parts = _resolved(run, projection, projection_name)
    issues = [*parts.issues, *(f"{shown}: it is to be calculated." for shown in parts.calculated)]
    wanted = set(return_fields) or set(parts.values)
    return {name: value for name, value in parts.values.items() if name in wanted}, issues


@dataclass
class _Parts:
    """What a projection shows of a run, by the names under which it is shown."""

    values: dict[str, Any] = field(default_factory=dict)
    linked: dict[str, dict[str, str]] = field(default_factory=dict)  # by stream: fields by name
    calculated: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    # By stream: for each descriptor, values by device and by their name.
    configuration: dict[str, list[dict[str, dict[str, Any]]]] = field(default_factory=dict)
    issues: list[str] = field(default_factory=list)

    def configure(self, rule: Mapping[str, Any], value: Any) -> None:
        """Note a value of a stream's configuration."""
        known = self.configuration.setdefault(rule["stream"], [])
        index = rule.get("config_index", 0)
        known.extend({} for _ in range(len(known), index + 1))
        known[index].setdefault(rule["config_device"], {})[rule["field"]] = value


def _resolved(run: BlueskyRun, projection: Projection | None, name: str | None) -> _Parts:
    projection = projection or get_run_projection(run, name)
    if projection is None:
        raise ProjectionError("There is no such projection; give one, or the name of one.")
    parts = _Parts()
    for shown, rule in projection["projection"].items():
        try:
            if rule.get("type") == "calculated":
                parts.calculated[shown] = rule
            elif rule.get("type") == "linked" and rule.get("location") == "event":
                parts.linked.setdefault(rule["stream"], {})[shown] = rule["field"]
            else:
                parts.values[shown] = _value(run, rule)
                if rule.get("location") == "configuration":
                    parts.configure(rule, parts.values[shown])
        except (LookupError, ProjectionError) as error:
            parts.issues.append(f"{shown}: {error}")
    return parts


def _value(run: BlueskyRun, rule: Mapping[str, Any]) -> Any:
    if rule.get("type") == "static":
        return rule["value"]
    if rule.get("location") == "start":
        return run.metadata["start"][rule["field"]]
    if rule.get("location") == "configuration":
        descriptor = run[rule["stream"]].metadata["descriptors"][rule.get("config_index", 0)]
        return descriptor["configuration"][rule["config_device"]]["data"][rule["field"]]
    raise ProjectionError(f"there is no location {rule.get('location')!r}.")


def _calculated(run: BlueskyRun, rule: Mapping[str, Any]) -> Any:
    """Call the function of a rule, if it was written to be called so."""
    # Some put what belongs together into a dictionary of its own.
    call = rule.get("calculation", rule)
    target = call.get("callable")
    module, _, name = str(target).partition(":")
    function = getattr(sys.modules.get(module), name, None)
    if not callable(function) or module == __name__ or not _takes_run(function):
        raise ProjectionError(
            f"it is to be calculated by {target!r:.80}, which is not called: import its module "
            "first, and annotate its first parameter as a databroker.core.BlueskyRun."
        )
    try:
        return function(run, *call.get("args", ()), **call.get("kwargs", {}))
    except Exception as error:  # whatever the function raises
        raise ProjectionError(f"{target!r:.80} raised {error!r:.200}") from error


def _takes_run(function: Any) -> bool:
    """Return whether a function says that its first parameter is a run."""
    try:
        first = next(iter(inspect.signature(function).parameters.values()), None)
    except (TypeError, ValueError):
        return False
    said = getattr(first, "annotation", None)
    return getattr(said, "__name__", str(said).rpartition(".")[2]) == "BlueskyRun"
