"""The rules of the package's rooms: who imports whom, and how modules are made."""

import ast
import builtins
import importlib
from pathlib import Path

import databroker
from databroker import errors

PACKAGE = Path(databroker.__file__).parent

RANKS = {
    # Rooms, and rooms within them, from below: each may import what stands lower.
    "_util": 0,
    "errors": 1,
    "times": 2,
    "extras": 2,
    "documents": 3,
    "columns": 4,
    "query": 4,
    "display": 4,
    "queries": 5,  # the public face of the nodes
    "stores": 5,
    "external": 6,
    "external.files": 7,
    "config": 7,
    # What users hold.
    "runs": 8,
    "broker": 9,
    "plot": 9,
    "export": 10,
    "packing": 10,
    "preview": 10,
    "relocation": 10,
    # What only the old interfaces have.
    "v2": 11,
    "v1": 12,
    # The outside.
    "demo": 13,
    "server": 13,
    "tiled": 13,
    "doctor": 13,
    "testing": 13,
    "cli": 14,
    # Import paths of old.
    "__main__": 15,
    "_core": 15,
    "_drivers": 15,
    "assets": 15,
    "core": 15,
    "databroker": 15,
    "eventsource": 15,
    "headersource": 15,
    "in_memory": 15,
    "pivot": 15,
    "projector": 15,
    "resource_registry": 15,
    "utils": 15,
    "v0": 15,
}

FACES = ("", "broker", "external", "v1", "v2")
"""Packages whose own module only hands names on, when they are first used: it stands above all."""

SHARED_BY_STORES = (
    "activity",
    "arrays",
    "base",
    "capabilities",
    "changes",
    "checking",
    "contents",
    "delegating",
    "external",
    "facts",
    "groups",
    "many",
    "many_owners",
    "narrowed",
    "record",
    "registry",
    "rows",
    "sizes",
    "spill",
    "store_ref",
    "waiting",
    "wire",
    "wrapper",
)

INDEXES = {("files", "stores.sql.file_index")}
"""Stores that have another one, in this module of it, as an index of what is elsewhere."""

OPTIONAL = {
    "bluesky",
    "ophyd",
    "event_model",
    "xarray",
    "dask",
    "hypothesis",
    "pytest",
    "IPython",
    "matplotlib",
    "plotext",
    "h5py",
    "area_detector_handlers",
}

ONLY_IN = {
    # Packages that stay in one place, by the rooms that may import them.
    "sqlite3": ("stores.sql.engine.sqlite",),
    "psycopg": ("stores.sql.engine.postgresql",),
    "pymongo": ("stores.mongo",),
    "bson": ("stores.mongo",),
    "httpx": ("stores.tiled",),
    "starlette": ("server",),
    "tiled": ("tiled",),
    "fastapi": ("tiled",),
    "uvicorn": ("server",),
    "rich": ("cli", "demo", "plot.terminal"),
    "click": ("cli",),
    "hypothesis": ("testing",),
    "matplotlib": ("plot", "preview"),
    "plotext": ("plot.canvas",),
    "pytest": ("testing",),
}

MUTABLE: dict[tuple[str, str], str] = {
    # Module-level state that is no constant, and why it has to be.
}

LINES = 600
"""How long a module may be without a reason below; over 400 lines, think of its ideas."""

LONGER: dict[str, str] = {
    # Modules that hold one idea in more lines, and why.
}


def _modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        yield ".".join(part for part in parts if part != "__init__"), path


MODULES = dict(_modules())
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}


def _imports(module):
    """Yield (absolute name, line) of everything that a module imports, at any time."""
    is_package = MODULES[module].name == "__init__.py"
    here = ["databroker", *filter(None, module.split("."))]
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + is_package] if node.level else []
            base = [*base, *filter(None, (node.module or "").split("."))]
            for alias in node.names:
                if base == ["databroker"] and alias.name == "__version__":
                    continue  # known before anything else is
                whole = ".".join([*base, alias.name])
                is_module = whole.removeprefix("databroker.") in MODULES
                yield whole if is_module else ".".join(base), node.lineno
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "require":
            yield from ((each.value, node.lineno) for each in _texts(node.args[:1]))


