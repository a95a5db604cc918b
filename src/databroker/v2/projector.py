"""Runs under other names: the projections that a start document may describe.

A projection says, for each name that somebody wants to see, where in the run
its value is: in the start document, in a device's configuration, in a stream.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .._util.signals import not_from_signal
from ..errors import DatabrokerError, ProjectionError

if TYPE_CHECKING:
    import xarray as xr

    from .run import BlueskyRun

Projection = Mapping[str, Any]


class Projector:
    """Walks through a projection, and hands what it shows of a run to functions.

    Parameters
    ----------
    metadata_cb
        Is given the name under which a value of the start document is shown, and the value.
    event_configuration_cb
        Is given the name, the stream, the place of the descriptor, the device, the name of
        the value in its configuration, and the value.
    event_field_cb
        Is given the name, the stream, the field, and its values as a lazy array. Without
        it, no events are read, and nothing is calculated.

    Attributes
    ----------
    issues
        A sentence for each name that could not be found.

    Examples
    --------
    >>> import databroker
    >>> db = databroker.temp()
    >>> db.insert("start", {"uid": "b2c1", "time": 1.0, "sample": "Ni"})
    >>> rule = {"type": "linked", "location": "start", "field": "sample"}
    >>> projector = Projector(metadata_cb=print)
    >>> projector.project(db.v2[-1], {"projection": {"entry/sample": rule}})
    entry/sample Ni
    """

    def __init__(
        self,
        metadata_cb: Callable[[str, Any], Any] | None = None,
        event_configuration_cb: Callable[[str, str, int, str, str, Any], Any] | None = None,
        event_field_cb: Callable[[str, str, str, Any], Any] | None = None,
    ) -> None:
        self._metadata = metadata_cb
        self._configuration = event_configuration_cb
        self._field = event_field_cb
        self.issues: list[str] = []

    def project(
        self,
        run: BlueskyRun,
        projection: Projection | None = None,
        projection_name: str | None = None,
    ) -> None:
        """Hand over what a projection shows of a run.

        Parameters
        ----------
        run
            As ``db.v2[uid]`` gives it.
        projection
            By default the run's own.
        projection_name
            Which of the run's own.

        Raises
        ------
        ProjectionError
            There is no such projection.
        """
        projection = projection or get_run_projection(run, projection_name)
        if projection is None:
            raise ProjectionError("There is no such projection; give one, or the name of one.")
        dataset = functools.cache(lambda stream: run[stream].to_dask())
        for shown, rule in projection["projection"].items():
            try:
                self._hand_over(run, dataset, shown, rule)
            except (LookupError, DatabrokerError) as error:
                self.issues.append(f"{shown}: {error}")

    def _hand_over(
        self,
        run: BlueskyRun,
        dataset: Callable[[str], xr.Dataset],
        shown: str,
        rule: Mapping[str, Any],
    ) -> None:
        location = None if rule.get("type") == "static" else rule.get("location")
        if rule.get("type") == "calculated":
            if self._field is None:
                raise ProjectionError("it is to be calculated.")
            place = rule.get("stream", ""), rule.get("field", "")
            self._field(shown, *place, _calculated(run, rule))
        elif location == "event":
            if self._field is not None:
                place = rule["stream"], rule["field"]
                self._field(shown, *place, _array(dataset, *place))
        elif location == "configuration":
            index, device, key = rule.get("config_index", 0), rule["config_device"], rule["field"]
            descriptor = run[rule["stream"]].metadata["descriptors"][index]
            value = descriptor["configuration"][device]["data"][key]
            if self._configuration is not None:
                self._configuration(shown, rule["stream"], index, device, key, value)
        elif self._metadata is not None:
            self._metadata(shown, _metadata(run, rule))


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

    attributes: dict[str, Any] = {}
    variables: dict[str, Any] = {}
    configuration: dict[str, list[dict[str, dict[str, Any]]]] = {}

    def configure(shown: str, stream: str, index: int, device: str, key: str, value: Any) -> None:
        attributes[shown] = value
        known = configuration.setdefault(stream, [])
        known.extend({} for _ in range(len(known), index + 1))
        known[index].setdefault(device, {})[key] = value

    def add(shown: str, stream: str, key: str, array: Any) -> None:
        if isinstance(array, xr.DataArray):
            known = configuration.setdefault(stream, [])
            array = array.assign_attrs(configuration=known)
        variables[shown] = stream, array

    projector = Projector(attributes.__setitem__, configure, add)
    projector.project(run, projection, projection_name)
    first = next((stream for stream, _ in variables.values()), None)
    along = {
        shown: array.rename(time=f"time_{stream}")
        if stream != first and "time" in getattr(array, "dims", ())
        else array
        for shown, (stream, array) in variables.items()
    }
    return xr.Dataset(along, attrs=attributes), projector.issues


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
    values: dict[str, Any] = {}

    def configure(shown: str, stream: str, index: int, device: str, key: str, value: Any) -> None:
        values[shown] = value

    projector = Projector(values.__setitem__, configure)
    projector.project(run, projection, projection_name)
    wanted = set(return_fields) or set(values)
    return {name: value for name, value in values.items() if name in wanted}, projector.issues


def _array(dataset: Callable[[str], xr.Dataset], stream: str, key: str) -> xr.DataArray:
    """Return a field of a stream; its only coordinate is the time."""
    if key not in dataset(stream):
        raise ProjectionError(f"the stream {stream!r} has no field {key!r}.")
    return dataset(stream)[key].reset_coords(drop=True)


def _metadata(run: BlueskyRun, rule: Mapping[str, Any]) -> Any:
    if rule.get("type") == "static":
        return rule["value"]
    if rule.get("location") == "start":
        return run.metadata["start"][rule["field"]]
    raise ProjectionError(f"there is no location {rule.get('location')!r}.")


def _calculated(run: BlueskyRun, rule: Mapping[str, Any]) -> Any:
    """Call the function of a rule, if it was written to be called so."""
    # Some put what belongs together into a dictionary of its own.
    call = rule.get("calculation", rule)
    target = call.get("callable")
    module, _, name = str(target).partition(":")
    function = getattr(sys.modules.get(module), name, None)
    if (
        not callable(function)
        or getattr(function, "__module__", None) == __name__
        or not _takes_run(function)
    ):
        raise ProjectionError(
            f"it is to be calculated by {target!r:.80}, which is not called: import its module "
            "first, and annotate its first parameter as a databroker.core.BlueskyRun."
        )
    try:
        return function(run, *call.get("args", ()), **call.get("kwargs", {}))
    except not_from_signal(Exception) as error:  # whatever the function raises
        raise ProjectionError(f"{target!r:.80} raised {error!r:.200}") from error


def _takes_run(function: Any) -> bool:
    """Return whether a function says that its first parameter is a run."""
    try:
        first = next(iter(inspect.signature(function).parameters.values()), None)
    except (TypeError, ValueError):
        return False
    said = getattr(first, "annotation", None)
    return getattr(said, "__name__", str(said).rpartition(".")[2]) == "BlueskyRun"
