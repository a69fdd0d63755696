"""Draw pictures of README and of some pages anew: ``python -m docs.pictures``, with the extra test.

The film that README's first command writes, at its end; for play.md a game on the live page that is won; for
wrong-bits.md the trade-offs of a policy. Each PNG keeps the digest of what the page says there, or of the
numbers, and a test compares. The other pictures are drawn by ``python -m proofs.atlas.docs`` and, for
constructions, ``python -m proofs.report.docs docs/reproduce.md``.
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
from tests.helpers.live_server import running

FOLDER = Path(__file__).parent / "images"

TARGET, SIZE = FOLDER / "worst-case.png", {"width": 1040, "height": 890}
FILM = ["show", "lru", "--construction", "cyclic", "-l", "2", "-n", "4", "-k", "7"]

SURFACE_TARGET = FOLDER / "predictions" / "surface.png"
SURFACE = "exact flush-when-kept --predictions discard -l 2 -n 2 -k 3 --surface"

GAME_TARGET, GAME_SIZE = FOLDER / "play.png", {"width": 1280, "height": 900}
GAME, MOVES = "#scene=be-adversary", "0011" * 3
"""The address of a scene, and the pages asked for: of each layer two take turns."""


def last_moment(page: Any) -> str:
    """Go to the end of the film on a page; return what the page says there."""
    page.keyboard.press("End")
    return said(page)


def won_game(page: Any) -> str:
    """Play the game of the picture on a page until it is won; return what the page says there."""
    for turn, key in enumerate(MOVES, start=1):
        page.locator(".lp-choice").first.wait_for()
        page.keyboard.press(key)
        page.locator(".lp-count-time dd").get_by_text(f"{turn} /").wait_for()
        if page.locator("#status.won").count():
            break
    page.locator("#outcome h2").first.wait_for()
    return said(page)


def said(page: Any) -> str:
    """Return the text of a page."""
    return " ".join(page.locator("main").inner_text().split())


def save(page: Any, target: Path, text: str) -> None:
    """Write what is seen of a page, with the digest of its text."""
    picture: Image.Image = Image.open(io.BytesIO(page.screenshot()))
    facts = PngInfo()
    facts.add_text("Content", content_digest(text))
    picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=128).save(
        target, pnginfo=facts, optimize=True
    )


def main() -> None:
    """Draw them."""
    assert run([*SURFACE.split(), "-o", str(SURFACE_TARGET)]) == 0
    with TemporaryDirectory() as folder, running() as server, sync_playwright() as playwright:
        film = Path(folder) / "film.html"
        assert run([*FILM, "-o", str(film)]) == 0
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for target, size, address, arrive in (
            (TARGET, SIZE, film.as_uri(), last_moment),
            (GAME_TARGET, GAME_SIZE, server.address + GAME, won_game),
        ):
            page = browser.new_page(viewport=size, device_scale_factor=1.5)
            page.goto(address)
            save(page, target, arrive(page))
        browser.close()


if __name__ == "__main__":
    main()
