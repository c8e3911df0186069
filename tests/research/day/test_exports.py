"""Exports read back by the programs that people use: pandas, pyarrow, the csv module."""

from __future__ import annotations

import csv
import json
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hftlib.research.day.schema import TABLES, schema_of


@pytest.fixture(scope="module")
def kept(report, tmp_path_factory):
    return report.save(tmp_path_factory.mktemp("exports") / "kept", pdf=False)


@pytest.mark.parametrize("name", list(TABLES))
def test_parquet_has_the_schema_and_every_row(name, kept, report):
    found = pq.read_table(kept / f"{name}.parquet")
    assert found.schema.equals(schema_of(name)) and found.num_rows == len(report.tables[name])
    for column in TABLES[name]:
        values = found.column(column.name).to_pylist()
        if column.type == "time":
            values = found.column(column.name).cast(pa.int64()).to_pylist()
        assert values == [row[column.name] for row in report.tables[name]], column.name


@pytest.mark.parametrize("name", list(TABLES))
def test_csv_says_the_same_in_text(name, kept, report):
    with (kept / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    assert len(found) == len(report.tables[name])
    for row, told in zip(found, report.tables[name], strict=True):
        assert list(row) == [one.name for one in TABLES[name]]
        for column in TABLES[name]:
            value, text = told[column.name], row[column.name]
            if value is None:
                assert text == ""
            elif column.type == "int":
                assert int(text) == value
            elif column.type == "number":
                assert Decimal(text) == value
            elif column.type == "bool":
                assert text == ("true" if value else "false")
            elif column.type == "text":
                assert text.removeprefix("'") == value or text == value


def test_times_are_utc_to_the_nanosecond_for_pandas(kept, report):
    frame = pd.read_parquet(kept / "orders.parquet")
    assert str(frame["time"].dtype) == "datetime64[ns, UTC]"
    assert frame["time"].astype("int64").tolist() == frame["time_ns"].tolist()
    text = pd.read_csv(kept / "orders.csv")
    assert pd.to_datetime(text["time"]).astype("int64").tolist() == frame["time_ns"].tolist()
    assert text["time"].str.endswith("Z").all()


def test_no_cell_of_a_csv_is_a_formula(kept):
    for name in TABLES:
        with (kept / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
        texts = [n for n, one in enumerate(TABLES[name]) if one.type == "text"]
        for row in rows[1:]:
            assert not [row[n] for n in texts if row[n][:1] in ("=", "+", "-", "@")]


def test_the_schema_says_what_each_column_is_for(kept):
    told = json.loads((kept / "schema.json").read_text())
    assert {name: [one["name"] for one in columns] for name, columns in told.items()} == {
        name: [one.name for one in columns] for name, columns in TABLES.items()
    }
    assert all(one["says"] for columns in told.values() for one in columns)


def test_execution_figures_are_sums_of_the_record(report):
    rows = report.tables["orders"]
    for one in report.tables["execution"]:
        mine = [r for r in rows if r["symbol"] == one["symbol"] and r["side"] == one["side"]]
        fills = [r for r in mine if r["event"] in ("PARTIAL", "FILL")]
        assert one["orders"] == sum(r["event"] == "NEW" for r in mine)
        assert one["quantity_filled"] == sum(r["traded_quantity"] for r in fills)
        assert one["turnover"] == sum(r["traded_quantity"] * r["traded_price"] for r in fills)
        passive = sum(
            r["traded_quantity"] * r["traded_price"] for r in fills if r["liquidity"] == "passive"
        )
        assert abs(one["passive_share"] - passive / one["turnover"]) < Decimal("1e-9")
    both = sum(float(one["fees"]) for one in report.tables["execution"])
    assert both == pytest.approx(float(report.totals[0]["fees"]))
