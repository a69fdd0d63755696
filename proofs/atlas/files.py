"""The folder of an atlas: a value and a certificate per subject and instance, each complete or not there."""

from __future__ import annotations

import json
from pathlib import Path

from paging.certificate import Certificate, write_certificate
from paging.errors import LayeredPagingError
from paging.files import atomic_write, slug
from paging.model import LayeredInstance
from paging.numbers import json_text
from proofs.atlas.shapes import Shape
from proofs.atlas.values import Value

MARK = "layered-paging atlas"
"""What the file says that makes a folder an atlas."""


class AtlasError(LayeredPagingError, ValueError):
    """A folder is no atlas, or one of its files is damaged."""


def open_atlas(folder: str | Path) -> Path:
    """Make a folder an atlas, or continue one.

    Raises
    ------
    AtlasError
        The folder holds something else.
    """
    root = Path(folder)
    sign = root / "README.txt"
    if sign.exists() and sign.read_text(encoding="utf-8").startswith(MARK):
        return root
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise AtlasError(f"{folder}: neither an atlas nor an empty folder; nothing is written there")
    root.mkdir(parents=True, exist_ok=True)
    with atomic_write(sign) as stream:
        stream.write(
            f"{MARK}\n\nvalues/ and certificates/ hold a file per subject and instance; "
            "everything else is made from them.\n"
        )
    return root


def value_file(root: Path, subject: str, shape: Shape) -> Path:
    """Return the file of a value, there or not."""
    return root / "values" / slug(subject) / f"{shape.file}.json"


def store_value(root: Path, value: Value) -> None:
    """Write a value."""
    target = value_file(root, value.subject, value.shape)
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(target) as stream:
        stream.write(json_text(value.plain) + "\n")


def store_certificate(root: Path, subject: str, shape: Shape, certificate: Certificate) -> str:
    """Write the certificate of a value; return its name relative to the atlas."""
    target = root / "certificates" / slug(subject) / f"{shape.file}.json.gz"
    target.parent.mkdir(parents=True, exist_ok=True)
    write_certificate(certificate, target)
    return target.relative_to(root).as_posix()


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
