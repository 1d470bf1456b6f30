"""The page as a whole."""

import gradio as gr

from resformer import __version__
from resformer.scripts.page.compare_tab import add_compare_tab
from resformer.scripts.page.context import PageContext
from resformer.scripts.page.photo_tab import add_photo_tab
from resformer.scripts.page.table_tab import add_table_tab

__all__ = ["THEME", "build_page"]

HOUR = 3600  # seconds
UPLOADS_ARE_KEPT = 6 * HOUR
# Fonts of the system, since a page that works without a network asks nobody for fonts.
THEME = gr.themes.Default(
    primary_hue="blue",
    neutral_hue="slate",
    font=["system-ui", "sans-serif"],
    font_mono=["ui-monospace", "monospace"],
).set(
    button_primary_background_fill="*primary_700",
    button_primary_background_fill_hover="*primary_800",
    button_primary_background_fill_dark="*primary_700",
    button_primary_text_color="white",
    body_text_color_subdued="*neutral_600",
    body_text_color_subdued_dark="*neutral_300",
    block_info_text_color="*neutral_600",
    block_info_text_color_dark="*neutral_300",
    link_text_color="*primary_700",
    link_text_color_hover="*primary_800",
    link_text_color_active="*primary_700",
    link_text_color_visited="*primary_700",
    link_text_color_dark="*primary_300",
    link_text_color_hover_dark="*primary_200",
    link_text_color_active_dark="*primary_300",
    link_text_color_visited_dark="*primary_300",
    block_label_text_color="*neutral_700",
    block_label_text_color_dark="*neutral_200",
)


def build_page(page: PageContext) -> gr.Blocks:
    """The page, which is not served yet."""
    with gr.Blocks(
        title="Resformer", analytics_enabled=False, fill_width=True, delete_cache=(HOUR, UPLOADS_ARE_KEPT)
    ) as blocks:
        answering = ", ".join(source.name for source in page.sources)
        gr.Markdown(
            f"# Resformer\nProduct photos to structured values. Version {__version__}, answered by {answering}.",
            elem_classes="rf-title",
        )
        with gr.Tabs():
            photo = add_photo_tab(page)
            add_table_tab(page, blocks)
            add_compare_tab(page, photo)
    return blocks
