"""A store whose server is there, is away, or does not answer, as a test wants."""

import threading
import time

from databroker.errors import StoreAway
from databroker.stores.memory import MemoryStore


class MayBeAway(MemoryStore):
    """Documents in memory, behind a server of which a test says how it is."""

    def __init__(self):
        super().__init__()
        self.is_away = False
        self.refuses = None
        self.answers = threading.Event()
        self.answers.set()
        self.asked = []  # when
        self.order = []

    def reach(self):
        self.asked.append(time.monotonic())
        assert self.answers.wait(60)
        if self.is_away:
            raise StoreAway("the server is away.")
        if self.refuses is not None:
            raise self.refuses

    def put(self, kind, doc):
        self.reach()
        super().put(kind, doc)
        self.order.append((kind, doc))
