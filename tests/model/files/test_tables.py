"""Tables are read as they were meant, or refused with line, column and cause; no row is lost without a word."""

import gzip
from pathlib import Path

import pytest

from resformer.model.files.tables import Row, read_header, read_table
from resformer.model.files.whole_file import UnusableFile

ROWS = [{"index": "7", "image": "a.jpg", "title": "Größe, 3"}, {"index": "8", "image": "b.jpg", "title": ""}]
TEXT = 'index,image,title\n7,a.jpg,"Größe, 3"\n8,b.jpg,\n'


def read(path: Path, content: str | bytes, *columns: str, **options: bool) -> list[Row]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_table(path, *columns, **options))


def refusal(path: Path, content: str | bytes, *columns: str, **options: bool) -> str:
    with pytest.raises(UnusableFile) as error:
        read(path, content, *columns, **options)
    return str(error.value).removeprefix(f"{path}").lstrip(", ")


@pytest.mark.parametrize(
    "content",
    [
        TEXT,
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("\n", "\r"),
        "\n \n" + TEXT + "\n,,\n \n",
        TEXT.removesuffix("\n"),
        gzip.compress(TEXT.encode()),
        'index;image;title\n7;a.jpg;"Größe, 3"\n8;b.jpg;\n',
        "index\timage\ttitle\n7\ta.jpg\tGröße, 3\n8\tb.jpg\t\n",
        "index|image|title\n7|a.jpg|Größe, 3\n8|b.jpg|\n",
        "sep=;\nindex;image;title\n7;a.jpg;Größe, 3\n8;b.jpg;\n",
        "sep=~\nindex~image~title\n7~a.jpg~Größe, 3\n8~b.jpg~\n",
        ' index , "image", title\n7, a.jpg, "Größe, 3"\n8, b.jpg, \n',
        TEXT.replace("index", ""),
        TEXT.replace("8,b.jpg,\n", "8,b.jpg\n"),
    ],
)
def test_tables_of_many_programs_are_read_alike(tmp_path: Path, content: str | bytes) -> None:
    rows = read(tmp_path / "t.csv", content, "index", "image|image_link")
    assert rows == ROWS
    assert read_header(tmp_path / "t.csv") == ["index", "image", "title"]


def test_rows_know_their_lines(tmp_path: Path) -> None:
    rows = read(tmp_path / "t.csv", 'sep=,\n\na,b\n1,"x\ny"\n\n2,z\n')
    assert [row.line for row in rows] == [4, 7]
    assert rows[0]["b"] == "x\ny" and rows[1].where("b") == f"{tmp_path / 't.csv'}, line 7, column b"


def test_columns_without_a_name_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    assert read(path, "index,,b,\n1,2,3,4\n") == [{"index": "1", "column 2": "2", "b": "3", "column 4": "4"}]
    assert read(path, ",index\n1,2\n") == [{"column 1": "1", "index": "2"}]


@pytest.mark.parametrize(
    "title",
    [
        '"24 in table',
        '"24 in table\n1,b.jpg,width,12" shelf',
        '"24 in table\n1,b.jpg,width,"Oats"',
        '"24" table',
        'x\n1,b.jpg,width,"12 in',
        '"24 in table\n1,b.jpg,width,shelf 12"',
        '"24 in table\n1,b.jpg,width,Oats\n2,c.jpg,depth,shelf 12"',
        '"24 in table\n1,https://shop.example/b.jpg,,shelf 12"',
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_quote_that_is_not_closed_is_named(tmp_path: Path, title: str, end: str) -> None:
    text = f"index,image,entity_name,title\n0,a.jpg,width,{title}\n9,z.jpg,width,Muesli\n"
    line = 2 if title.startswith('"') else 3
    assert refusal(tmp_path / "t.csv", text.replace("\n", end)).startswith(f"line {line}, column title: a quote ")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('title,image,entity\n"24 in,a.jpg,width\nShelf 12",b.jpg,width\n', "line 2, column title"),
        ('id,image,title,type\n5,a.jpg,"24 in,Shirts\n6,b.jpg,shelf 12",Shirts\n', "line 2, column title"),
        ('image;label\na.jpg;"x\nb.jpg;y"\n', "line 2, column label"),
        ('index,prediction\n4,"5 gram\n5,7 gram"\n', "line 2, column prediction"),
        ('a,note,image\n1,"two\nlines",x.jpg\n2,"3 in,y.jpg\n3,4 in",z.jpg\n', "line 4, column note"),
        ('image,entity_name,entity_value\na.jpg,width,"5 inch\nb.jpg,depth,\'6 inch"\n', "line 2, column entity_value"),
        ('title,image\n"24 in table,a.jpg\nOats,b.jpg\nShelf 12",c.jpg\n', "line 2, column title"),
    ],
)
def test_rows_inside_a_cell_are_named(tmp_path: Path, text: str, where: str) -> None:
    assert refusal(tmp_path / "t.csv", text).startswith(f"{where}: a quote opens here")