def _texts(nodes):
    return [
        each for each in nodes if isinstance(each, ast.Constant) and isinstance(each.value, str)
    ]


def _own_imports(module):
    """Yield the imports of this package, as names below it."""
    for name, line in _imports(module):
        if name == "databroker" or name.startswith("databroker."):
            yield name.removeprefix("databroker").removeprefix("."), line


def _room(module):
    """Return the room that a module is in: the innermost that has a rank."""
    room = module
    while room and room not in RANKS:
        room = room.rpartition(".")[0]
    return room


def _rank(module):
    top = max(RANKS.values())
    return top + (2 if module == "" else 1) if module in FACES else RANKS[_room(module)]


def _module_level(tree):
    """Yield the statements that run when a module is imported, type-only blocks left out."""
    waiting = list(tree.body)
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            waiting += node.orelse
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += [each for each in ast.iter_child_nodes(node) if isinstance(each, ast.stmt)]


# -- who imports whom --------------------------------------------------------


def test_every_module_is_in_a_known_room():
    unknown = {module for module in MODULES if module not in FACES and not _room(module)}
    assert not unknown, f"give their rooms a rank in {__file__}"


def test_imports_go_downwards():
    assert [
        f"{module}, line {line}: imports {target}"
        for module in MODULES
        for target, line in _own_imports(module)
        if not (_room(module) == _room(target) and target not in FACES)
        and not _rank(target) < _rank(module)
        and not target == module == ""
    ] == []


def test_faces_load_nothing_before_it_is_used():
    assert [
        f"{module}, line {node.lineno}: {ast.unparse(node)}"
        for module in FACES
        for node in _module_level(TREES[module])
        if isinstance(node, ast.ImportFrom)
        and node.level
        and node.module not in ("_util.lazy", "errors")
    ] == []


def _circle(graph):
    """Return some modules that import each other in a circle, or nothing."""
    state: dict[str, bool] = {}  # whether it is left again

    def walk(module, path):
        if module in state:
            return [] if state[module] else [*path[path.index(module) :], module]
        state[module] = False
        for other in sorted(graph[module]):
            if circle := walk(other, [*path, module]):
                return circle
        state[module] = True
        return []

    return next(filter(None, (walk(module, []) for module in sorted(graph))), [])


def test_no_room_imports_itself_in_a_circle():
    graph = {
        module: {target for target, _ in _own_imports(module) if _room(target) == _room(module)}
        for module in MODULES
    }
    for module in FACES:
        graph[module] = set()
    assert " imports ".join(_circle(graph)) == ""


ONLY_OLD = """
add_filter alias aliases clear_filters dynamic_alias export_size ext external_fetchers
fetch_external fill_event fill_events filters fs get get_config get_documents get_events
get_fields get_images get_table items keys localize_times prepare_hook process reg restream
stats stream_names_given_header v1 v2 values
"""
"""Names that only the interface of databroker 1.x has."""

CORE_CLASSES = (("runs.run", "Run"), ("runs.results", "Results"), ("broker.broker", "Broker"))


def _class(module, name):
    return next(
        node for node in TREES[module].body if isinstance(node, ast.ClassDef) and node.name == name
    )


def test_the_core_has_no_names_of_the_old_interface():
    found = []
    for module, name in CORE_CLASSES:
        for node in ast.walk(_class(module, name)):
            if isinstance(node, ast.FunctionDef):
                arguments = [*node.args.args, *node.args.kwonlyargs]
                names = {node.name, *(each.arg for each in arguments)}
                found += [(name, node.name, each) for each in names.intersection(ONLY_OLD.split())]
    assert found == []


