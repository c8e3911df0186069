"""The page that says what each column is for is drawn from the columns."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from hftlib.research.day.schema import ORDER_NAMES, TABLES

ROOT = Path(__file__).parents[3]


def test_the_page_of_the_report_is_up_to_date():
    program = "from draw_report import TARGET, drawn; assert TARGET.read_text() == drawn()"
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'docs'}{os.pathsep}{ROOT}"}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)


def test_every_column_that_a_field_is_said_to_be_in_is_there():
    page = (ROOT / "docs" / "report.md").read_text()
    fields = page[page.index("| Field of RTS 24") : page.index("What a journal cannot know")]
    named = set(fields.split("`")[1::2])
    assert len(named) > 15 and named <= {*ORDER_NAMES, "time"}
    for name, columns in TABLES.items():
        assert f"## {name}.csv" in page and len({one.name for one in columns}) == len(columns)
