"""Runs written into files that other programs read.

Examples
--------
>>> from databroker.export import formats
>>> formats()["csv"]
'a table for each stream, which any program reads'
"""

from .exporting import export
from .format import Choice, Format, Losses, Part
from .registry import formats
from .report import ExportReport
from .tables import export_table

__all__ = [
    "Choice",
    "ExportReport",
    "Format",
    "Losses",
    "Part",
    "export",
    "export_table",
    "formats",
]
