"""The tab "Table": a table or a zip of photos, scored as `resformer score` does."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any
from uuid import uuid4

import gradio as gr

from resformer.scripts.page.components import table_component
from resformer.scripts.page.context import PRIVATE, PageContext
from resformer.scripts.page.row_view import entity_label
from resformer.scripts.page.table_answers import score_files

__all__ = ["add_table_tab"]

ABOUT = (
    "A table has a row for each product, with its photo in the column `image` or `image_link`, or a row for each "
    "question, with `entity_name` too. Photos are files of the zip; without a zip the table's links are downloaded. "
    "A zip alone is scored photo by photo."
)
TABLES = 8
"""Runs at once, of several tabs of a browser."""
DEFAULT_ENTITIES = ("item_weight", "item_volume", "width", "height", "category", "baseColour")


def add_table_tab(page: PageContext, blocks: gr.Blocks) -> None:
    """Adds the tab to the page that is being built, `blocks`."""
    names = page.schema.names
    asked = [name for name in DEFAULT_ENTITIES if name in names] or list(names)
    runs: dict[str, tuple[Event, Path]] = {}  # by session, what stops its last run, and the folder of it
    with gr.Tab("Table", id="table"):
        gr.Markdown(ABOUT)
        with gr.Row():
            table = gr.File(
                label="Table (CSV)", elem_id="rf-table-file", file_types=[".csv", ".tsv", ".gz"], height=130
            )
            photo_zip = gr.File(label="Photos (zip)", elem_id="rf-zip-file", file_types=[".zip"], height=130)
        entities = gr.CheckboxGroup(
            [(entity_label(name), name) for name in names],
            value=asked,
            label="Entities, for a table of products",
            show_select_all=True,
        )
        reader = gr.Radio(list(page.sources[0].readers), value=page.sources[0].readers[0], label="Reader")
        with gr.Row():
            start = gr.Button("Score", variant="primary")
            stop = gr.Button("Stop", interactive=False)
        component = table_component()
        downloads = gr.File(label="Download", file_count="multiple", interactive=False, visible=False)

    def on_start(
        table: str | None, photo_zip: str | None, entities: list[str], reader: str, request: gr.Request
    ) -> Iterator[dict[Any, Any]]:
        session = str(request.session_hash)
        on_end(request)
        stopped, folder = runs[session] = Event(), page.folder / "runs" / uuid4().hex
        files = (Path(table) if table else None, Path(photo_zip) if photo_zip else None)
        chosen = entities or list(names)
        reports = score_files(page.sources[0], chosen, reader, files, folder, stopped, schema=page.schema_file)
        shown: dict[str, Any] = {}
        made: list[str] = []
        running = {start: gr.Button(interactive=False), stop: gr.Button(interactive=True)}
        for shown, made in reports:  # noqa: B007
            yield {component: shown, **running, downloads: gr.File(visible=False)}
        # All of it once more: what follows another update within a moment may be all that reaches the browser.
        yield {
            component: shown,
            start: gr.Button(interactive=True),
            stop: gr.Button(interactive=False),
            downloads: gr.File(made or None, visible=bool(made)),
        }

    def on_stop(request: gr.Request) -> None:
        if run := runs.get(str(request.session_hash)):
            run[0].set()

    def on_end(request: gr.Request) -> None:
        """Stops what runs, and removes its files."""
        if run := runs.pop(str(request.session_hash), None):
            run[0].set()
            shutil.rmtree(run[1], ignore_errors=True)

    start.click(
        on_start,
        [table, photo_zip, entities, reader],
        [component, start, stop, downloads],
        concurrency_limit=TABLES,
        **PRIVATE,
    )
    stop.click(on_stop, concurrency_limit=None, **PRIVATE)
    blocks.unload(on_end)
