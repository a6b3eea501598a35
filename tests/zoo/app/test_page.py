"""The page in Chromium: each kind of panel answers, soon, and nothing goes wrong on it."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.browser

PORT = 8731
ADDRESS = f"http://127.0.0.1:{PORT}/"
MODELS = ("char-lstm", "highlight-gru", "translate-gru-attention", "caption-lstm-attention",
          "digits-cnn", "video-gru", "sequence-gru", "forecast-gru", "spiral-digits")  # fmt: skip
PICTURES = Path(__file__).parents[3] / "build" / "app"


@pytest.fixture(scope="module")
def server():
    command = [Path(sys.executable).with_name("zoo"), "app", *MODELS, "--port", str(PORT)]
    with subprocess.Popen(command) as process:
        for _ in range(120):
            time.sleep(0.5)
            try:
                httpx.get(ADDRESS)
                break
            except httpx.ConnectError:
                continue
        yield
        process.terminate()


@pytest.fixture(scope="module")
def page(server):
    sync = pytest.importorskip("playwright.sync_api")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync.sync_playwright() as playwright:
        own = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=own, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.wrong = []
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.on("console", lambda told: told.type == "error" and page.wrong.append(told.text))
        page.goto(ADDRESS)
        yield page
        browser.close()


@pytest.fixture
def panel(page, request):
    """Open a model, and give a function that waits for what comes, prints how long it took, and
    keeps a picture of it."""
    name = request.node.callspec.params["name"]
    page.get_by_role("button", name=name, exact=True).click()
    page.wait_for_selector(f"#panel h2:text-is('{name}')", timeout=120_000)
    page.wait_for_selector("textarea, .drop")

    def comes(selector):
        start = time.monotonic()
        page.locator(selector).first.wait_for(timeout=60_000)
        seconds = time.monotonic() - start
        page.screenshot(path=PICTURES / f"{name}.png")
        print(f"{name}: {seconds:.2f} s")

    yield comes
    assert not page.wrong


@pytest.mark.parametrize("name", ["char-lstm"])
def test_a_language_model_writes_and_its_units_are_found(page, panel, name):
    page.get_by_role("button", name="Write").click()
    panel("[aria-label=text] span")
    page.wait_for_selector("button.main:text-is('Write')", timeout=120_000)
    panel("button:has-text('start of a word')")
    assert page.locator("[aria-label=text] span").count() > 300
    page.locator("button:has-text('start of a word')").click()
    assert page.get_by_label("unit", exact=True).input_value() != ""


@pytest.mark.parametrize(
    ("name", "text", "selector"),
    [
        ("highlight-gru", "def double(x):\n    return 2 * x\n", ".legend span"),
        ("translate-gru-attention", "Monday, October 6, 2031", "p[aria-label=answer] span"),
    ],
)
def test_a_text_is_answered_while_it_is_typed(page, panel, name, text, selector):
    page.fill("textarea", text)
    panel(selector)
    page.locator(selector).first.hover()


@pytest.mark.parametrize(
    ("name", "selector"),
    [
        ("caption-lstm-attention", "p[aria-label=answer] span"),
        ("video-gru", "svg.lines"),
        ("sequence-gru", ".bar"),
        ("forecast-gru", "table"),
        ("spiral-digits", "img.picture"),
    ],
)
def test_an_example_is_answered(page, panel, name, selector):
    page.get_by_role("button", name="example 1").click()
    panel(selector)


@pytest.mark.parametrize("name", ["digits-cnn"])
def test_a_digit_that_is_drawn_is_named(page, panel, name):
    place = page.locator("canvas.pad").bounding_box()
    page.mouse.move(place["x"] + 112, place["y"] + 30)
    page.mouse.down()
    page.mouse.move(place["x"] + 112, place["y"] + 190, steps=8)
    page.mouse.up()
    page.get_by_role("button", name="What is it?").click()
    panel(".bar")
    assert page.locator("#answer .text").text_content() == "1"
