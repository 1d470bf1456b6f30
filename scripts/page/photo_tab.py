"""The tab "Photo": a photo and what is asked about it."""

from collections.abc import Iterator
from typing import Any

import gradio as gr

from resformer.scripts.page.components import photo_component
from resformer.scripts.page.context import IN_TURN, PRIVATE, PageContext
from resformer.scripts.page.photo_answers import BUSY, answer_photo, failure, faults_shown
from resformer.scripts.page.photo_file import PhotoFile, PhotoFileError
from resformer.scripts.page.question import Question
from resformer.scripts.page.row_view import entity_label

__all__ = ["add_photo_tab"]

NOTHING_CHOSEN = "No entity is chosen. Check at least one under `What is asked`."
Shown = tuple[dict[str, Any], PhotoFile | None]


def add_photo_tab(page: PageContext) -> gr.State:
    """Adds the tab to the page that is being built; returns the state that holds its photo."""
    with gr.Tab("Photo", id="photo"):
        with gr.Accordion("What is asked: title, description, entities, reader", open=False):
            with gr.Row():
                title = gr.Textbox("", label="Title of the product", max_length=10_000)
                description = gr.Textbox("", label="Description of the product", lines=2, max_length=10_000)
            groups = [
                gr.CheckboxGroup(
                    [(entity_label(entity.name), entity.name) for entity in entities],
                    value=[entity.name for entity in entities],
                    label=kind,
                    show_select_all=True,
                )
                for kind, entities in page.entities_by_kind.items()
            ]
            with gr.Row():
                reader = gr.Radio(page.readers, value=page.readers[0], label="Reader")
                present = gr.Checkbox(label="The product has all values that are asked for")
                source = gr.Radio(
                    [(source.name, index) for index, source in enumerate(page.sources)],
                    value=0,
                    label="Network",
                    visible=len(page.sources) > 1,
                )
        component = photo_component(page.schema.entities, page.samples)
        photo = gr.State(None)

    question = [title, description, reader, present, source, *groups]

    @faults_shown
    def answer(found: PhotoFile, is_new: bool, *values: Any) -> Shown:
        title, description, reader, present, source, *groups = values
        if not any(groups):
            return failure(NOTHING_CHOSEN, keeps_photo=True), found
        asked = Question(page.chosen(*groups), title.strip(), description.strip(), reader, present)
        return answer_photo(page.sources[source], page.schema.entities, found, asked, is_new=is_new), found

    def on_upload(event: gr.EventData, *values: Any) -> Shown:
        try:
            found = page.upload(str(event.path), str(event.name))
        except PhotoFileError as error:
            return failure(str(error)), None
        return answer(found, True, *values)

    def on_sample(event: gr.EventData, *values: Any) -> Shown:
        try:
            found = page.sample(str(event.name))
        except PhotoFileError as error:
            return failure(str(error)), None
        return answer(found, True, *values)

    def on_question(found: PhotoFile | None, *values: Any) -> Iterator[Any]:
        if found is None:
            yield gr.skip()
            return
        yield BUSY
        yield answer(found, False, *values)[0]

    component.photo(on_upload, question, [component, photo], concurrency_id="photo", **IN_TURN)
    component.sample(on_sample, question, [component, photo], concurrency_id="photo", **IN_TURN)
    changes = [title.submit, title.blur, description.blur, reader.input, present.input, source.input]
    gr.on(
        [*changes, *(group.input for group in groups)],
        on_question,
        [photo, *question],
        component,
        trigger_mode="always_last",
        **PRIVATE,
    )
    return photo
