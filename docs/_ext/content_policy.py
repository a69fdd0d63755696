"""A Content-Security-Policy in every page of the site: its own files and the theme's scripts, no more."""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx

from paging.html import script_hash

MARK = '<meta http-equiv="Content-Security-Policy"'

INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def guarded(page: str) -> str:
    """Return a page with a policy that lets run the scripts that stand in it now."""
    scripts = " ".join(sorted({script_hash(text) for text in INLINE.findall(page)}))
    rules = (
        "default-src 'none'",
        f"script-src 'self' {scripts}".rstrip(),
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "frame-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
    )
    meta = f'{MARK} content="{"; ".join(rules)}">'
    return re.sub(r"<head>", lambda found: found[0] + meta, page, count=1)


def guard_pages(app: Sphinx, error: Exception | None) -> None:
    """Write the policy into every page of the finished site."""
    if error is None and app.builder.format == "html":
        for path in sorted(Path(app.outdir).rglob("*.html")):
            text = path.read_text(encoding="utf-8")
            if MARK not in text:  # a page that was not written anew has it
                path.write_text(guarded(text), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("build-finished", guard_pages)
    return {"parallel_read_safe": True}
