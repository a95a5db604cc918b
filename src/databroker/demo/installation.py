"""The demonstration, installed: a configuration, a file for the runs, and the runs in it."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from .._util.signals import not_from_signal
from ..config import Configuration, load, user_config_dir, user_data_dir
from ..errors import InvalidConfiguration, MissingExtra, StoreUnavailable, UnknownBrokerName

if TYPE_CHECKING:
    from ..broker.broker import Broker
    from .plans import DemoRun

NAME = "example"
"""What the demonstration's configuration is called."""

DESCRIPTION = "Demonstration runs, made by 'databroker demo'"
"""What its configuration says, and is recognised by."""

_COMMENT = "# Made by 'databroker demo'. Delete this file and the one it names to be rid of it.\n"

Report = Callable[[str, int, int], object]
"""Is told, before each run: its title, how many are done, how many there are to do."""


@dataclass(frozen=True)
class Installed:
    """What `install` did: where the files are, whether the configuration is new, which runs.

    Of the runs there are the titles: of those that were made, and that were there already.
    """

    config_file: Path
    data_file: Path
    created: bool
    added: tuple[str, ...]
    present: tuple[str, ...]


def install(report: Report | None = None) -> Installed:
    """Create the configuration 'example' and fill it with runs; what is there already stays.

    A configuration of this name that somebody else has made is left alone, with an error.
    """
    _need_extra()
    config, created = _configuration()
    data_file = Path(config.options["path"])
    # Beside the runs, whose resources name this folder.
    images = data_file.parent / f"{NAME}-images"
    _make_folder(images)
    added, present = _fill(images, report or (lambda title, done, of: None))
    source = config.source or user_config_dir() / f"{NAME}.yml"
    return Installed(source, data_file, created, added, present)


def _need_extra() -> None:
    for package in ("bluesky", "ophyd"):
        # Looked for, not imported: where every run is there, neither is needed.
        if importlib.util.find_spec(package) is None:
            raise MissingExtra(
                f"The demonstration runs real plans and needs the package {package!r}: "
                "pip install 'databroker[demo]'"
            )


def _configuration() -> tuple[Configuration, bool]:
    try:
        return _ours(load(NAME)), False
    except UnknownBrokerName:
        _write(user_config_dir() / f"{NAME}.yml", user_data_dir() / f"{NAME}.db")
        return load(NAME), True


def _ours(config: Configuration) -> Configuration:
    if config.driver != "sqlite" or config.description != DESCRIPTION:
        raise InvalidConfiguration(
            f"{config.source}: the configuration {NAME!r} was not made by 'databroker demo'; it is "
            "left as it is. Rename the file to make room for the demonstration."
        )
    return config


def _write(config_file: Path, data_file: Path) -> None:
    content = {"driver": "sqlite", "path": str(data_file), "description": DESCRIPTION}
    _make_folder(config_file.parent)
    _make_folder(data_file.parent)
    # Written beside, then moved: nobody ever reads half a configuration.
    draft = config_file.with_name(f".{config_file.name}.{os.getpid()}")
    try:
        draft.write_text(_COMMENT + yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
        draft.replace(config_file)
    except not_from_signal(OSError) as error:
        raise StoreUnavailable(f"{config_file}: cannot be written ({error.strerror}).") from error


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except not_from_signal(OSError) as error:
        raise StoreUnavailable(f"{folder}: cannot be made ({error.strerror}).") from error


def _fill(images: Path, report: Report) -> tuple[tuple[str, ...], tuple[str, ...]]:
    from ..broker.broker import Broker
    from .performing import perform
    from .plans import RUNS

    with Broker.named(NAME) as db:
        present = [run for run in RUNS if _is_there(db, run)]
        wanted = [run for run in RUNS if run not in present]

        def began(run: DemoRun) -> None:
            report(run.title, wanted.index(run), len(wanted))

        if wanted:
            perform(wanted, images, db.insert, began)
    return tuple(run.title for run in wanted), tuple(run.title for run in present)


def _is_there(db: Broker, run: DemoRun) -> bool:
    # A demonstration that was broken off may have left a run that did not end,
    # or not as it should: that one is made again.
    return any(
        run.ends == "open" or header.stop.get("exit_status") == run.ends
        for header in db(demo=run.key)
    )
