"""Hypothesis strategies for documents and questions that often have to do with each other."""

from __future__ import annotations

from hypothesis import strategies as st

from databroker.queries import DataKey, Everything, FullText, Item, Key, TimeBounds, UidPrefix
from databroker.query.evaluate import RunView

# Few keys and values, so that questions and documents meet; some of them odd.
names = st.sampled_from(["a", "b", "motor", "x.y", "0", "$d", "it's", "é"])
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([0.0, -0.0, 1.0, 2.5, float("nan"), float("inf"), 2.0**53, 2**53 + 1, 10**400]),
    st.sampled_from(["", "a", "b", "good sample", "Ni_foil", "Straße", "1", "\x00", "😀"]),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
documents = st.dictionaries(names, values, max_size=4)
paths = st.lists(names, min_size=1, max_size=3).map(".".join)
runs = st.builds(
    lambda start, time, uid, stop, keys: RunView(
        {**start, "time": time, "uid": uid}, stop, lambda: keys
    ),
    documents,
    st.floats(0, 10),
    st.sampled_from(["aa", "ab", "b"]),
    st.none() | documents,
    st.sets(st.sampled_from(["det", "motor"])),
)

_keys = st.builds(Key, paths | paths.map("stop.".__add__))
_orders = st.sampled_from(["__lt__", "__le__", "__gt__", "__ge__"])
_words = st.sampled_from(
    ["good", "sample", "sample good", '"good sample"', "-foil", "ni_foil", "strasse"]
)


def _about(key: st.SearchStrategy[Key]) -> st.SearchStrategy:
    return st.one_of(
        st.builds(lambda k, v: k == v, key, values),
        st.builds(lambda k, v: k != v, key, values),
        st.builds(lambda k, op, v: getattr(k, op)(v), key, _orders, scalars),
        st.builds(lambda k, v: k.isin(v), key, st.lists(values, max_size=3)),
        st.builds(lambda k, v: k.contains_all(v), key, st.lists(scalars, max_size=2)),
        st.builds(lambda k, v: k.exists(v), key, st.booleans()),
        st.builds(
            lambda k, p, f: k.matches(p, f),
            key,
            st.sampled_from(["a", "^$", "S.mp"]),
            st.sampled_from(["", "i"]),
        ),
        st.builds(lambda k, n: k.size(n), key, st.integers(0, 3)),
        st.builds(
            lambda k, t: k.has_type(t),
            key,
            st.sampled_from(["number", "null", "array", "object", str, bool]),
        ),
        st.builds(
            lambda k, d, r: k.mod(d, r), key, st.sampled_from([2, 3, -2]), st.integers(-2, 2)
        ),
    )


_inner = _about(st.just(Item)) | _about(st.builds(Key, paths))
_leaves = st.one_of(
    _about(_keys),
    st.builds(lambda k, q: k.elem_match(q), _keys, _inner),
    st.builds(TimeBounds, st.none() | st.floats(0, 10), st.none() | st.floats(0, 10)),
    st.builds(FullText, _words),
    st.builds(DataKey, st.sampled_from(["det", "motor", "x"])),
    st.builds(UidPrefix, st.sampled_from(["", "a", "ab", "."])),
    st.just(Everything()),
)
queries = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.builds(lambda a, b: a & b, inner, inner),
        st.builds(lambda a, b: a | b, inner, inner),
        inner.map(lambda a: ~a),
    ),
    max_leaves=5,
)
