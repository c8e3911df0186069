"""Tables in batches of rows, whatever they are: a DataFrame, a Parquet file, a CSV file.

Parquet is read by row groups and CSV by blocks, both through pyarrow; a DataFrame is sliced.
Worst case: one batch of ROWS_MAX rows, beside the row group that pyarrow is unpacking.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from hftlib.core.errors import InputError
from hftlib.core.units import shown

Table: TypeAlias = "pd.DataFrame | str | Path"
ROWS_MAX = 32_768


class Batches:
    """The rows of one table, a batch at a time; `names` are its columns."""

    def __init__(self, table: Table) -> None:
        self.share_done = 0.0
        self._frame: pd.DataFrame | None = None
        if isinstance(table, pd.DataFrame):
            self._frame, self.where = table, "a DataFrame"
            self.names = [str(name) for name in table.columns]
        elif isinstance(table, str | Path):
            self.path, self.where = Path(table), str(table)
            self.is_csv = self.path.suffix.lower() != ".parquet" and not self._is_parquet()
            self.names = self._names()
        else:
            what = f"{shown(table)}, a {type(table).__name__}, is no table"
            do = "Give a pandas DataFrame, or the path of a Parquet or CSV file."
            raise InputError(what, where="FrameSource", do=do)

    def frames(self) -> Iterator[pd.DataFrame]:
        """Batches as DataFrames, each with the columns in `names`."""
        done = 0
        if self._frame is not None:
            for begin in range(0, len(self._frame), ROWS_MAX):
                yield self._frame.iloc[begin : begin + ROWS_MAX]
                self.share_done = min(1.0, (begin + ROWS_MAX) / len(self._frame))
        else:
            try:
                for batch, share in self._of_csv() if self.is_csv else self._of_parquet():
                    yield batch
                    done += len(batch)
                    self.share_done = share
            except (pa.ArrowException, OSError) as error:
                what = f"This file is damaged behind row {done:,}: {shown(error)}"
                raise InputError(
                    what, where=self.where, do="Correct it, or fetch it again."
                ) from None
        self.share_done = 1.0

    def _is_parquet(self) -> bool:
        try:
            with self.path.open("rb") as file:
                return file.read(4) == b"PAR1"
        except OSError as error:
            raise self._refused(error) from None

    def _names(self) -> list[str]:
        try:
            if self.is_csv:
                with pyarrow.csv.open_csv(self.path) as reader:
                    return list(reader.schema.names)
            with pyarrow.parquet.ParquetFile(self.path) as file:
                return [_time_index(field) or field.name for field in file.schema_arrow]
        except (pa.ArrowException, OSError) as error:
            raise self._refused(error) from None

    def _of_parquet(self) -> Iterator[tuple[pd.DataFrame, float]]:
        with pyarrow.parquet.ParquetFile(self.path) as file:
            rows, done = max(1, file.metadata.num_rows), 0
            for batch in file.iter_batches(batch_size=ROWS_MAX):
                done += batch.num_rows
                frame: pd.DataFrame = batch.to_pandas(ignore_metadata=True)
                frame.columns = pd.Index(self.names)
                yield frame, done / rows

    def _of_csv(self) -> Iterator[tuple[pd.DataFrame, float]]:
        size, done = max(1, self.path.stat().st_size), 0
        with pyarrow.csv.open_csv(self.path) as reader:
            for batch in reader:
                done += batch.nbytes  # roughly: the text is as long as what it says
                frame: pd.DataFrame = batch.to_pandas()
                for begin in range(0, len(frame), ROWS_MAX):
                    yield frame.iloc[begin : begin + ROWS_MAX], min(0.99, done / size)

    def _refused(self, error: Any) -> InputError:
        do = "Give a Parquet file, or a CSV file with the names of its columns in the first line."
        return InputError(f"This is no table: {shown(error)}", where=self.where, do=do)


def _time_index(field: Any) -> str:
    """How pandas stores an index without a name; of times, it is the column of times."""
    is_index = field.name == "__index_level_0__"
    return "time" if is_index and pa.types.is_timestamp(field.type) else ""
