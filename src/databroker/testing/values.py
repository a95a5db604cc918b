"""Hypothesis strategies for the values that documents hold."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

# Building a strategy costs hypothesis far more than drawing from it: each is built once.

Strategy = st.SearchStrategy[Any]

ANY_CHARACTER = st.characters(exclude_categories=())
"""Every code point: NUL and lone surrogates too."""

DTYPES = (
    "<f8",
    ">f8",
    "<f4",
    "<f2",
    "<i8",
    ">i4",
    "|i1",
    "<u2",
    "|u1",
    "<u8",
    "|b1",
    "<c16",
    ">c8",
    "<M8[ns]",
    "<m8[s]",
    "<U3",
    "|S2",
)
"""Array dtypes that instruments and users produce, of both byte orders."""

STRUCTURES = (
    np.dtype([("x", "<f8"), ("n", ">i4")]),
    np.dtype([("name", "<U2"), ("points", "<f4", (2,)), ("inner", [("flag", "?")])]),
    np.dtype([("a", "i1"), ("b", "f8")], align=True),
)
"""Dtypes with fields: both byte orders, nested, with sub-arrays, with gaps."""


@functools.cache
def texts(max_size: int = 8) -> st.SearchStrategy[str]:
    """Make text of any characters, often plain words."""
    words = st.sampled_from(("", "eta", "det", "good sample", "Ni", "Zürich", "µm", "样品"))
    return words | st.text(ANY_CHARACTER, max_size=max_size)


@functools.cache
def keys() -> st.SearchStrategy[str]:
    """Make keys of dictionaries: everyday ones, and odd ones."""
    everyday = st.sampled_from(("sample", "name", "T", "x", "y", "motors", "a.b", "$in", "", "uid"))
    return everyday | st.text(ANY_CHARACTER, max_size=4)


@functools.cache
def scalars() -> Strategy:
    """Make everything that is kept as it is and holds nothing else."""
    return st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-3, 3),
        st.integers(),
        st.sampled_from((2**53, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 2**64, 10**40)),
        st.floats(),
        st.sampled_from((0.0, -0.0, 1.0, float("nan"), float("inf"), -float("inf"))),
        texts(),
    )


@functools.cache
def shapes() -> st.SearchStrategy[tuple[int, ...]]:
    """Choose shapes of small arrays: no dimension, and no elements, too."""
    return st.sampled_from(((), (0,), (1,), (3,), (2, 2), (0, 3), (2, 0), (1, 2, 2)))


@st.composite
def arrays(
    draw: st.DrawFn, dtype: str | np.dtype[Any] | None = None, shape: tuple[int, ...] | None = None
) -> np.ndarray[Any, Any]:
    """Make small arrays of every dtype that is kept exactly."""
    made = np.dtype(dtype if dtype is not None else draw(dtypes()))
    if shape is None:
        shape = draw(shapes())
    count = int(np.prod(shape, dtype=int))
    if made.kind in "fciuMm" and made.subdtype is None:
        # Any bytes are numbers, NaNs with a payload among them, and one draw is fast.
        size = count * made.itemsize
        raw = draw(st.binary(min_size=size, max_size=size))
        return np.frombuffer(raw, made, count=count).reshape(shape).copy()
    found: np.ndarray[Any, Any] = draw(hnp.arrays(made, shape))
    return found


@functools.cache
def dtypes() -> st.SearchStrategy[np.dtype[Any]]:
    """Choose among the dtypes of `arrays`."""
    return st.sampled_from([*map(np.dtype, DTYPES), *STRUCTURES])


@functools.cache
def numpy_scalars() -> Strategy:
    """Make NumPy's own numbers, as devices return them; they are kept as Python's."""
    return st.one_of(
        st.floats(width=32).map(np.float32),
        st.floats().map(np.float64),
        st.integers(-100, 100).map(np.int16),
        st.integers(0, 2**64 - 1).map(np.uint64),
        st.booleans().map(np.bool_),
        st.text("abc", max_size=3).map(np.str_),
    )


@functools.cache
def rectangular_lists() -> Strategy:
    """Make lists of lists that could be an array."""
    return st.sampled_from(((1,), (2,), (2, 2), (2, 1, 2))).flatmap(
        lambda shape: arrays("<f8", shape).map(lambda array: array.tolist())
    )


@functools.cache
def ragged_lists() -> Strategy:
    """Make lists of lists of different lengths, or of different depths."""
    return st.lists(st.lists(st.integers(0, 9) | st.none(), max_size=3) | st.floats(), max_size=3)


@functools.cache
def values(max_leaves: int = 6) -> Strategy:
    """Make anything that is kept exactly, nested."""
    return st.recursive(
        scalars() | arrays(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys(), inner, max_size=3),
        max_leaves=max_leaves,
    )


@functools.cache
def everyday_values() -> Strategy:
    """Make values with silent changes: NumPy scalars and tuples among the others."""
    leaves = scalars() | arrays() | numpy_scalars()
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.lists(inner, max_size=2).map(tuple)
            | st.dictionaries(keys(), inner, max_size=3)
        ),
        max_leaves=6,
    )


@functools.cache
def cells() -> st.SearchStrategy[Strategy]:
    """Choose strategies, one a column: each makes the cells of a column of one kind."""
    fixed = st.tuples(dtypes(), shapes()).map(lambda pair: arrays(*pair))
    return st.one_of(
        st.sampled_from(
            (
                st.floats(),
                st.integers(-(2**63), 2**63 - 1),
                st.integers(),
                st.booleans(),
                texts(),
                st.none() | st.floats(),
                st.none() | st.integers(-9, 9),
                st.floats(0, 1) | st.integers(-9, 9),
                st.booleans() | st.integers(0, 1),
                st.none(),
                arrays(),
                st.lists(st.floats(), min_size=3, max_size=3),
                st.lists(st.integers(0, 9), min_size=2, max_size=2),
                rectangular_lists(),
                ragged_lists(),
                st.dictionaries(keys(), scalars(), max_size=2),
                values(4),
            )
        ),
        fixed,
    )


@functools.cache
def records(max_size: int = 2) -> st.SearchStrategy[dict[str, Any]]:
    """Make small dictionaries of such values."""
    return st.dictionaries(keys(), values(3), max_size=max_size)


@functools.cache
def up_to(most: int) -> st.SearchStrategy[int]:
    """Make integers from 0 up to and with ``most``."""
    return st.integers(0, most)


@functools.lru_cache(maxsize=None, typed=True)
def one_of_these(*options: Any) -> Strategy:
    """Choose one of some hashable values."""
    return st.sampled_from(options)