@pytest.mark.parametrize(
    "title",
    [
        "Two lines:\nsoft, warm, light",
        "Sizes\n12, 14, 16, 18\n20, 22",
        "Care,\n30 degrees, gentle\n\n* no iron, no bleach, no dryer\n",
        "Breite:\n12,5 cm\nTiefe:\n7,5 cm",
        'A "quoted" word\nand, a comma',
        "Sofa,\r\ngrey, of wool, large\r\n",
        "See size.jpg\nor, ask, us, now",
    ],
)
def test_cells_of_several_lines_are_no_rows(tmp_path: Path, title: str) -> None:
    quoted = '"' + title.replace('"', '""') + '"'
    rows = read(tmp_path / "t.csv", f"id,image,name,title\n12,a.jpg,Sofa,{quoted}\n13,b.jpg,Bed,x\n")
    assert [row["title"] for row in rows] == [title, "x"]
    rows = read(tmp_path / "t.csv", f"id,title,image\n12,{quoted},a.jpg\n")
    assert rows[0]["title"] == title


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "id,name\n1,Women Silver, Earrings\n",
            "line 2: 3 cells for 2 columns, ' Earrings' stands behind the",
        ),
        ("id,name\n1,a\n2,b,c\n3,d,e\n4,f\n5,g,h\n", "quote cells that hold ',' (also in line 4, 6)"),
        ("id;name\n1;a;b\n", "quote cells that hold ';'"),
        ("id,name\n" + "1,a,b\n" * 9, "(also in line 3, 4, 5, 6, 7 and 3 more)"),
        ("id,name\n1,a\nid,name\n2,b\n", "line 3: the header again"),
        ("id,name,id\n1,a,2\n", "line 1, column id: two columns have this name, number 1 and 3"),
        ("id, id \n1,2\n", "line 1, column id: two columns have this name"),
        ("image,name\n1,a\n2\n", "line 3, column name: the row ends before this column"),
        ("x,name\n1,a\n", "has no column image; its columns are x, name"),
        ("", "is empty; it needs a line with the names"),
        ("\n\n", "is empty"),
        ("image,name\n", "has no rows"),
        ("image,name\n,\n", "has no rows"),
        ("image,name\n1,a\x00b\n", "line 2: a NUL byte behind '1,a'"),
        (
            b"image,name\n1,a\n2,Gr\xf6\xdfe\n",
            "is not UTF-8, in line 3 behind '2,Gr'; save it again as UTF-8, in",
        ),
        (TEXT.encode("utf-16")[:-1], "is not UTF-16 ("),
        (b"PK\x03\x04 and so on", "is a workbook and not a CSV file"),
        (gzip.compress(TEXT.encode())[:-9], "is not a CSV file: Compressed file ended"),
        ('image,name\n1,"' + "x" * 200_000 + "\n", "line 2, column name: more than 131072 characters; see"),
        ("id,name\n1,a\n\ufeffid,name\n2,b\n", "line 3: the header again"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, content: str | bytes, message: str) -> None:
    columns = ["image", "name"] if "image" in str(content) or "column image" in message else []
    assert message in refusal(tmp_path / "t.csv", content, *columns, needs_rows=True)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "none.csv", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(UnusableFile, match=f"cannot read .*: {reason}"):
            list(read_table(path))


def test_rows_may_end_early_where_that_is_said(tmp_path: Path) -> None:
    assert read(tmp_path / "t.csv", "index,prediction\n0\n", "index", "prediction", may_end_early=True) == [
        {"index": "0", "prediction": ""}
    ]
