import ast
import shlex

from resformer.scripts.page.copy_texts import MIN_CONFIDENCE, copy_texts
from resformer.scripts.page.question import Question

URL = "http://127.0.0.1:8080/predictions/resformer"
EVIL = 'it\'s "a" \\ $(touch x);.jpg'


def text(parts: dict[str, str], min_confidence: float | None = None) -> str:
    option = "" if min_confidence is None else parts["option"].replace(MIN_CONFIDENCE, str(min_confidence))
    return parts["before"] + option + parts["after"]


def test_curl_quotes_what_a_stranger_named() -> None:
    question = Question(("item_weight", "width"), "@/etc/passwd", 'Bob\'s "best"', "builtin", True)
    words = shlex.split(text(copy_texts(URL, EVIL, question)["curl"], 0.6).replace("\\\n", ""))
    assert words == [
        "curl",
        *("-H", "Authorization: Bearer $KEY"),
        *("-F", r'image=@"it' + r"'s \"a\" \\ $(touch x);.jpg" + '"'),
        *("--form-string", "entity_name=item_weight,width"),
        *("--form-string", "title=@/etc/passwd"),
        *("--form-string", 'description=Bob\'s "best"'),
        *("--form-string", "reader=builtin"),
        *("--form-string", "assume_present=true"),
        *("-F", "min_confidence=0.6"),
        URL,
    ]


def test_python_program_holds_texts_as_literals() -> None:
    question = Question(title='"); import os; os.abort() #\n')
    program = text(copy_texts(URL, EVIL, question)["python"], 0.25)
    values = [node.value for node in ast.walk(ast.parse(program)) if isinstance(node, ast.Constant)]
    assert {EVIL, question.title, URL, "0.25"} <= set(values)
    assert "os.environ['KEY']" in program
    imported = [node for node in ast.walk(ast.parse(program)) if isinstance(node, ast.Import)]
    assert [node.names[0].name for node in imported] == ["os", "requests"]


def test_without_a_server_python_loads_the_network() -> None:
    question = Question(("width",), "A title", reader="builtin", assume_present=True)
    program = text(copy_texts("", "photo.jpg", question)["python"], 0.5)
    (call,) = [
        node
        for node in ast.walk(ast.parse(program))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "predict"
    ]
    assert [ast.literal_eval(argument) for argument in call.args] == ["photo.jpg", ["width"]]
    options = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
    assert options == {"title": "A title", "reader": "builtin", "assume_present": True, "min_confidence": 0.5}


def test_nothing_is_sent_that_has_its_default() -> None:
    texts = copy_texts(URL, "photo.jpg", Question())
    assert "--form-string" not in text(texts["curl"]) and "min_confidence" not in text(texts["curl"])
    assert "fields = {\n}" in text(texts["python"])
