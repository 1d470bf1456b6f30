"""The handler's section of model-config.yaml."""

import pytest
import yaml

from resformer.handler.settings import Settings
from resformer.model.ocr.readers import DEFAULT_READER
from tests.paths import ROOT

GOOD = {
    "reader": "builtin",
    "num_threads": None,
    "max_bytes": 2000,
    "max_pixels": 1000,
    "weights": None,
    "schema": None,
    "texts": None,
    "image_url": None,
}


def test_the_shipped_file_is_complete() -> None:
    config = yaml.safe_load((ROOT / "handler" / "model-config.yaml").read_text())
    assert Settings.from_config(config["handler"]).reader == DEFAULT_READER
    # TorchServe takes 0 for 100, and its own defaults where one of these is missing.
    assert config["maxBatchDelay"] > 0
    assert {"minWorkers", "maxWorkers", "responseTimeout", "startupTimeout", "batchSize"} <= config.keys()


def test_values_are_taken() -> None:
    settings = Settings.from_config({**GOOD, "weights": "own.safetensors", "schema": "own.yaml"})
    assert (settings.reader, settings.num_threads) == ("builtin", None)
    assert (settings.max_bytes, settings.max_pixels) == (2000, 1000)
    assert (settings.weights, settings.schema_file) == ("own.safetensors", "own.yaml")


def test_none_is_another_name_of_the_builtin_reader() -> None:
    assert Settings.from_config({**GOOD, "reader": "none"}).reader == "builtin"


def test_every_error_is_named_at_once() -> None:
    with pytest.raises(ValueError) as error:
        Settings.from_config({"reader": "glasses", "num_threads": 0, "threads": 2})
    message = str(error.value)
    for part in ("unknown key 'threads'", "missing key 'max_pixels'", "'glasses'", "num_threads is 0", "schema"):
        assert part in message


@pytest.mark.parametrize("path", ["/etc/weights", "../weights"])
def test_files_lie_in_the_archive(path: str) -> None:
    with pytest.raises(ValueError, match=r"weights is .*: must be the path of a file in the archive"):
        Settings.from_config({**GOOD, "weights": path})


@pytest.mark.parametrize("section", [None, [], "reader: none"])
def test_a_section_that_is_none_is_refused(section: object) -> None:
    with pytest.raises(ValueError, match="section `handler`"):
        Settings.from_config(section)


def test_links_are_off_where_nobody_lists_hosts() -> None:
    config = yaml.safe_load((ROOT / "handler" / "model-config.yaml").read_text())
    assert Settings.from_config(config["handler"]).image_url is None


def test_links_have_limits() -> None:
    rules = Settings.from_config({**GOOD, "image_url": {"hosts": ["images.example.com"]}}).image_url
    assert rules is not None
    assert (rules.hosts, rules.seconds, rules.max_bytes) == (["images.example.com"], 5.0, None)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({}, r"missing key 'image_url.hosts'"),
        ({"hosts": []}, r"image_url.hosts is \[\]"),
        ({"hosts": ["a.example.com"], "seconds": 31}, "image_url.seconds is 31"),
        ({"hosts": ["a.example.com"], "redirects": 9}, "unknown key 'image_url.redirects'"),
        *(
            ({"hosts": [host]}, "image_url.hosts.0 is .* must be a name in small letters")
            for host in (
                "*",
                "*.com",
                "localhost",
                "127.0.0.1",
                "[::1]",
                "2130706433",
                "0x7f.1",
                "https://a.example.com",
                "a.example.com/",
                "a.example.com:0",
                "a.example.com:65536",
                "A.example.com",
                "a*.example.com",
                "user@a.example.com",
            )
        ),
    ],
)
def test_hosts_are_names(rules: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Settings.from_config({**GOOD, "image_url": rules})
