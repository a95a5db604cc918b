"""The configurations that there are, and whether they can be used."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

from ..config import survey_configs
from ..config.search import config_folders
from .finding import Diagnosis


def look_at_configurations() -> Iterator[Diagnosis]:
    """Yield where configurations are looked for, and what is wrong with any."""
    folders = [folder for folder in config_folders() if folder.is_dir()]
    none = "" if folders else "; none of them is there"
    looked = ", ".join(map(str, folders or config_folders()))
    yield Diagnosis("good", "looked in", f"{looked}{none}")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        surveyed = survey_configs()
    for each in told:
        yield Diagnosis("note", "names", str(each.message), "rename one of them")
    if not surveyed:
        yield Diagnosis(
            "note",
            "configurations",
            "there is none",
            "'databroker demo' makes an example, 'databroker config make NAME' one of yours",
        )
    for name, survey in surveyed.items():
        if survey.fault is None:
            yield Diagnosis("good", f"config {name}", survey.description or "can be read")
        else:
            yield Diagnosis("bad", f"config {name}", survey.fault, "mend the file")
