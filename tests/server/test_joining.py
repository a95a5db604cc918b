"""What is written to a connection soon after each other is sent together, and in order."""

import asyncio
from unittest.mock import Mock, call

from databroker.server.command.joining import Joining


def sent_by(write):
    """Return what a transport is told while something writes to it, and by the next turn."""

    async def run():
        transport = Mock()
        joining = Joining(transport, asyncio.get_running_loop())
        await write(joining)
        await asyncio.sleep(0)
        return transport.mock_calls

    return asyncio.run(run())


def test_the_head_of_an_answer_is_sent_with_its_body():
    async def write(joining):
        joining.write(b"head")
        joining.write(b"body")

    assert sent_by(write) == [call.writelines([b"head", b"body"])]


def test_what_nothing_follows_is_sent_in_the_next_turn():
    async def write(joining):
        joining.write(b"head")
        await asyncio.sleep(0)
        joining.write(b"body")

    assert sent_by(write) == [call.write(b"head"), call.write(b"body")]


def test_what_waits_is_sent_before_the_end():
    async def write(joining):
        joining.write(b"refused")
        joining.close()

    assert sent_by(write) == [call.write(b"refused"), call.close()]


def test_nothing_is_no_write():
    async def write(joining):
        joining.write(b"")

    assert sent_by(write) == []
