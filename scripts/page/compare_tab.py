"""The tab "Compare": two readers, or two networks, on one photo."""

from collections.abc import Iterator
from typing import Any

import gradio as gr

from resformer.scripts.page.components import compare_component
from resformer.scripts.page.context import IN_TURN, PRIVATE, PageContext
from resformer.scripts.page.photo_answers import BUSY, Side, compare_photo, failure, faults_shown
from resformer.scripts.page.photo_file import PhotoFile, PhotoFileError

__all__ = ["add_compare_tab"]

Shown = tuple[dict[str, Any], PhotoFile | None]


def add_compare_tab(page: PageContext, photo_of_first_tab: gr.State) -> None:
    """Adds the tab to the page that is being built."""
    sides = [Side(source, reader) for source in page.sources for reader in source.readers]
    several = len(page.sources) > 1
    names = [f"{side.source.name}, {side.reader}" if several else side.reader for side in sides]
    choices = [(name, index) for index, name in enumerate(names)]
    # The two networks with their default readers, or the default reader and the next one.
    other = len(page.sources[0].readers) if several else min(1, len(sides) - 1)
    with gr.Tab("Compare", id="compare") as tab:
        with gr.Row():
            first = gr.Radio(choices, value=0, label="First")
            second = gr.Radio(choices, value=other, label="Second")
        component = compare_component(page.schema.entities, page.samples)
        photo = gr.State(None)

    @faults_shown
    def compare(found: PhotoFile, is_new: bool, first: int, second: int) -> Shown:
        both = (sides[first], sides[second])
        return compare_photo(both, page.schema.entities, found, (names[first], names[second]), is_new=is_new), found

    def on_upload(event: gr.EventData, first: int, second: int) -> Shown:
        try:
            found = page.upload(str(event.path), str(event.name))
        except PhotoFileError as error:
            return failure(str(error)), None
        return compare(found, True, first, second)

    def on_sample(event: gr.EventData, first: int, second: int) -> Shown:
        try:
            found = page.sample(str(event.name))
        except PhotoFileError as error:
            return failure(str(error)), None
        return compare(found, True, first, second)

    def on_sides(found: PhotoFile | None, first: int, second: int) -> Iterator[Any]:
        if found is None:
            yield gr.skip()
            return
        yield BUSY
        yield compare(found, False, first, second)[0]

    def on_tab(own: PhotoFile | None, other: PhotoFile | None, first: int, second: int) -> Iterator[Any]:
        """Compares the photo of the first tab where this one has none."""
        if own is not None or other is None:
            yield gr.skip(), gr.skip()
            return
        yield BUSY, own
        yield compare(other, True, first, second)

    chosen = [first, second]
    component.photo(on_upload, chosen, [component, photo], concurrency_id="compared", **IN_TURN)
    component.sample(on_sample, chosen, [component, photo], concurrency_id="compared", **IN_TURN)
    gr.on([first.input, second.input], on_sides, [photo, *chosen], component, trigger_mode="always_last", **PRIVATE)
    tab.select(on_tab, [photo, photo_of_first_tab, *chosen], [component, photo], **PRIVATE)
