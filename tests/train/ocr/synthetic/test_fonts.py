"""Fonts for training and held-out fonts."""

import numpy as np
import pytest

from resformer.train.ocr.synthetic import fonts as fonts_module
from resformer.train.ocr.synthetic.fonts import Fonts, load_fonts


def test_held_out_fonts_are_not_for_training(fonts: Fonts) -> None:
    training = {fonts.pick("500 g", np.random.default_rng(i)).file for i in range(300)}
    held_out = {load_fonts(held_out=True).pick("500 g", np.random.default_rng(i)).file for i in range(60)}
    assert len(training) > 100 and len(held_out) > 10
    assert training.isdisjoint(held_out)


def test_displays_show_digits_alone(fonts: Fonts) -> None:
    assert any(fonts.pick("12.5", np.random.default_rng(i)).digits_only for i in range(200))
    assert not any(fonts.pick("12.5 V", np.random.default_rng(i)).digits_only for i in range(200))


def test_text_without_glyphs_is_refused(fonts: Fonts) -> None:
    with pytest.raises(ValueError, match="no font has all characters"):
        fonts.pick("\U0001f600", np.random.default_rng(0))


@pytest.mark.parametrize(("installed", "message"), [(True, "make fonts"), (False, "no dpkg-query")])
def test_missing_packages_are_named(
    installed: bool, message: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tmp_path_factory.mktemp("fonts") / "packages.txt"
    packages.write_text("# a comment\nfonts-of-nobody\n")
    monkeypatch.setattr(fonts_module, "PACKAGES_FILE", packages)
    monkeypatch.setattr(fonts_module.shutil, "which", lambda name: "/bin/false" if installed else None)
    monkeypatch.setattr(fonts_module.subprocess, "run", lambda *_, **__: _Failed())
    with pytest.raises(FileNotFoundError, match=message):
        Fonts(held_out=False)


class _Failed:
    returncode = 1
