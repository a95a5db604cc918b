"""How a command ends: its exit code, and one line about what went wrong."""

from __future__ import annotations

import errno

import click

from .output import complain

DONE, NO, MISUSED, NOT_THERE, AWAY, INTERRUPTED = 0, 1, 2, 3, 4, 130

CODES = {
    DONE: "all was done",
    NO: "the answer is no (a file is missing, a check found something, two runs differ), or "
    "something could not be done",
    MISUSED: "the command makes no sense",
    NOT_THERE: "what was named is not there, or may be several: a configuration, a run, a stream, "
    "a field",
    AWAY: "the store cannot be opened, or does not answer",
    INTERRUPTED: "it was interrupted by Ctrl-C",
}
"""What exit codes mean."""


def outcome(error: BaseException) -> int:
    """Say what went wrong, and return the exit code for it."""
    from ..errors import DatabrokerError

    match error:
        case click.exceptions.NoArgsIsHelpError():
            error.show()
            return MISUSED
        case click.UsageError(ctx=click.Context(command_path=path)):
            complain(f"{_sentence(error.format_message())} See '{path} --help'.")
            return MISUSED
        case click.ClickException():
            complain(error.format_message())
            return error.exit_code
        case KeyboardInterrupt() | click.Abort():
            complain("interrupted")
            return INTERRUPTED
        case DatabrokerError():
            complain(str(error))
            return _code_of(error)
        case OSError(filename=str() as path, strerror=str() as why):
            complain(f"{path}: {why}")
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            complain(f"The output cannot be written: {error.strerror}")
        case OSError():
            complain(error.strerror or str(error))
        case _:
            complain(
                f"{type(error).__name__}: {error}. This should not have happened; with --debug "
                "it is shown where it did."
            )
    return NO


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?")) else f"{text}."


def _code_of(error: Exception) -> int:
    from ..errors import (
        AmbiguousPrefix,
        ExternalDataMissing,
        InvalidKey,
        InvalidQuery,
        NoHandler,
        QueryTimeout,
        StoreUnavailable,
    )

    if isinstance(error, ExternalDataMissing | NoHandler | QueryTimeout):
        return NO
    if isinstance(error, LookupError | AmbiguousPrefix | FileNotFoundError):
        return NOT_THERE
    if isinstance(error, InvalidKey | InvalidQuery):
        return MISUSED
    return AWAY if isinstance(error, StoreUnavailable) else NO
