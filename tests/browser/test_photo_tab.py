"""The tab "Photo" as a user has it."""

import base64
import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image
from playwright.sync_api import Page, expect

from resformer.model.schema.schema import Schema
from resformer.scripts.page.photo_file import MAX_PHOTO_BYTES
from resformer.scripts.torchserve.server import Server
from tests.browser.conftest import Opened, Seen
from tests.browser.steps import (
    answer,
    copied,
    copied_answers,
    group,
    photo_tab,
    read_sample,
    set_slider,
    status,
    wait_for_row,
)
from tests.servers import check_reply

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

DROP = """([element, name, type, data]) => {
    const transfer = new DataTransfer();
    const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
    transfer.items.add(new File([bytes], name, {type}));
    element.dispatchEvent(new DragEvent("dragover", {dataTransfer: transfer, bubbles: true, cancelable: true}));
    element.dispatchEvent(new DragEvent("drop", {dataTransfer: transfer, bubbles: true, cancelable: true}));
}"""
COPY_PICTURE = """async (data) => {
    const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
    await navigator.clipboard.write([new ClipboardItem({"image/png": new Blob([bytes], {type: "image/png"})})]);
}"""
# Keeps what the page fetches, streams too.
RECORD = """
    window.received = "";
    const fetched = window.fetch;
    window.fetch = async (...request) => {
        const response = await fetched(...request);
        const copy = response.clone();
        (async () => {
            const reader = copy.body?.getReader();
            const decoder = new TextDecoder();
            for (let part; reader && !(part = await reader.read()).done; ) {
                window.received += decoder.decode(part.value, {stream: true});
            }
        })().catch(() => {});
        return response;
    };
"""
EVIL = "<img src=x onerror=document.title='owned'>"


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def choose(page: Page, path: Path, name: str | None = None, data: bytes | None = None) -> None:
    file: Any = str(path) if data is None else {"name": name, "mimeType": "image/jpeg", "buffer": data}
    photo_tab(page).locator("input[type=file]").set_input_files(file)


