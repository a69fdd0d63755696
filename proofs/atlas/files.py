"""The folder of an atlas: a value and a certificate per subject and instance, each complete or not there."""

from __future__ import annotations

import json
from pathlib import Path

from paging.errors import LayeredPagingError
from paging.files import atomic_write, slug
from paging.jobs import open_folder
from paging.model import LayeredInstance
from paging.numbers import json_text
from proofs.atlas.shapes import Shape
from proofs.atlas.values import Value

MARK = "layered-paging atlas"
"""What the file says that makes a folder an atlas."""

ABOUT = "values/ and certificates/ hold a file per subject and instance; everything else is made from them."


class AtlasError(LayeredPagingError, ValueError):
    """A folder is no atlas, or one of its files is damaged."""


def open_atlas(folder: str | Path) -> Path:
    """Make a folder an atlas, or continue one.

    Raises
    ------
    FolderError
        The folder holds something else.
    """
    return open_folder(folder, MARK, ABOUT)


def value_file(root: Path, subject: str, shape: Shape) -> Path:
    """Return the file of a value, there or not."""
    return root / "values" / slug(subject) / f"{shape.file}.json"


def store_value(root: Path, value: Value) -> None:
    """Write a value."""
    target = value_file(root, value.subject, value.shape)
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(target) as stream:
        stream.write(json_text(value.plain) + "\n")


def certificate_name(subject: str, shape: Shape) -> str:
    """Return the name of a value's certificate, relative to the atlas."""
    return f"certificates/{slug(subject)}/{shape.file}.json.gz"


def store_certificate(root: Path, name: str, content: bytes) -> None:
    """Write the certificate of a value."""
    target = root / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(target, "wb") as stream:
        stream.write(content)


def read_values(folder: str | Path) -> list[Value]:
    """Return all values of an atlas, ordered by subject and instance.

    Raises
    ------
    AtlasError
        A file is no value of an atlas.
    """
    values = [read_value(path) for path in sorted(Path(folder).glob("values/*/*.json"))]
    return sorted(values, key=lambda value: (value.subject, value.shape))


def read_value(path: Path) -> Value:
    """Return the value in a file.

    Raises
    ------
    AtlasError
        It is no value of an atlas.
    """
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        shape = LayeredInstance.from_plain(facts.pop("instance"))
        return Value(**facts, **{name: getattr(shape, name) for name in Shape._fields})
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise AtlasError(f"{path}: no value of an atlas ({error}); delete it to compute it again") from error
