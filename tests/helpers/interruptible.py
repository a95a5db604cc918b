"""Processes that tests interrupt, wherever the tests run."""

import signal
import subprocess


def interruptible(command, **pipes):
    """Begin a command that heeds SIGINT: what a shell starts in the background is deaf to it."""
    heeds = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731
    return subprocess.Popen(command, preexec_fn=heeds, **pipes)
