"""The token of a server, as clients and servers are given it."""

from __future__ import annotations

from ...errors import InvalidConfiguration

ENVIRONMENT = "DATABROKER_TOKEN"
"""The variable with the token, where no other one is given."""


def check_token(token: str) -> None:
    r"""See that a token can stand in a header of HTTP.

    Raises
    ------
    InvalidConfiguration
        It has a character that cannot.

    Examples
    --------
    >>> check_token("5MXAhNEb\n")
    Traceback (most recent call last):
    databroker.errors.InvalidConfiguration: The token of a server has ... in this one is '\n'. ...
    """
    odd = [each for each in token if not " " <= each <= "~"]
    if odd:
        raise InvalidConfiguration(
            f"The token of a server has printable ASCII characters alone, and in this one is "
            f"{odd[0]!r}. Was it copied as a whole, and without the line's end?"
        )
