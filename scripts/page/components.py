"""The parts of the page that Gradio does not have: written in HTML and JavaScript, in the folder `static`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from resformer.model.schema.schema import Entity
from resformer.scripts.lib.sample_photos import SAMPLES
from resformer.scripts.page.photo_file import MAX_PHOTO_BYTES, picture_uri
from resformer.scripts.page.row_view import skeleton

__all__ = ["CSS", "HEAD", "compare_component", "photo_component", "table_component"]

STATIC = Path(__file__).parent / "static"


def _static(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


CSS = _static("page.css")
"""Styles of the parts; Gradio limits them to its content."""
HEAD = f"<style>{_static('frame.css')}</style><script>{_static('accessible_names.js')}</script>"
"""What the page has in its head beside what Gradio puts there."""
THUMBNAIL_SIDE = 128


def photo_component(entities: Sequence[Entity], samples: Mapping[str, Path]) -> gr.HTML:
    """A photo and its row. Events: `photo` (path, name) and `sample` (name)."""
    scripts = ("elements", "answers", "photo_picker", "photo_tab")
    return _component("rf-photo-tab", scripts, **_picker_options(entities, samples))


def compare_component(entities: Sequence[Entity], samples: Mapping[str, Path]) -> gr.HTML:
    """A photo and two rows; events as those of photo_component."""
    scripts = ("elements", "answers", "photo_picker", "compare_tab")
    return _component("rf-compare-tab", scripts, **_picker_options(entities, samples))


def table_component() -> gr.HTML:
    """How far a run is, and its results."""
    return _component("rf-table-tab", ("elements", "table_tab"))


def _component(name: str, scripts: Sequence[str], **props: Any) -> gr.HTML:
    return gr.HTML(
        None,
        html_template=f'<div class="{name}"></div>',
        js_on_load="\n".join(_static(f"{script}.js") for script in scripts),
        apply_default_css=False,
        **props,
    )


def _picker_options(entities: Sequence[Entity], samples: Mapping[str, Path]) -> dict[str, Any]:
    shown = []
    for sample in SAMPLES:
        with Image.open(samples[sample.name]) as photo:
            thumbnail = picture_uri(photo, THUMBNAIL_SIDE)
        shown.append({"name": sample.name, "caption": sample.caption, "thumbnail": thumbnail})
    names = [entity.name for entity in entities]  # in the order of a server's answer
    return {"entities": skeleton(entities), "names": names, "samples": shown, "max_bytes": MAX_PHOTO_BYTES}