def ask(server: Server, photo: Path, **fields: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {server.key('inference')}"}
    reply = requests.post(server.predictions_url, headers=headers, files={"image": photo.read_bytes()}, data=fields)
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


def uncheck_all(page: Page, kind: str) -> None:
    boxes = group(page, kind).get_by_role("checkbox")
    expect(boxes.last).to_be_visible()
    for box in boxes.all():
        box.uncheck()


def test_a_sample_is_read(page: Page) -> None:
    read_sample(page)
    expect(answer(page, "item_weight")).to_have_text("500 gram")
    row = photo_tab(page).locator("tr[data-entity=item_weight]")
    expect(row.locator(".rf-si")).to_have_text("0.5 kilogram")
    confidence = float(row.locator("td > .rf-confidence .rf-number").text_content() or "")
    width = row.locator("td > .rf-confidence .rf-fill").evaluate(
        "e => e.getBoundingClientRect().width / e.parentElement.clientWidth"
    )
    assert 0.5 < confidence <= 1 and width == pytest.approx(confidence, abs=0.02)
    expect(answer(page, "voltage")).to_have_text("not shown")


def test_of_photos_chosen_in_a_row_the_last_one_stays(page: Page) -> None:
    for name in ("oats", "shelf", "charger"):
        photo_tab(page).locator(f"[data-sample={name}]").click()
    expect(photo_tab(page).locator(".rf-photo")).to_have_attribute("alt", "charger.jpg")
    expect(answer(page, "wattage")).to_have_text("65 watt")
    page.wait_for_timeout(1000)
    expect(photo_tab(page).locator(".rf-photo")).to_have_attribute("alt", "charger.jpg")
    expect(answer(page, "wattage")).to_have_text("65 watt")


def test_a_photo_is_chosen(page: Page, samples: dict[str, Path]) -> None:
    choose(page, samples["charger"])
    wait_for_row(page)
    expect(answer(page, "wattage")).to_have_text("65 watt")


def test_a_photo_is_dropped(page: Page, samples: dict[str, Path]) -> None:
    stage = photo_tab(page).locator(".rf-stage").element_handle()
    page.evaluate(DROP, [stage, "bottle.jpg", "image/jpeg", base64_of(samples["bottle"].read_bytes())])
    wait_for_row(page)
    expect(answer(page, "item_volume")).to_have_text("750 millilitre")


def test_a_photo_is_pasted(page: Page, samples: dict[str, Path]) -> None:
    buffer = io.BytesIO()
    Image.open(samples["rice"]).save(buffer, "PNG")
    page.evaluate(COPY_PICTURE, base64_of(buffer.getvalue()))
    page.keyboard.press("Control+V")
    wait_for_row(page)
    expect(answer(page, "item_weight")).to_have_text("1 kilogram")


def test_a_photo_is_taken(page: Page) -> None:
    page.get_by_role("button", name="Take a photo").click()
    expect(photo_tab(page).locator("video")).to_be_visible()
    page.get_by_role("button", name="Take it").click()
    wait_for_row(page)
    expect(photo_tab(page).locator(".rf-photo")).to_have_attribute("alt", "camera.jpg")
    expect(photo_tab(page).locator("video")).to_be_hidden()


def test_hover_lights_the_box_and_the_row(page: Page) -> None:
    read_sample(page, "box")
    row, box = photo_tab(page).locator("tr[data-entity=depth]"), page.locator(".rf-box[data-key=depth]")
    row.hover()
    expect(box).to_have_class("rf-box rf-lit")
    expect(page.locator(".rf-box.rf-lit")).to_have_count(1)
    box.hover()
    expect(row).to_have_class("rf-located rf-lit")
    page.mouse.move(5, 5)
    expect(page.locator(".rf-lit")).to_have_count(0)


def test_focus_lights_the_box_and_the_row(page: Page) -> None:
    read_sample(page, "box")
    answer(page, "height").focus()
    expect(page.locator(".rf-box[data-key=height]")).to_have_class("rf-box rf-lit")
    page.locator(".rf-box[data-key=width]").focus()
    expect(photo_tab(page).locator("tr[data-entity=width]")).to_have_class("rf-located rf-lit")


def test_boxes_are_where_the_server_says(page: Page, server: Server, samples: dict[str, Path]) -> None:
    read_sample(page, "rice")  # lies on its side
    x0, y0, x1, y1 = ask(server, samples["rice"])["predictions"]["item_weight"]["evidence"]
    photo = photo_tab(page).locator(".rf-photo").bounding_box()
    box = page.locator(".rf-box[data-key=item_weight]").bounding_box()
    assert photo and box
    scale = photo["width"] / 1100
    assert photo["height"] == pytest.approx(800 * scale, abs=1)
    centre = (box["x"] + box["width"] / 2 - photo["x"], box["y"] + box["height"] / 2 - photo["y"])
    assert centre == pytest.approx((scale * (x0 + x1) / 2, scale * (y0 + y1) / 2), abs=2)
    assert box["height"] > box["width"]


def test_the_slider_empties_answers_without_asking(page: Page) -> None:
    read_sample(page)
    expect(answer(page, "item_weight")).to_have_text("500 gram")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    set_slider(page, 99)
    expect(page.locator(".rf-slider-value")).to_have_text("0.99")
    expect(answer(page, "item_weight")).to_have_text("not sure enough")
    expect(status(page)).to_contain_text("0 of 18 answers, ")
    expect(page.locator(".rf-box[data-key=item_weight]")).to_have_count(0)
    set_slider(page, 0)
    expect(answer(page, "item_weight")).to_have_text("500 gram")
    assert asked == []


@pytest.mark.parametrize("sample", ["bulb", "shirt"])
def test_the_slider_is_the_server_s_min_confidence(
    page: Page, server: Server, samples: dict[str, Path], sample: str
) -> None:
    read_sample(page, sample)
    assert copied_answers(page)["predictions"] == ask(server, samples[sample])["predictions"]
    for percent in (1, 40, 80, 97):
        set_slider(page, percent)
        shown = copied_answers(page)["predictions"]
        answers = ask(server, samples[sample], min_confidence=str(percent / 100))["predictions"]
        for name, prediction in answers.items():
            confidence = shown[name].pop("confidence")
            assert confidence == pytest.approx(prediction.pop("confidence"), abs=0.01), (percent, name)
            assert shown[name] == prediction, (percent, name)


def test_entities_are_chosen_by_kind(page: Page) -> None:
    page.get_by_text("What is asked").click()
    for kind in ("Quantities", "Categories", "Texts"):
        uncheck_all(page, kind)
    read_sample(page, "shirt")
    expect(answer(page, "articleType")).to_have_text("Tshirts")
    assert set(copied_answers(page)["predictions"]) == {
        entity.name for entity in Schema.load().entities if entity.kind == "choice"
    }
    expect(answer(page, "width")).to_have_count(0)
    uncheck_all(page, "Choices")
    expect(photo_tab(page).get_by_role("alert")).to_contain_text("No entity is chosen")


def test_reader_title_and_description_are_asked_with(page: Page) -> None:
    page.get_by_text("What is asked").click()
    read_sample(page, "shirt")
    group(page, "Reader").get_by_role("radio", name="builtin").check()
    page.get_by_label("Title of the product").fill(EVIL)
    page.get_by_label("Title of the product").press("Enter")
    expect(answer(page, "title")).to_have_text(EVIL)
    text = copied(page, "curl")
    assert "--form-string reader=builtin" in text and "onerror" in text
    page.get_by_label("Description of the product").fill("A cotton shirt, 300 g")
    page.get_by_label("Description of the product").blur()
    expect(answer(page, "description")).to_have_text("A cotton shirt, 300 g")
    assert page.title() == "Resformer"  # the title is text


def test_alternatives_are_shown_on_demand(page: Page) -> None:
    read_sample(page, "shirt")
    value = answer(page, "baseColour")
    value.focus()
    page.keyboard.press("Enter")
    expect(value).to_have_attribute("aria-expanded", "true")
    items = page.locator("#rf-alternatives-baseColour li")
    expect(items).to_have_count(5)
    expect(items.first).to_contain_text(value.text_content() or "no answer")
    set_slider(page, 30)  # stays open while the slider moves
    expect(page.locator("#rf-alternatives-baseColour li").first).to_be_visible()
    answer(page, "baseColour").press("Enter")
    expect(page.locator("#rf-alternatives-baseColour")).to_be_hidden()


def test_the_copied_curl_command_answers_the_same(page: Page, server: Server, page_folder: Path) -> None:
    read_sample(page, "box")
    set_slider(page, 60)
    environment = {**os.environ, "KEY": server.key("inference")}
    done = subprocess.run(
        ["bash", "-c", copied(page, "curl")], env=environment, cwd=page_folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)["predictions"]
    shown = copied_answers(page)["predictions"]
    assert {name: p["prediction"] for name, p in answers.items()} == {n: p["prediction"] for n, p in shown.items()}


def test_the_copied_python_program_answers_the_same(page: Page, server: Server, page_folder: Path) -> None:
    read_sample(page, "charger")
    environment = {**os.environ, "KEY": server.key("inference")}
    program = copied(page, "python")
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=page_folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    shown = copied_answers(page)["predictions"]
    expected = [f"{name} {p['prediction']} {float(p['confidence'])}" for name, p in shown.items()]
    assert done.stdout.splitlines() == expected


def test_the_copied_json_and_csv_are_valid(page: Page) -> None:
    read_sample(page, "box")
    answers = copied_answers(page)
    check_reply(200, answers)
    header, row = csv.reader(io.StringIO(copied(page, "csv")))
    cells = dict(zip(header, row, strict=True))
    assert cells["image"] == "box.jpg" and cells["width"] == "60 centimetre"
    assert {f"{name}_confidence" for name in answers["predictions"]} < set(cells)


def test_the_copy_button_fills_the_clipboard(page: Page) -> None:
    read_sample(page)
    text = copied(page, "curl")
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == text
    assert '"Authorization: Bearer $KEY"' in text


def test_the_key_stays_on_the_server(opened: Opened, server: Server, seen: Seen) -> None:
    page = opened(script=RECORD)
    read_sample(page)
    copied(page, "python")
    received = page.evaluate("window.received")
    assert "500 gram" in received  # the answers are among what is looked at
    keys = [server.key("inference"), server.key("management")]
    assert not any(key in received or key in page.content() for key in keys)
    files = [response for response in seen.responses if response.request.resource_type in ("document", "script")]
    assert files
    for response in files:
        assert not any(key in response.text() or key in str(response.headers) for key in keys), response.url


def test_a_text_file_is_no_photo(page: Page, samples: dict[str, Path], tmp_path: Path) -> None:
    read_sample(page)
    (tmp_path / "notes.txt").write_text("no photo")
    choose(page, tmp_path / "notes.txt")
    problem = photo_tab(page).get_by_role("alert")
    expect(problem).to_have_text(
        "notes.txt cannot be read: the bytes are not a photo; send a JPEG, PNG, WebP, GIF, BMP or TIFF file."
    )
    expect(photo_tab(page).locator(".rf-frame")).to_be_hidden()
    expect(answer(page, "item_weight")).to_have_count(0)
    choose(page, samples["oats"])  # and the page goes on
    wait_for_row(page)
    expect(problem).to_have_text("")


def test_a_damaged_photo_and_one_with_an_evil_name(page: Page, samples: dict[str, Path]) -> None:
    data = samples["oats"].read_bytes()
    choose(page, samples["oats"], f"{EVIL}.jpg", data[:5000])
    expect(photo_tab(page).get_by_role("alert")).to_contain_text("onerror=document.title='owned'>.jpg cannot be read:")
    choose(page, samples["oats"], f"{EVIL}.jpg", data)
    wait_for_row(page)
    assert "onerror" in copied(page, "curl")
    assert page.title() == "Resformer"


def test_a_photo_that_is_too_large_is_not_sent(page: Page, tmp_path: Path) -> None:
    with open(tmp_path / "large.jpg", "wb") as file:
        file.truncate(MAX_PHOTO_BYTES + 1_000_000)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    choose(page, tmp_path / "large.jpg")
    expect(photo_tab(page).get_by_role("alert")).to_have_text(
        "large.jpg has 21 MB; a photo may have 20. Choose a smaller one."
    )
    assert asked == []


def test_no_layout_jumps_and_first_paint(opened: Opened, record_property: Callable[[str, object], None]) -> None:
    page = opened()
    page.evaluate(
        """() => {
            window.jumps = 0;
            const add = (entry) => (window.jumps += entry.hadRecentInput ? 0 : entry.value);
            new PerformanceObserver((list) => list.getEntries().forEach(add)).observe({type: "layout-shift"});
        }"""
    )
    read_sample(page, "box")
    page.wait_for_timeout(600)  # shifts within half a second of an input count as its own
    page.get_by_text("What is asked").focus()
    read_sample(page, "shirt")
    set_slider(page, 50)
    page.wait_for_timeout(200)
    assert page.evaluate("window.jumps") < 0.02
    heights = page.evaluate("[...document.querySelectorAll('.rf-row tr')].map((row) => row.offsetHeight)")
    assert max(heights) < 60
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    record_property("first paint of the page, ms", round(paint))
    assert paint < 10_000


def test_everything_works_by_keyboard(page: Page) -> None:
    page.locator("[data-sample=oats]").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the second sample
    wait_for_row(page)
    expect(answer(page, "item_volume")).to_have_text("750 millilitre")
    page.locator("#rf-min-confidence").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page.locator(".rf-slider-value")).to_have_text("0.03")
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.closest('tr')?.dataset.entity"))
    assert {"width", "item_volume", "category"} <= reached
    expect(status(page)).to_contain_text("answers,")
