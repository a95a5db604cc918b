"""What people see: runs, search results and brokers as text and as HTML.

Pure functions from plain data. Nothing here opens a store.
"""

from .files import files_text
from .html import (
    array_html,
    broker_html,
    catalogs_html,
    document_html,
    files_html,
    header_html,
    results_html,
    stream_html,
    streams_html,
)
from .text import document_text, header_text

__all__ = [
    "array_html",
    "broker_html",
    "catalogs_html",
    "document_html",
    "document_text",
    "files_html",
    "files_text",
    "header_html",
    "header_text",
    "results_html",
    "stream_html",
    "streams_html",
]
