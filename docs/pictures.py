"""Draw the picture of README anew: ``python docs/pictures.py``, in an environment with the extra test.

It is the film that README's first command writes, at its end, in Chromium. The PNG keeps the digest of what
the page says there, and a test compares. The other pictures: ``python -m proofs.atlas.docs``, and
``python -m proofs.report.docs docs/reproduce.md`` for the constructions.
"""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import sync_playwright

from paging.cli.main import run
from paging.plotting import content_digest

TARGET = Path(__file__).parent / "images" / "worst-case.png"

FILM = ["show", "lru", "--construction", "cyclic", "-l", "2", "-n", "4", "-k", "7"]

SIZE = {"width": 1040, "height": 1010}
"""Pixels of the window."""


def last_moment(page: Any) -> str:
    """Go to the end of the film on a page; return what the page says there."""
    page.keyboard.press("End")
    return " ".join(page.locator("main").inner_text().split())


def main() -> None:
    """Draw it."""
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        film = Path(folder) / "film.html"
        assert run([*FILM, "-o", str(film)]) == 0
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE, device_scale_factor=1.5)
        page.goto(film.as_uri())
        said = last_moment(page)
        picture: Image.Image = Image.open(io.BytesIO(page.screenshot()))
        facts = PngInfo()
        facts.add_text("Content", content_digest(said))
        picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=128).save(
            TARGET, pnginfo=facts, optimize=True
        )
        browser.close()


if __name__ == "__main__":
    main()
