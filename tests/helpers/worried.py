"""A store that warns of whatever it is asked; not where a test asks it."""

from databroker._util.user_warnings import warn_user
from databroker.errors import DamageWarning, SlowSearchWarning, StoreDamaged, UnavailableWarning
from databroker.stores.base import RunRecord
from databroker.stores.memory import MemoryStore
from databroker.testing.conformance.base import start


class Worried(MemoryStore):
    """Warns of everything."""

    def count(self, query):
        warn_user("Run 'é' is left out.", DamageWarning)
        return 1

    def find(self, query, *, limit=None, after=None):
        for number in range(limit or 1):
            if number == 2:
                warn_user("It is slow.", SlowSearchWarning)
            yield RunRecord(f"run {number}", start(f"run {number}", note="x" * 2**17), None)
        warn_user("Another one is away.", UnavailableWarning)

    def keys(self, most):
        warn_user("This is damaged.", DamageWarning)
        raise StoreDamaged("And so is all.")
