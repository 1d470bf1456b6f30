"""The question of the page as a command for curl and as a Python program.

The key is never part of them: both read it from the environment variable KEY.
"""

import json
import shlex

from resformer.scripts.lib.answerers import EXAMPLE_URL
from resformer.scripts.page.question import Question

__all__ = ["MIN_CONFIDENCE", "copy_texts"]

MIN_CONFIDENCE = "{min_confidence}"
"""What stands in a text for the number that the page's slider shows."""


def copy_texts(url: str, photo: str, question: Question) -> dict[str, dict[str, str]]:
    """Texts that ask the same question, by `curl` and `python`.

    Args:
        url: Of a server's predictions; "" asks a network in the Python process.
        photo: Path of the photo.

    Returns:
        Each text in parts: `before`, `option`, which is there where there is a min_confidence and holds
        MIN_CONFIDENCE, and `after`.
    """
    return {"curl": _curl(url, photo, question), "python": _python(url, photo, question)}


def _curl(url: str, photo: str, question: Question) -> dict[str, str]:
    # -F would read a file where a text begins with @ or <.
    fields = [f"--form-string {shlex.quote(f'{name}={value}')}" for name, value in question.fields().items()]
    escaped = photo.replace("\\", "\\\\").replace('"', '\\"')
    image = f'image=@"{escaped}"'
    lines = ['curl -H "Authorization: Bearer $KEY"', f"-F {shlex.quote(image)}", *fields]
    return {
        "before": " \\\n  ".join(lines),
        "option": f" \\\n  -F min_confidence={MIN_CONFIDENCE}",
        "after": f" \\\n  {shlex.quote(url or EXAMPLE_URL)}\n",
    }


def _python(url: str, photo: str, question: Question) -> dict[str, str]:
    if not url:
        return _predictor_program(photo, question)
    fields = {name: json.dumps(value, ensure_ascii=False) for name, value in question.fields().items()}
    given = "".join(f'    "{name}": {value},\n' for name, value in fields.items())
    return {
        "before": f"import os\n\nimport requests\n\nfields = {{\n{given}",
        "option": f'    "min_confidence": "{MIN_CONFIDENCE}",\n',
        "after": (
            "}\n"
            f'with open({_literal(photo)}, "rb") as photo:\n'
            "    response = requests.post(\n"
            f"        {_literal(url)},\n"
            """        headers={"Authorization": f"Bearer {os.environ['KEY']}"},\n"""
            '        files={"image": photo},\n'
            "        data=fields,\n"
            "        timeout=60,\n"
            "    )\n"
            "response.raise_for_status()\n"
            'for name, answer in response.json()["predictions"].items():\n'
            '    print(name, answer["prediction"], answer["confidence"])\n'
        ),
    }


def _predictor_program(photo: str, question: Question) -> dict[str, str]:
    options = {"title": question.title, "description": question.description, "reader": question.reader}
    given = "".join(f"    {name}={_literal(value)},\n" for name, value in options.items() if value)
    present = "    assume_present=True,\n" if question.assume_present else ""
    return {
        "before": (
            "from resformer import Predictor\n\nresult = Predictor.load().predict(\n"
            f"    {_literal(photo)},\n    {json.dumps(list(question.entities))},\n{given}{present}"
        ),
        "option": f"    min_confidence={MIN_CONFIDENCE},\n",
        "after": (
            ")\n"
            "for name, answer in result.predictions.items():\n"
            "    print(name, answer.prediction, answer.confidence)\n"
        ),
    }


def _literal(text: str) -> str:
    """A Python literal of a text."""
    return json.dumps(text, ensure_ascii=False)
