"""Characters that the built-in recognizer does not know are restored from the words beside them."""

import pytest

from resformer.model.ocr.lookalikes import restore_characters


@pytest.mark.parametrize(
    ("text", "restored"),
    [
        ("volume 500 cm", "volume 500 cm³"),
        ("Volumen: 0,2 m²", "Volumen: 0,2 m³"),
        ("capacity 250 cm*3", "capacity 250 cm³"),
        ("Contenance 350 cm3", "Contenance 350 cm³"),
        ("inhalt 2 dm", "inhalt 2 dm³"),
        ("volume 500 ml", "volume 500 ml"),
        ("width 50 cm", "width 50 cm"),
        ("capacity 500 cm high", "capacity 500 cm³ high"),
    ],
)
def test_cubes_of_volumes(text: str, restored: str) -> None:
    assert restore_characters([text]) == [restored]


@pytest.mark.parametrize(
    ("texts", "restored"),
    [
        (["macca hetto 500 r"], ["macca hetto 500 г"]),
        (["06bem", "950 mn"], ["06bem", "950 мл"]),
        (["bec 2 kr"], ["bec 2 кг"]),
        (["mohoctb 2200 bt", "hanpakehne 220 b"], ["mohoctb 2200 вт", "hanpakehne 220 в"]),
        (["kpyna", "0,9kr"], ["kpyna", "0,9кг"]),
        (["total 500 r", "2 kr"], ["total 500 r", "2 kr"]),
        (["macca 5 rows", "model r 500"], ["macca 5 rows", "model r 500"]),
    ],
)
def test_units_beside_russian_words(texts: list[str], restored: list[str]) -> None:
    assert restore_characters(texts) == restored
