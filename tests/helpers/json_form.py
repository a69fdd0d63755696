"""What holds of every JSON the project writes: exact numbers in one spelling, instances in one form."""

import json
import re
from collections.abc import Iterator
from typing import Any

from paging import LayeredInstance

OTHER_SPELLING = re.compile(r"[-+]?(inf|infinity|nan|oo|∞|\d+/1)", re.IGNORECASE)


def places(value: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value of a document with its path."""
    yield where, value
    if isinstance(value, dict):
        for name, item in value.items():
            yield from places(item, f"{where}.{name}")
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from places(item, f"{where}[{number}]")


def check_form(text: str) -> None:
    """Refuse another spelling of an exact number, and another form of an instance."""
    for where, value in places(json.loads(text, parse_constant=lambda name: name)):
        if isinstance(value, str):
            assert not OTHER_SPELLING.fullmatch(value), (where, value)
        if where.endswith(".instance"):
            assert LayeredInstance.from_plain(value).plain == value, where
