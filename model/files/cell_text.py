"""What the text of a table's cell stands for."""

import re
from decimal import Decimal

__all__ = ["integer_text"]

# As spreadsheets and data frames write an integer in a column with gaps: 748919.0, 7.48919e+05.
FLOAT = re.compile(r"\d+\.0*|\d+(?:\.\d+)?[eE]\+?\d{1,2}", re.ASCII)


def integer_text(text: str) -> str:
    """The digits of an integer that is written as a float; any other text as it is.

    >>> integer_text("748919.0"), integer_text("7.48919e+05"), integer_text("SKU.1")
    ('748919', '748919', 'SKU.1')
    """
    if not FLOAT.fullmatch(text):
        return text
    number = Decimal(text)
    return str(int(number)) if number == number.to_integral_value() else text
