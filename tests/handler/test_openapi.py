"""The description of the call for tools."""

import pytest
import yaml
from jsonschema import ValidationError
from openapi_spec_validator import validate

from resformer.handler.request import FORM_FIELDS, JSON_FIELDS
from resformer.model.ocr.readers import ALIASES, READERS
from tests.servers import OPENAPI, check_reply

DOCUMENT = yaml.safe_load(OPENAPI.read_text())
SCHEMAS = DOCUMENT["components"]["schemas"]


def test_it_is_openapi() -> None:
    validate(DOCUMENT)


def test_it_has_the_fields_and_readers_that_the_handler_takes() -> None:
    assert set(SCHEMAS["FormRequest"]["properties"]) == set(FORM_FIELDS)
    assert set(SCHEMAS["JsonRequest"]["properties"]) == set(JSON_FIELDS)
    assert set(SCHEMAS["Reader"]["enum"]) == {*READERS, *ALIASES}


def test_a_reply_of_another_form_is_refused() -> None:
    with pytest.raises(ValidationError):
        check_reply(200, {"model": "resformer", "version": "1.0", "image": {"width": 1}, "predictions": {}})
