"""The small tables of tests/data/tables: what each is, how it is read, and what must come out, stated by hand.

`python tests/data/make_tables.py` writes the files anew. `CASES` maps a file's name to what it is, its content, the options of
`load_table`, and what must come out: (x, y, classes), or words of the error.
"""

from __future__ import annotations

import gzip
from pathlib import Path

FOLDER = Path(__file__).parent / "tables"
X2 = [[1, 2], [4, 5], [3, 2]]
X1 = [[1], [4], [3]]


def _y(cell: str) -> str:
    """A table whose target is of numbers but for one cell."""
    return f"a,b,y\n1,2,13495.5\n4,5,{cell}\n3,2,9950\n"


def _b(cell: str) -> str:
    """A table whose second column is of numbers but for one cell."""
    return f"a,b,y\n1,2,up\n4,{cell},down\n3,2,up\n"


UP = ([[1, 2], [4, 5], [3, 2]], [1, 0, 1], ("down", "up"))
MISSING = "line 3, column 'y': must be a finite number or the name of a class, got "
STRANGE = "is no plain number"

CASES: dict[str, tuple[str, str | bytes, dict, object]] = {
    # The dialects.
    "plain.csv": ("commas, labels of text", _b("5"), {}, UP),
    "bom.csv": ("UTF-8 with a byte order mark", "\ufeff" + _b("5"), {}, UP),
    "crlf.csv": ("line ends of Windows", _b("5").replace("\n", "\r\n"), {}, UP),
    "cr.csv": ("line ends of old Macs", _b("5").replace("\n", "\r"), {}, UP),
    "no_end.csv": ("no line end after the last row", _b("5")[:-1], {}, UP),
    "blank_lines.csv": ("blank lines between rows and at the end", _b("5").replace("\n", "\n\n"), {}, UP),
    "semicolons.csv": ("semicolons", _b("5").replace(",", ";"), {}, UP),
    "tabs.tsv": ("tabs", _b("5").replace(",", "\t"), {}, UP),
    "tabs.csv": ("tabs in a .csv", _b("5").replace(",", "\t"), {}, UP),
    "bars.txt": ("bars, the ending .txt", _b("5").replace(",", "|"), {}, UP),
    "colons.csv": ("colons, named", _b("5").replace(",", ":"), {"delimiter": ":"}, UP),
    "packed.csv.gz": ("gzip", gzip.compress(_b("5").encode(), mtime=0), {}, UP),
    "packed_cut.csv.gz": ("gzip, cut short", gzip.compress(_b("5").encode(), mtime=0)[:-9], {}, "damaged gzip file"),
    "utf16.csv": ("UTF-16 with its mark", b"\xff\xfe" + _b("5").encode("utf-16-le"), {}, UP),
    "utf16_be.csv": ("UTF-16, the other order, with its mark", b"\xfe\xff" + _b("5").encode("utf-16-be"), {}, UP),
    "utf16_bare.csv": ("UTF-16 without its mark", _b("5").encode("utf-16-le"), {}, "line 1: a byte 0: UTF-16 without its mark"),
    "utf16_named.csv": ("UTF-16 without its mark, named", _b("5").encode("utf-16-le"), {"encoding": "utf-16-le"}, UP),
    "latin1.csv": ("Latin-1", "a,y\n1,x\n4,café\n3,x\n".encode("latin-1"), {}, "line 3: must be a text file in UTF-8"),
    "latin1_named.csv": (
        "Latin-1, named",
        "a,y\n1,x\n4,café\n3,x\n".encode("latin-1"),
        {"encoding": "latin-1"},
        (X1, [1, 0, 1], ("café", "x")),
    ),
    "nul.csv": ("a byte 0", b"a,y\n1,x\n4,\0\n", {}, "line 3: a byte 0"),
    "decimal_comma.csv": ("decimal commas", "a;b;y\n1;2;1,5\n4;5;10,25\n3;2;2,0\n", {}, "decimal comma: name it"),
    "decimal_comma_named.csv": (
        "decimal commas, named",
        "a;b;y\n1;2;1,5\n4;5;10,25\n3;2;2,0\n",
        {"decimal": ","},
        (X2, [1.5, 10.25, 2.0], ()),
    ),
    "two_marks.csv": ("commas or bars", "a|b,c|y\n1|2,3|4\n5|6,7|8\n", {}, "cells are separated by commas or bars: name it"),
    "blanks.csv": ("blanks around cells and quotes", 'a, b ,"y"\n1, 2, "up"\n4 ,5,down\n3,2 ,up \n', {}, UP),
    # Quotes.
    "quoted.csv": ("every cell in quotes", '"a","b","y"\n"1","2","up"\n"4","5","down"\n"3","2","up"\n', {}, UP),
    "quoted_comma.csv": (
        "a comma inside a cell",
        'a,y\n1,"dog, big"\n4,cat\n3,"dog, big"\n',
        {},
        (X1, [1, 0, 1], ("cat", "dog, big")),
    ),
    "quoted_line.csv": ("a line end inside a cell", 'a,y\n1,"u\np"\n4,cat\n3,"u\np"\n', {}, (X1, [1, 0, 1], ("cat", "u\np"))),
    "quoted_quote.csv": ("doubled quotes", 'a,y\n1,"5"" p"\n4,"c"\n3,"5"" p"\n', {}, (X1, [0, 1, 0], ('5" p', "c"))),
    "quoted_na.csv": ("a class named NA, in quotes", 'a,y\n1,US\n4,"NA"\n3,US\n', {}, (X1, [1, 0, 1], ("NA", "US"))),
    "line_after_quoted.csv": (
        "a wrong cell after a line end inside a cell",
        'a,b,y\n1,2,"u\np"\n4,x,cat\n',
        {},
        "line 4, column 'b': must be a finite number, got 'x'",
    ),
    "open_quote.csv": ("a quote that never closes", 'a,b,y\n1,2,3\n4,"5,6\n' + "1,2,3\n" * 50, {}, "line 3: a quote that never"),
    "after_quote.csv": ("text after a closing quote", 'a,b,y\n1,"2"x,3\n4,5,6\n', {}, "line 2: text after the quote"),
    "inner_quote.csv": ("a quote inside a cell", 'a,b,y\n1,2,3\n4,5" pipe,6\n', {}, "line 3: a quote"),
    # Shapes and names.
    "empty.csv": ("an empty file", "", {}, "must hold a table, got an empty file"),
    "header_only.csv": ("names and no row", "a,b,y\n", {}, "must hold at least one row"),
    "short_row.csv": ("a row cut short", "a,b,y\n1,2,3\n4,5\n3,2,9\n", {}, "line 3: must have 3 cells as the header, got 2"),
    "long_row.csv": ("a row too long", "a,b,y\n1,2,3\n4,5,6,7\n3,2,9\n", {}, "line 3: must have 3 cells as the header, got 4"),
    "twice.csv": ("two columns of one name", "a,a,y\n1,2,3\n", {}, "a more than once"),
    "no_header.csv": ("no line of names", "5.1,3.5,setosa\n1,2,virginica\n", {}, "line 1: must name the columns, got numbers"),
    "no_header_named.csv": (
        "no line of names, named",
        "1,2,up\n4,5,down\n3,2,up\n",
        {"header": False, "target": "3"},
        UP,
    ),
    "no_header_whole.csv": ("no line of names, whole numbers", "0,0,5,13\n1,2,3,4\n", {}, "got numbers"),
    "number_names.csv": ("names 0, 1, ... as pandas writes them", "0,1,y\n1,2,up\n4,5,down\n3,2,up\n", {}, UP),
    "years.csv": ("years as names", "2019,2020,y\n1,2,up\n4,5,down\n3,2,up\n", {}, UP),
    "index.csv": ("the index that pandas writes", ",a,b,y\n0,1,2,up\n1,4,5,down\n2,3,2,up\n", {}, UP),
    "unnamed.csv": ("that index read and written again", "Unnamed: 0,a,b,y\n0,1,2,up\n1,4,5,down\n2,3,2,up\n", {}, UP),
    "nameless.csv": ("a nameless column that is no index", ",a,y\n7,1,up\n9,4,down\n", {}, "in a column without a name"),
    "no_target.csv": ("another target", "a,b,z\n1,2,3\n", {}, "target must name one column of a, b, z, got 'y'"),
    # Targets of numbers with one cell that is none.
    **{
        f"target_{name}.csv": (f"a target of numbers with one cell {cell}", _y(cell), {}, MISSING + repr(cell))
        for name, cell in (("question", "?"), ("na", "N/A"), ("excel", "#N/A"), ("pandas", "<NA>"), ("dash", "-"),
                           ("missing", "missing"), ("nothing", ""), ("nan", "nan"), ("null", "NULL"))
    },
    **{
        f"target_{name}.csv": (f"a target of numbers with one cell {cell}", _y(cell), {}, f"line 3, column 'y': {shown!r} {STRANGE}")
        for name, cell, shown in (("infinity", "Infinity", "Infinity"), ("unit", "12.5 kg", "12.5 kg"), ("percent", "45%", "45%"),
                                  ("dollar", "$10", "$10"), ("thousands", '"1,234"', "1,234"), ("minus", "\u22125", "\u22125"),
                                  ("date", "2021-01-05", "2021-01-05"), ("underscore", "1_0", "1_0"),
                                  ("wide", "\uff11\uff12", "\uff11\uff12"), ("hex", "0x10", "0x10"), ("text", "cheap", "cheap"))
    },
    "target_1e999.csv": ("a number beyond float64", _y("1e999"), {}, "line 3, column 'y': '1e999' is larger than float64 holds"),
    "target_dropped.csv": (
        "such a row left out, as told",
        _y("?"),
        {"missing": "drop"},
        ([[1, 2], [3, 2]], [13495.5, 9950.0], ()),
    ),
    # Columns.
    **{
        f"column_{name}.csv": (f"a column of numbers with one cell {cell}", _b(cell), {}, "line 3, column 'b': must be a finite number")
        for name, cell in (("underscore", "1_0"), ("month", "2021_01"), ("wide", "\uff11\uff12"), ("hex", "0x10"), ("inf", "inf"),
                           ("unit", "12.5 kg"), ("minus", "\u22125"), ("date", "05/01/2021"), ("nothing", ""), ("na", "NA"))
    },
    "column_mean.csv": ("a missing cell as the mean, as told", _b("?"), {"missing": "mean"}, ([[1, 2], [4, 2], [3, 2]], *UP[1:])),
    "column_spellings.csv": (
        "plain numbers in all spellings",
        "a,b,y\n+1,2.,up\n4e0,.5E1,down\n03,2,up\n",
        {},
        UP,
    ),
    "booleans.csv": ("True and False", "a,b,y\n1,True,up\n4,False,down\n3,True,up\n", {}, ([[1, 1], [4, 0], [3, 1]], *UP[1:])),
    "texts.csv": ("two columns of text", "a,s,t,y\n1,p,q,up\n4,r,q,down\n", {}, "categorical=['s', 't']"),
    "categories.csv": (
        "a category, as told",
        "a,s,y\n1,q,up\n4,p,down\n3,q,up\n",
        {"categorical": ["s"]},
        ([[1, 0, 1], [4, 1, 0], [3, 0, 1]], *UP[1:]),
    ),
    "dropped.csv": ("a column left out, as told", "a,s,b,y\n1,q,2,up\n4,p,5,down\n3,q,2,up\n", {"drop": ["s"]}, UP),
    "identifier.csv": ("an identifier", "user_id,a,y\n17,1,up\n12,4,down\n", {}, "an identifier: all different"),
    "large.csv": ("whole numbers beyond 2^53", _b("9007199254740993"), {}, "beyond 2^53"),
    "tiny.csv": ("numbers of 1e-200", "a,y\n1e-200,up\n3e-200,down\n", {}, ([[1e-200], [3e-200]], [1, 0], ("down", "up"))),
    # Labels.
    "labels_01.csv": ("labels 01 and 1", "a,y\n1,01\n4,1\n3,001\n", {}, "spells one number in two ways, '001' and '01'"),
    "labels_1e2.csv": ("labels 1E2 and 100", "a,y\n1,1E2\n4,100\n3,1e02\n", {}, "spells one number in two ways"),
    "labels_large.csv": ("labels beyond 2^53", "a,y\n1,9007199254740993\n4,9007199254740992\n", {}, "beyond 2^53"),
    "labels_whole.csv": ("whole numbers as labels", "a,y\n1,7\n4,-2\n3,7\n", {}, (X1, [7, -2, 7], (-2, 7))),
    "counts.csv": ("30 counts in 60 rows", "a,y\n" + "".join(f"{i % 7},{i % 30}\n" for i in range(60)), {}, "task='regression'"),
    "counts_named.csv": (
        "21 counts, a quantity as told",
        "a,y\n" + "".join(f"{i},{2 * i}\n" for i in range(21)),
        {"task": "regression"},
        ([[i] for i in range(21)], [2.0 * i for i in range(21)], ()),
    ),
    "animals.csv": ("three kinds of animals in ten rows", "a,y\n" + "1,cat\n4,dog\n3,cow\n" * 3 + "1,cat\n", {},
                    (X1 * 3 + [[1]], [0, 2, 1] * 3 + [0], ("cat", "cow", "dog"))),
    "text_as_quantity.csv": ("text as a quantity", _b("5"), {"task": "regression"}, "must be a number for a quantity"),
    # Other formats by their first bytes.
    "zip.csv": ("a zip archive", b"PK\x03\x04rest", {}, "a zip archive (an Excel workbook is one too)"),
    "parquet.csv": ("Parquet under the name of CSV", b"PAR1rest", {}, "a Parquet file: name it .parquet"),
    "text.parquet": ("CSV under the name of Parquet", _b("5"), {}, "no Parquet, Arrow or Feather file, or damaged"),
    "no_bytes.feather": ("an empty Feather file", b"", {}, "no Parquet, Arrow or Feather file, or damaged"),
}  # fmt: skip


def content(name: str) -> bytes:
    """Return the bytes of a file."""
    made = CASES[name][1]
    return made.encode() if isinstance(made, str) else made


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for one in CASES:
        (FOLDER / one).write_bytes(content(one))
    print(f"{len(CASES)} files in {FOLDER}")
