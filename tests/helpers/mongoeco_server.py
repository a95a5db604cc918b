"""Runs the server of the package mongoeco, which needs Python 3.13; called with a port.

A user and a password may follow, without whom nobody is let in.
"""

import asyncio
import sys

from mongoeco.engines.memory import MemoryEngine
from mongoeco.wire import AsyncMongoEcoProxyServer, WireAuthUser


async def serve(port, *user):
    """Serve until the process is killed."""
    users = (WireAuthUser(*user),) if user else ()
    server = AsyncMongoEcoProxyServer(engine=MemoryEngine(), port=int(port), auth_users=users)
    await server.start()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
