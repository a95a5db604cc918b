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

    What exit codes mean is in `databroker.cli.outcome.CODES`.
    """
    from .app import app
    from .command import DEBUG
    from .outcome import outcome
    from .output import warnings_as_lines

    typed = list(sys.argv[1:] if arguments is None else arguments)
    noted: dict[str, bool] = {}
    try:
        with warnings_as_lines():
            code = app.main(typed, prog_name="databroker", standalone_mode=False, obj=noted)
    except BrokenPipeError:
        raise  # click has made the output such that nobody complains
    except (Exception, KeyboardInterrupt) as error:
        if noted.get(DEBUG):
            raise
        code = outcome(error)
    sys.exit(code if isinstance(code, int) else 0)