def test_the_classes_of_the_core_have_no_mixins():
    bases = {name: [ast.unparse(b) for b in _class(m, name).bases] for m, name in CORE_CLASSES}
    assert bases == {"Run": [], "Results": ["Generic[RunType]"], "Broker": []}


def _store(module):
    """Return the store that a module belongs to, or None."""
    parts = module.split(".")
    if len(parts) < 2 or parts[0] != "stores" or parts[1] in SHARED_BY_STORES:
        return None
    return parts[1]


def test_stores_are_strangers_to_each_other_and_to_everybody():
    assert [
        f"{module}, line {line}: imports {target}"
        for module in MODULES
        for target, line in _own_imports(module)
        if (
            _store(target) not in (None, _store(module)) and (_store(module), target) not in INDEXES
        )
        or (_store(module) and target == "stores.registry")
    ] == []


def test_the_registry_names_every_store():
    from databroker.stores.registry import DRIVERS

    targets = [driver.target for driver in DRIVERS.values()]
    named = {target.partition(":")[0].lstrip(".").partition(".")[0] for target in targets}
    assert named == {_store(module) for module in MODULES} - {None}
    for target in targets:
        home, _, name = target.partition(":")
        assert hasattr(importlib.import_module(home, "databroker.stores"), name)


def _is_in(module, rooms):
    return any(module == room or module.startswith(f"{room}.") for room in rooms)


def test_some_packages_stay_in_their_room():
    assert [
        f"{module}, line {line}: imports {name}, which belongs in {rooms}"
        for module in MODULES
        for name, line in _imports(module)
        if (rooms := ONLY_IN.get(name.partition(".")[0])) and not _is_in(module, rooms)
    ] == []


