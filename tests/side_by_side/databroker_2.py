"""Run by databroker 2: a Tiled server over documents, which its adapter serves from MongoDB.

    python databroker_2.py PORT KEY < DOCUMENTS

MongoDB is a stand-in, mongomock. Documents are JSON: a list of pairs of a kind and a document.
"""

import json
import sys

import uvicorn
from databroker.mongo_normalized import MongoAdapter
from tiled.config import Authentication
from tiled.server.app import build_app

port, key = sys.argv[1:]
tree = MongoAdapter.from_mongomock(handler_registry={"NPY_SEQ": "ophyd.sim:NumpySeqHandler"})
insert = tree.get_serializer()
for kind, document in json.load(sys.stdin):
    insert(kind, document)
app = build_app(tree, authentication=Authentication(single_user_api_key=key))
uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning", loop="asyncio")
