"""Data frames in and out."""

import warnings
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest

from resformer.client import RequestError, Unavailable
from tests.client.conftest import Asker, answer
from tests.client.test_client import answer_with_the_photo, form, refused


def test_answers_stand_behind_the_table(asker: Asker) -> None:
    table = pd.DataFrame({"image": [b"a", b"bad", None], "price": [1.5, 2.5, 3.5]}, index=["x", "y", "y"])
    before = table.copy()
    scored = asker.score(answer_with_the_photo, table)
    assert table.equals(before)
    answers = ["item_weight", "item_weight_confidence", "title", "title_confidence", "error"]
    assert list(scored.columns) == ["image", "price", *answers]
    assert list(scored.index) == ["x", "y", "y"]
    assert scored["price"].tolist() == [1.5, 2.5, 3.5]
    assert scored.iloc[0][answers[:4]].tolist() == ["500 gram", 0.93, "", 0.75]
    assert scored["error"].isna().tolist() == [True, False, False]
    assert scored.iloc[1:][answers[:4]].isna().all(axis=None)
    assert scored["error"].tolist()[1:] == [
        "422 CorruptImage: no",
        "TypeError: a photo is a path, the bytes of an image file, an open file or a PIL image, not None",
    ]
    assert scored["item_weight_confidence"].dtype == np.float64


def test_each_row_sends_what_is_known_of_it(asker: Asker) -> None:
    sent: dict[bytes, dict[str, bytes]] = {}

    def note(request: httpx.Request) -> httpx.Response:
        fields = form(request)
        sent[fields.pop("image")] = fields
        return answer(request)

    table = pd.DataFrame(
        {"photo": [b"a", b"b"], "name": ["Oats", None], "text": ["", "Tea"], "group": [748919.0, np.nan]}
    )
    asker.score(
        note,
        table,
        "photo",
        "title",
        title_column="name",
        description_column="text",
        group_id_column="group",
        title="of all",
        top_k=1,
    )
    asked = {"entity_name": b"title", "top_k": b"1"}
    assert sent == {
        b"a": {**asked, "title": b"Oats", "group_id": b"748919.0"},
        b"b": {**asked, "title": b"of all", "description": b"Tea"},
    }


def test_columns_with_the_name_of_an_answer_are_kept(asker: Asker) -> None:
    table = pd.DataFrame({"image": [b"a"], "title": ["Oats"], "title_in": ["older"], "error": [3]})
    scored = asker.score(answer, table, entities=["title"], title_column="title")
    assert list(scored.columns) == [
        "image", "title_in", "title_in_in", "error_in", "title", "title_confidence", "error",
    ]  # fmt: skip
    assert scored.iloc[0, :4].tolist() == [b"a", "Oats", "older", 3]


def test_entities_that_are_asked_for_have_columns_where_no_photo_can_be_read(asker: Asker) -> None:
    table = pd.DataFrame({"image": ["missing.jpg"]})
    scored = asker.score(answer, table, entities="width,height")
    assert list(scored.columns) == ["image", "width", "width_confidence", "height", "height_confidence", "error"]
    assert "No such file" in scored["error"][0]
    assert list(asker.score(answer, table[:0], entities="width").columns) == [
        "image", "width", "width_confidence", "error",
    ]  # fmt: skip


def test_a_server_that_goes_away_takes_no_answers_with_it(asker: Asker) -> None:
    asked: list[bytes] = []

    def leave(request: httpx.Request) -> httpx.Response:
        asked.append(form(request)["image"])
        if len(asked) > 3:
            raise httpx.ConnectError("Connection refused")
        return answer(request)

    table = pd.DataFrame({"image": [f"{i}".encode() for i in range(50)]})
    with pytest.warns(UserWarning, match="47 rows were not answered, see their column error: NoAnswer"):
        scored = asker.score(leave, table, concurrency=1, client={"retries": 1})
    assert scored["item_weight"].notna().tolist() == [True] * 3 + [False] * 47
    assert scored["error"].isna().tolist() == [True] * 3 + [False] * 47
    assert len(asked) == 5  # the other rows were not waited for
    rest = scored.loc[scored["error"].notna(), ["image"]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert asker.score(answer, rest)["error"].isna().all()


def test_a_server_that_gives_no_answer_at_all(asker: Asker) -> None:
    table = pd.DataFrame({"image": ["missing.jpg", b"a", b"b"]})
    with pytest.raises(RequestError, match="give the server's key"):
        asker.score(lambda _: refused(400, "InvalidKeyException"), table)
    with pytest.raises(Unavailable):
        asker.score(lambda _: refused(503, "Busy"), table, client={"retries": 0})


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        (["photo"], {}, "the table has no columns 'image'; its columns are photo"),
        (["image", "image"], {}, "the table has 2 columns 'image'"),
        (["image"], {"title_column": "title"}, "the table has no columns 'title'"),
        (["image"], {"reader": "glasses"}, "the reader is 'glasses'"),
        (["image"], {"concurrency": 0}, "concurrency is 0"),
    ],
)
def test_what_cannot_be_scored(asker: Asker, columns: list[str], options: dict[str, Any], message: str) -> None:
    table = pd.DataFrame([[b"a"] * len(columns)], columns=columns)
    with pytest.raises(ValueError, match=message):
        asker.score(answer, table, **options)
