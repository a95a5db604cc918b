"""What cannot be collected everywhere."""

from importlib.util import find_spec

# These modules are imported by a Tiled server, which the extra tiled-server brings.
collect_ignore_glob = [] if find_spec("tiled") else ["src/databroker/tiled/*"]
