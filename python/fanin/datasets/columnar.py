"""Tables with typed columns: Parquet, Arrow and Feather files, and DataFrames through the Arrow interchange."""

from __future__ import annotations

from typing import Any

from fanin.datasets.decide import Source


def is_frame(source: Any) -> bool:
    """Whether something gives its columns through the Arrow interchange: a DataFrame of pandas, Polars, Arrow, DuckDB, ..."""
    return hasattr(source, "__arrow_c_stream__")


def read_frame(frame: Any) -> Source:
    """Take a DataFrame's columns; numbers are not copied where Arrow can lend them. pandas' index is left out.

    Raises
    ------
    TypeError
        If a column mixes types, as pandas' object columns may; the message names it.
    """
    import pyarrow as pa

    names = getattr(frame, "columns", None)
    if names is not None and not hasattr(frame, "schema"):  # pandas: names may be anything
        names = [str(one) for one in names]
        if len(set(names)) < len(names):
            twice = sorted({one for one in names if names.count(one) > 1})
            raise ValueError(f"DataFrame: every column must have a name of its own, got {', '.join(twice)} more than once")
        columns = []
        for i, one in enumerate(names):
            try:
                columns.append(pa.array(frame.iloc[:, i], from_pandas=True))
            except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:  # noqa: PERF203
                raise TypeError(f"DataFrame, column {one!r}: must hold one type, got a mixture ({error})") from None
        return _source("DataFrame", pa.table(columns, names=names))
    return _source("DataFrame", pa.table(frame))


def read_columnar(name: str) -> Source:
    """Read a Parquet, Arrow or Feather file.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is no such file or damaged.
    """
    import pyarrow as pa

    with open(name, "rb") as file:
        head = file.read(6)
    try:
        if head[:4] == b"PAR1":
            from pyarrow import parquet

            return _source(name, parquet.read_table(name))
        if head == b"ARROW1":
            with pa.OSFile(name) as opened:
                return _source(name, pa.ipc.open_file(opened).read_all())
        if head[:4] == b"FEA1":
            from pyarrow import feather

            return _source(name, feather.read_table(name))
        with pa.OSFile(name) as opened:
            return _source(name, pa.ipc.open_stream(opened).read_all())
    except (pa.ArrowException, OSError, EOFError, OverflowError, MemoryError) as error:
        raise ValueError(f"{name}: no Parquet, Arrow or Feather file, or damaged: {str(error)[:200]}") from error


def _source(name: str, table: Any) -> Source:
    if table.num_rows == 0 or table.num_columns == 0:
        raise ValueError(f"{name}: must hold at least one row and one column, got {table.num_rows} x {table.num_columns}")
    try:
        table.validate(full=True)  # offsets and texts of a damaged file lead anywhere
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{name}: damaged: {str(error)[:200]}") from None
    names = table.column_names
    if len(set(names)) < len(names):
        twice = sorted({one for one in names if names.count(one) > 1})
        raise ValueError(f"{name}: every column must have a name of its own, got {', '.join(twice)} more than once")

    for i, kind in enumerate(table.schema.types):  # one type of text for all that follows
        if str(kind) in ("string_view", "large_string"):
            table = table.set_column(i, names[i], table.column(i).cast("string"))

    def cell(column: str, row: int) -> str:
        return str(table[column][row].as_py())

    return Source(name, table, lambda row, column: f"{name}, row {row}, column {column!r}", cell)
