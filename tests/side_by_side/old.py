"""What databroker 1.2.5 is asked to do, in its own environment: insert, read, make a table.

Called with a word, the address of a database and a file; answers with a line of JSON.
"""

import json
import sys
import time
import warnings

warnings.simplefilter("ignore")

from databroker._drivers.mongo_normalized import BlueskyMongoCatalog  # noqa: E402


def insert(broker, path):
    """Insert the documents of a file."""
    with open(path) as file:
        documents = json.load(file)
    for kind, document in documents:
        broker.insert(kind, document)
    return len(documents)


def read(broker, path):
    """Return all documents of all runs."""
    uids = [header.start["uid"] for header in broker()]
    return {uid: [list(pair) for pair in broker[uid].documents(fill=False)] for uid in uids}


def table(broker, uid):
    """Return the rows of a table, and how many seconds of the processor it took."""
    header = broker[uid]
    begun = time.process_time()
    rows = len(header.table())
    return {"rows": rows, "seconds": time.process_time() - begun}


if __name__ == "__main__":
    word, address, argument = sys.argv[1:]
    opened = BlueskyMongoCatalog(address, address).v1
    print(json.dumps({"insert": insert, "read": read, "table": table}[word](opened, argument)))
