"""Whatever stands in a cell is read again as it was, and is nobody's formula."""

import json
import math
import tempfile
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape
from pyarrow import parquet

from databroker._util.formulas import unguarded
from databroker.export import export_table
from databroker.export.cells import Cells
from databroker.testing.conformance.base import quick

BEGINNINGS = st.sampled_from(
    ["", "'", "''", "=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "'=", "-5"]
)
TEXTS = st.builds(str.__add__, BEGINNINGS, st.text(st.characters(exclude_categories=["Cs"])))
NUMBERS = st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False))


def cells_of(values):
    cells = Cells()
    return cells.of(pa.array(values, pa.string())), list(cells.losses)


@quick(200)
@given(TEXTS)
@example("=cmd()")
@example("'=cmd()")
@example("+1")
@example("-1e5x")
def test_no_text_begins_a_formula_and_each_comes_back(text):
    (cell,), losses = cells_of([text])
    assert unguarded(cell) == text
    if cell != text:
        assert cell == f"'{text}"
        assert any(loss.startswith("text that begins like a formula") for loss in losses)
    elif text[:1] in tuple("=+-@\t\r\n\uff0b\uff0d\uff1d\uff20"):
        assert text == "" or not math.isnan(float(text))  # a number


@pytest.mark.parametrize("text", ["-5", "+5", "-.5e-3", "-5."])
def test_a_number_that_is_text_stays_one(text):
    assert cells_of([text]) == ([text], [])


@pytest.mark.parametrize("text", ["-5+cmd", "-", "+", "-1e", "=1", "--1", "-5\n=1", "-1 "])
def test_what_is_no_number_is_guarded(text):
    assert cells_of([text])[0] == [f"'{text}"]


@quick(40)
@given(st.lists(st.tuples(TEXTS, NUMBERS, st.none() | st.booleans()), min_size=1, max_size=5))
def test_odd_values_are_read_again(rows):
    texts, numbers, flags = zip(*rows, strict=True)
    frame = pd.DataFrame({"text": texts, "flag": flags}, dtype=object)
    frame["number"] = [float(number) for number in numbers]
    frame["whole"] = [int(number) if isinstance(number, int) else 0 for number in numbers]
    with tempfile.TemporaryDirectory() as folder:
        check_csv(frame, Path(folder, "odd.csv"))
        check_excel(frame, Path(folder, "odd.xlsx"))
        export_table(frame, Path(folder, "odd.parquet"))
        assert parquet.read_table(Path(folder, "odd.parquet")).to_pylist() == plain(frame)


def plain(frame):
    return [dict(zip(frame, row, strict=True)) for row in frame.itertuples(index=False)]


def check_csv(frame, path):
    export_table(frame, path)
    found = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert found["text"].map(unguarded).tolist() == frame["text"].tolist()
    assert found["number"].map(float).tolist() == frame["number"].tolist()
    assert found["whole"].map(int).tolist() == frame["whole"].tolist()
    assert found["flag"].tolist() == ["" if flag is None else str(flag) for flag in frame["flag"]]


def check_excel(frame, path):
    losses = export_table(frame, path)
    sheet = openpyxl.load_workbook(path)["runs"]
    _, *rows = sheet.values
    texts, flags, numbers, wholes = zip(*rows, strict=True)
    assert [unescape(text or "") for text in texts] == frame["text"].tolist()
    assert all(cell.data_type != "f" for row in sheet for cell in row)
    assert list(flags) == frame["flag"].tolist()
    assert [float(number) for number in numbers] == frame["number"].tolist()
    assert [int(whole) for whole in wholes] == frame["whole"].tolist()
    large = any(abs(whole) > 2**53 for whole in frame["whole"])
    assert large == ("integers beyond 2**53 as numbers (they are text)" in losses)


@pytest.mark.parametrize("dtype", [object, "str", "string[pyarrow]", "category"])
@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_however_text_is_kept_it_is_no_formula(tmp_path, dtype, suffix):
    frame = pd.DataFrame({"=a": pd.Series(["=1+1", None, "b"], dtype=dtype)})
    path = tmp_path / f"odd{suffix}"
    losses = export_table(frame, path)
    if suffix == ".csv":
        assert path.read_text() == "'=a\n'=1+1\n\"\"\nb\n"
        assert "text that begins like a formula (an apostrophe was put before it)" in losses
    else:
        column = openpyxl.load_workbook(path)["runs"]["A"]
        assert [cell.value for cell in column] == ["=a", "=1+1", None, "b"]
        assert {cell.data_type for cell in column} == {"s", "n"}


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".parquet", ".arrow"])
def test_a_table_without_columns_or_rows(tmp_path, suffix):
    for number, frame in enumerate((pd.DataFrame(), pd.DataFrame({"a": []}))):
        export_table(frame, tmp_path / f"{number}{suffix}")
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_lists_and_dictionaries_are_json(tmp_path, suffix):
    frame = pd.DataFrame({"list": [[1.5, None]], "dict": [{"a": "ä"}], "bytes": [b"\x00a"]})
    export_table(frame, tmp_path / f"odd{suffix}")
    read = pd.read_csv if suffix == ".csv" else pd.read_excel
    row = read(tmp_path / f"odd{suffix}").iloc[0]
    assert json.loads(row["list"]) == [1.5, None]
    assert json.loads(row["dict"]) == {"a": "ä"}
    assert json.loads(row["bytes"]) == "0061"