def _imports_at_once(module):
    """Yield the packages that are imported as soon as a module is."""
    for node in _module_level(TREES[module]):
        if isinstance(node, ast.Import):
            yield from ((alias.name.partition(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.partition(".")[0], node.lineno


def test_optional_packages_are_imported_where_first_used():
    assert [
        f"{module}, line {line}: imports {name} for everyone"
        for module in MODULES
        if _room(module) != "testing"  # which is made of hypothesis and pytest
        for name, line in _imports_at_once(module)
        if name in OPTIONAL
    ] == []


# -- how modules are made ----------------------------------------------------


def test_modules_are_short():
    lengths = {
        module: len(path.read_text(encoding="utf-8").splitlines())
        for module, path in MODULES.items()
    }
    long = {module for module, length in lengths.items() if length > LINES}
    assert long == set(LONGER), f"one idea each; over {LINES} lines need a reason"


OLD_PATHS = sorted(module for module in MODULES if RANKS.get(_room(module)) == 15)

STATEMENTS = 4
"""How many an old import path has at most, beside docstrings and imports."""


def test_old_import_paths_only_hand_names_on():
    allowed = ast.Import | ast.ImportFrom | ast.Expr
    for module in OLD_PATHS:
        rest = [node for node in TREES[module].body if not isinstance(node, allowed)]
        assert len(rest) <= STATEMENTS, module
        assert not [n for n in rest if isinstance(n, ast.FunctionDef | ast.ClassDef)], module


def test_modules_say_what_they_are_for():
    assert [m for m, tree in TREES.items() if tree.body and not ast.get_docstring(tree)] == []


def _without_docstring(module):
    """Yield methods of classes for other modules without a docstring, of their own or inherited."""
    for node in TREES[module].body:
        methods = [each for each in getattr(node, "body", ()) if isinstance(each, ast.FunctionDef)]
        bare = [each.name for each in methods if not ast.get_docstring(each)]
        bare = [name for name in bare if not name.startswith("_")]
        if not bare or not isinstance(node, ast.ClassDef):
            continue
        imported = importlib.import_module(f"databroker.{module}")
        public = [] if node.name.startswith("_") else [node.name]
        if node.name in getattr(imported, "__all__", public):
            bases = getattr(imported, node.name).__mro__
            for name in bare:
                if not any(name in vars(base) and vars(base)[name].__doc__ for base in bases):
                    yield f"{module}.{node.name}.{name}"


def test_methods_say_what_they_do_or_override_what_says_it():
    # Those of the shipped suite are tests, which have names that say it.
    modules = [each for each in TREES if not each.startswith("testing.conformance.")]
    assert [each for module in modules for each in _without_docstring(module)] == []


MUTABLE_TYPES = {
    *("list", "dict", "set", "bytearray", "deque", "defaultdict", "OrderedDict", "Counter"),
    *("WeakSet", "WeakKeyDictionary", "WeakValueDictionary", "local"),
}
MUTABLE_NODES = ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp


def _is_mutable(value):
    if isinstance(value, MUTABLE_NODES):
        return True
    return (
        isinstance(value, ast.Call) and ast.unparse(value.func).rpartition(".")[2] in MUTABLE_TYPES
    )


def _mutable_globals(module):
    for node in TREES[module].body:
        if isinstance(node, ast.Assign):
            names = [ast.unparse(target) for target in node.targets]
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            names = [ast.unparse(node.target)]
        else:
            continue
        if _is_mutable(node.value):
            yield from (name for name in names if name != name.upper() and name != "__all__")


def test_modules_keep_no_state():
    found = {(module, name) for module in MODULES for name in _mutable_globals(module)}
    assert found == set(MUTABLE)


def test_nothing_is_declared_global():
    assert [
        f"{module}, line {node.lineno}"
        for module, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Global)
    ] == []


# -- errors ------------------------------------------------------------------

OTHER_EXCEPTIONS = {
    # Exceptions that are not of our tree, and why.
    ("v1.handlers", "IntegrityError"): "a name of databroker 1.x",
    ("demo.plans", "ShutterClosed"): "what a simulated device raises",
    ("external.references", "Problem"): "becomes one of ours before it comes out",
    ("stores.sql.engine.failures", "RowExists"): "has an index of files try it another way",
}


def _exceptions(module):
    """Yield the classes that a module defines which are exceptions."""
    named = {each for each in vars(errors) if isinstance(getattr(errors, each), type)}
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.ClassDef):
            bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
            if bases & named or any(hasattr(builtins, base) and _raised(base) for base in bases):
                yield module, node.name


def _raised(name):
    kind = getattr(builtins, name)
    return isinstance(kind, type) and issubclass(kind, BaseException)


def test_exceptions_are_in_one_file():
    found = {pair for module in MODULES for pair in _exceptions(module) if module != "errors"}
    assert found == set(OTHER_EXCEPTIONS)


CODES = """
access-refused
ambiguous-prefix configuration-file-not-found configuration-not-found conflicting-document
copy-differs copy-failed copy-refused databroker-error dataset-missing document-is-read-only
duplicate-handler events-do-not-fit external-data-missing file-damaged file-forbidden file-missing
file-refused foreign-store frames-missing handler-failed invalid-configuration invalid-document
invalid-key invalid-query invalid-request key-of-wrong-type missing-extra no-handler no-such-field
no-such-folder
no-such-key no-such-run no-such-stream not-permitted not-supported outside-of-root projection-error
query-timeout
removed-module request-too-large request-too-slow run-is-running server-busy server-failed
shapes-differ store-away store-damaged
store-is-read-only
store-unavailable
too-far-back too-many-requests unknown-broker-name
unknown-descriptor unknown-document-kind unsupported-query
"""
"""Programs go by these: one that is here does not change."""


def test_the_codes_of_errors_stay_what_they_are():
    kinds = {errors.DatabrokerError}
    while more := {sub for kind in kinds for sub in kind.__subclasses__()} - kinds:
        kinds |= more
    public = {each for each in kinds if not each.__name__.startswith("_")}
    ours = sorted(each.code for each in public if each.__module__ == "databroker.errors")
    assert ours == CODES.split()
