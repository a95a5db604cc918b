"""The ``databroker`` command.

What a command needs is imported inside it, so that ``databroker --help`` is
quick.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the ``databroker`` command with what was typed after it, and exit.

    With 0 when all went well, 1 for an error that databroker explains, 2 for a command that
    makes no sense.
    """
    from ..errors import DatabrokerError
    from .app import app
    from .common import complain, warnings_as_lines

    try:
        with warnings_as_lines():
            app(args=None if arguments is None else list(arguments), prog_name="databroker")
    except DatabrokerError as error:
        complain(str(error))
        sys.exit(1)
