"""`resformer train --recipe`: every stage from the drawn data to weights that answer."""

import re
from pathlib import Path

import pytest
import yaml

from resformer.model.inference.checkpoint import read_checkpoint
from resformer.model.predictor import Predictor
from resformer.scripts.cli.main import main
from resformer.train.data.synthetic_dataset import write_dataset
from resformer.train.recipe import FINISHED, RecipeRun
from resformer.train.settings.recipe_settings import RECIPES, load_recipe
from tests.paths import CONFIGS

STAGES = ("text_detector", "text_recognizer", "ocr_caches", "stem", "network")
# To be quick; max_minutes may differ between a run and its resumption.
OVERRIDES = {
    "text_detector": ["epochs=1", "crop_side=96", "eval_max_side=160"],
    "text_recognizer": ["epochs=1", "batch_size=4", "batches_per_epoch=2"],
    "stem": ["epochs=1", "image_size=32", "batch_size=8"],
    "network": ["epochs=1", "image_size=32"],
}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recipe") / "data"
    write_dataset(folder, 12)
    return folder


def quick_recipe(dataset: Path, **more: str) -> Path:
    """The recipe of the data set with OVERRIDES, and another one of a stage."""
    recipe = yaml.safe_load((dataset / "recipe.yaml").read_text())
    for stage in recipe["stages"]:
        if stage["kind"] == "train":
            name = stage["name"]
            stage["overrides"] = [
                *stage.get("overrides", []),
                *OVERRIDES[name],
                *([more[name]] if name in more else []),
            ]
    path = dataset / "quick.yaml"
    path.write_text(yaml.safe_dump(recipe))
    return path


def test_a_recipe_is_resumed_and_runs_a_stage_again(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = quick_recipe(dataset, stem="max_minutes=0.000001")
    command = ["train", "--recipe", str(recipe), "--out", str(tmp_path), "--accelerator", "cpu", "--threads", "1"]
    assert main(command) == 0
    assert "stage stem is interrupted after 0 of 1 epochs; the same command resumes it" in capsys.readouterr().out
    assert not (tmp_path / "weights.safetensors").exists()
    assert main([*command, "--list"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        *(f"{stage}: finished" for stage in STAGES[:3]),
        "stem: interrupted after 0 of 1 epochs",
        "network: not started",
    ]
    made = [
        tmp_path / "text_detector" / "weights.safetensors",
        tmp_path / "ocr_caches" / "builtin-amazon-train.jsonl.gz",
    ]
    times = [path.stat().st_mtime_ns for path in made]

    quick_recipe(dataset)
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "stage text_detector is finished" in out and "resumed at epoch 0" in out
    weights = tmp_path / "weights.safetensors"
    tensors, metadata = read_checkpoint(weights)
    parts = ("text_detector", "text_recognizer", "resformer")
    facts = {f"{part}_{fact}" for part in parts for fact in ("epochs", "seconds")}
    assert metadata["recipe"] == "quick" and metadata.keys() == {*facts, "recipe", "preset", "schema", "calibration"}
    predictor = Predictor.load(weights, reader="builtin", threads=1)
    photo = (dataset / "amazon" / "val" / "val-0000.jpg").read_bytes()
    found = predictor.predict(photo, ["item_weight", "baseColour"], min_confidence=0).predictions
    assert found["baseColour"].prediction in predictor.schema["baseColour"].labels

    assert main([*command, "--stage", "text_recognizer"]) == 0
    assert "resumed at" not in capsys.readouterr().out
    again, _ = read_checkpoint(weights)
    assert all((again[name] == tensors[name]).all() for name in tensors)
    assert times == [path.stat().st_mtime_ns for path in made]


def test_errors_come_before_anything_runs(dataset: Path, tmp_path: Path) -> None:
    recipe = dataset / "recipe.yaml"
    run = RecipeRun(recipe, out=tmp_path / "out")
    assert list(run.states()) == list(STAGES) and FINISHED not in run.states().values()
    with pytest.raises(ValueError, match="has no stage 'head'; it has text_detector, "):
        run.run("head")
    with pytest.raises(ValueError, match="stage text_detector comes before network and is not finished"):
        run.run("network")
    with pytest.raises(ValueError, match=r"there is no data at .*nowhere; name its folder by --data"):
        RecipeRun(recipe, data=tmp_path / "nowhere").run()
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"sources\[0\]\.photos: .*empty/amazon/train does not exist"):
        RecipeRun(recipe, data=tmp_path / "empty", out=tmp_path / "out").run()
    with pytest.raises(ValueError, match="there is no recipe huge; there are small, or name a file"):
        RecipeRun("huge")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name either a config or a recipe"),
        (["some.yaml", "--stage", "stem"], "belong to --recipe"),
        (["--recipe", "small", "--devices", "2"], "a recipe trains on one device"),
    ],
)
def test_options_that_do_not_go_together(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_the_shipped_recipe_makes_the_ocr_caches_that_its_network_names(tmp_path: Path) -> None:
    states = RecipeRun("small", out=tmp_path).states()
    assert tuple(states) == (*STAGES, "second_pass", "third_pass")
    named = set(re.findall(r"build/words/([\w.-]+)", (CONFIGS / "small.yaml").read_text()))
    assert states["ocr_caches"] == f"0 of {len(named)} files"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "text_recognizer"}, "two stages have the same name"),
        ({"init_network_from": "branch"}, "init_network_from of third_pass is 'branch', no stage before it"),
    ],
)
def test_stages_fit_together(tmp_path: Path, changes: dict[str, str], message: str) -> None:
    recipe = yaml.safe_load((RECIPES / "small.yaml").read_text())
    for stage in recipe["stages"]:
        if "config" in stage:
            stage["config"] = str(RECIPES / stage["config"])
    recipe["stages"][-1] |= changes
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe))
    with pytest.raises(ValueError, match=message):
        load_recipe(path)
