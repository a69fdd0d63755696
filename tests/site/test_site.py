"""The documentation site, built once: complete, without a warning, and alive in a browser."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from PIL import Image

from adversary import constructions
from paging import registered_policies
from paging.html import script_hash
from paging.plotting import content_digest
from proofs.atlas.explorer import document, read_cycles
from proofs.atlas.table import read_table
from proofs.bounds.registry import BOUNDS
from proofs.checker import verify_file
from proofs.lessons import lessons
from tests.helpers.browser import Visit, expect

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

POLICY = re.compile(
    r'(?:<head>|<meta charset="utf-8">)\s*<meta http-equiv="Content-Security-Policy" content="([^"]*)">'
)


@pytest.fixture(scope="module")
def formulas() -> ModuleType:
    pytest.importorskip("sphinx", reason="the extra docs is not installed")
    return module("formulas", DOCS / "_ext" / "formulas.py")


def module(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("at most k − ℓ + 1 faults", ["k − ℓ + 1"]),
        ("H_{k−1} and H(k), not H", ["H_{k−1}", "H(k)", "H"]),
        ("(ℓ, n, k) = (2, 3, 4), as in (2, 3, 4)", ["(ℓ, n, k) = (2, 3, 4)"]),
        ("a page in LRU's cache, i.e. a k-phase of 8 min 11 s", ["k"]),
        ("L2, C1 and C′ in a (short) list", ["C′"]),
        ("⌊k/ℓ⌋ + ℓ ≤ k, and |C ∩ {lab ≤ c}| ≤ c", ["⌊k/ℓ⌋ + ℓ ≤ k", "|C ∩ {lab ≤ c}| ≤ c"]),
        ("30,000 states, 15 % of them; T = 10⁶", ["T = 10⁶"]),
        ("2Q, S3-FIFO and 2k pages", ["2k"]),
        ("n/layer, top-k routing, e.g. p. 3", []),
        ("max(0, r − k + 1) · OPT", ["max(0, r − k + 1) · OPT"]),
    ],
)
def test_formulas_are_found_in_running_text(formulas: ModuleType, text: str, found: list[str]) -> None:
    parts = list(formulas.pieces(text))
    assert "".join(part for part, _ in parts) == text
    assert [part for part, tex in parts if tex is not None] == found


def test_a_formula_is_written_in_tex(formulas: ModuleType) -> None:
    assert list(formulas.pieces("p′_{m−1} ≤ ⌊t/g⌋ mod ℓ")) == [
        ("p′_{m−1} ≤ ⌊t/g⌋ mod ℓ", r"p'_{m-1}\le \lfloor t/g\rfloor \bmod \ell")
    ]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("furo", reason="the extra docs is not installed")
    pytest.importorskip("marimo", reason="the extra lessons is not installed")
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", str(DOCS), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


pytestmark = pytest.mark.xdist_group("site")  # one process builds it, for all


def anchor(name: str) -> str:
    """Return the id of a section that is called so: it begins with a letter."""
    return re.sub("^[^a-z]+", "", name.lower())


@pytest.mark.slow
def test_the_site_is_complete(site: Path) -> None:
    bounds = (site / "generated" / "bounds.html").read_text(encoding="utf-8")
    for bound in BOUNDS.values():
        section = bounds.partition(f'<section id="{anchor(bound.id)}">')[2].partition("</section>")[0]
        assert all(f"adversaries.html#{name}" in section for name in bound.constructions), bound.id
        assert section, bound.id
    policies = (site / "generated" / "policies.html").read_text(encoding="utf-8")
    assert all(f'<section id="{anchor(name)}">' in policies for name in registered_policies())
    gallery = (site / "adversaries.html").read_text(encoding="utf-8")
    for name, found in constructions().items():
        section = gallery.partition(f'<section id="{anchor(name)}">')[2].partition("</section>")[0]
        assert f'generated/bounds.html#{anchor(found.bound)}"' in section, name
    overview = (site / "generated" / "paging.html").read_text(encoding="utf-8")
    assert 'href="api/paging.simulate.html#paging.simulate"' in overview
    assert 'id="paging.simulate"' in (site / "generated/api/paging.simulate.html").read_text(encoding="utf-8")
    assert '<img alt="Hits and faults of LRU' in (site / "pictures.html").read_text(encoding="utf-8")
    for page in (site / "generated").rglob("*.html"):
        told = re.sub("<[^>]*>", "", page.read_text(encoding="utf-8"))
        assert "object at 0x" not in told, page  # it would differ in every build
    listed = (site / "lessons.html").read_text(encoding="utf-8")
    for lesson in lessons():
        assert f'href="lesson-{lesson.number}.html" download' in listed
        assert (site / f"lesson-{lesson.number}.html").is_file()


@pytest.mark.slow
def test_every_page_says_what_it_may_load(site: Path) -> None:
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        found = POLICY.search(text)
        assert found, path
        rules = unescape(found[1])
        assert "unsafe" not in rules.partition("script-src")[2].partition(";")[0]
        inline = re.findall(r"(?s)<script>(.*?)</script>", text)
        assert all(script_hash(script) in rules for script in inline)


@pytest.mark.slow
@pytest.mark.skipif(
    not (DOCS / "node_modules" / "katex").is_dir() or shutil.which("node") is None,
    reason="no KaTeX: 'make docs' installs it where it can",
)
def test_formulas_are_typeset(site: Path, visit: Visit) -> None:
    text = (site / "bounds.html").read_text(encoding="utf-8")
    assert text.count('role="math"') > 500
    assert "katex-error" not in text
    page = visit((site / "bounds.html").as_uri())
    formula = page.get_by_role("math", name="k − ℓ + 1").first
    family = formula.locator(".mathnormal").first.evaluate("node => getComputedStyle(node).fontFamily")
    assert "KaTeX_Math" in family
    assert page.evaluate("document.fonts.check('16px KaTeX_Math')")


@pytest.mark.slow
def test_the_front_page_plays_and_a_lesson_checks(site: Path, visit: Visit) -> None:
    page = visit((site / "index.html").as_uri())
    player = page.frame_locator("iframe.player")
    player.get_by_role("button", name="play").click()
    expect(player.get_by_text(re.compile("[1-9] / 80")).first).to_be_visible()
    lesson = visit((site / "lesson-1.html").as_uri())
    lesson.get_by_label("Answer to question 1", exact=True).fill("5")
    lesson.get_by_role("button", name="Check").first.click()
    expect(lesson.locator("output").first).not_to_contain_text("not answered yet")


@pytest.mark.slow
def test_the_picture_of_readme_is_the_page_that_its_command_writes(site: Path, visit: Visit) -> None:
    pictures = pytest.importorskip("docs.pictures")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"paging {' '.join(pictures.FILM)} -o worst.html" in readme
    assert f"(docs/images/{pictures.TARGET.name})" in readme
    said = pictures.last_moment(visit((site / "worst.html").as_uri(), **pictures.SIZE))
    found = Image.open(pictures.TARGET).info["Content"]
    assert found == content_digest(said), "python -m docs.pictures draws it anew"


HOSTILE = "x\"><img src=x onerror=alert(1)></script><script>document.title = 'run'</script><!--'onload='a()"


def hostile(value: Any, *, add: bool = False) -> Any:
    """Every text of a document with script in it, but numbers and what is chosen at first."""
    if isinstance(value, dict):
        return {key: hostile(inner, add=key != "subject" and key != "id") for key, inner in value.items()}
    if isinstance(value, list):
        return [hostile(inner, add=add) for inner in value]
    return f"{value} {HOSTILE}" if add and isinstance(value, str) and value != "1 page" else value


def test_names_of_strangers_are_text_in_the_atlas(visit: Visit, tmp_path: Path) -> None:
    pytest.importorskip("sphinx", reason="the extra docs is not installed")
    exhibits = module("exhibits", DOCS / "_ext" / "exhibits.py")
    rows = [row for row in read_table(DOCS / "data" / "atlas.csv") if row["ℓ"] == "2"][:8]
    atlas = hostile(document(rows, read_cycles(DOCS / "data" / "cycles.csv")))
    (tmp_path / "_static").mkdir()
    shutil.copy(DOCS / "_static" / "atlas.js", tmp_path / "_static")
    part = exhibits.atlas_part(json.dumps(atlas, ensure_ascii=False))
    (tmp_path / "explore.html").write_text(f'<!doctype html><meta charset="utf-8">{part}', encoding="utf-8")
    page = visit((tmp_path / "explore.html").as_uri())
    page.locator("#atlas td button").last.click()
    expect(page.locator("#atlas .detail")).to_contain_text(HOSTILE)
    expect(page.locator("#atlas select").first).to_contain_text(HOSTILE)
    assert page.locator("img, [onerror], [onload]").count() == 0
    assert page.title() != "run"


@pytest.mark.slow
def test_the_atlas_is_explored_with_the_mouse_and_with_keys(site: Path, visit: Visit) -> None:
    values = json.loads((site / "atlas.json").read_text(encoding="utf-8"))["values"]
    page = visit((site / "explore.html").as_uri(), width=400)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("#atlas").get_by_label("Policy").select_option("llru")
    page.locator("select[name=pages]").select_option("4")
    here = [one for one in values if (one["subject"], one["layers"], one["pages"]) == ("llru", 2, 4)]
    for kind in ("2 pages, sequential", "2 pages, atomic", "1 page"):
        count = sum(one["visit"] == kind for one in here)
        assert count
        page.get_by_role("combobox", name="A visit").select_option(kind)
        expect(page.get_by_role("status")).to_have_text(f"{count} instances")
    page.get_by_role("button", name="ℓ = 2, n = 4, k = 6").click()
    detail = page.locator(".detail")
    expect(detail).to_contain_text("13/2 ≈ 6.500")
    expect(detail).to_contain_text("paging exact llru -l 2 -n 4 -k 6 --certificate llru-2-4-6.json.gz")
    assert detail.get_by_role("link").count() == 0  # a larger one, whose command makes it
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(detail).to_contain_text("8, exact; above k (k = 7)")
    assert re.search(r"(0\.\d 1\.\d )+.*again and again", detail.inner_text())
    assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"
    page.locator("select[name=pages]").select_option("")
    page.locator("#atlas").get_by_label("Policy").select_option("told-game")
    page.get_by_role("button", name="ℓ = 2, n = 3, k = 4").click()
    expect(detail).to_contain_text("Least β at α = γ = 12, exact")
    expect(detail).to_contain_text("flush-when-kept, told discard bits 3")


@pytest.mark.slow
def test_certificates_of_small_instances_are_files_beside_the_atlas(site: Path, visit: Visit) -> None:
    page = visit((site / "explore.html").as_uri(), width=1280)
    page.get_by_role("button", name="ℓ = 2, n = 2, k = 3").click()
    file = page.locator(".detail").get_by_role("link").get_attribute("href")
    verdict = verify_file(str(site / str(file)))
    assert verdict.status == "VERIFIED"
    assert "policy lru: the competitive ratio is exactly" in verdict.reason
