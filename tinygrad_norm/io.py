"""Saving and loading weights: ``save`` and ``load``, to ``.npz`` (NumPy's own format) or ``.safetensors``.

A file holds arrays by name and, beside them, a JSON text for what is not an array: an optimizer's options, a count of
epochs. Nothing is ever pickled, so a file can hold no code. A file is written beside its destination and moved there
when it is complete: an interrupted save leaves the old file as it was.
"""

from __future__ import annotations

import json
import lzma
import os
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .engine.details.array import Array
from .engine.tensor import Tensor
from .errors import FileError, InputError, MissingExtraError, OperandError
from .pytorch_names import kind_of
from .terminal.files import visible, whole_file

STRUCTURE = "__structure__"
"""The name under which the JSON text stands; a plain state dict has none."""


def save(state: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write a state dict, or a dict of several, to a file.

    Parameters
    ----------
    state : a dict from names to arrays or Tensors, as ``state_dict()`` returns. Its values may also be numbers,
        strings, None, lists, and further dicts; one of arrays only makes a file that other programs read as it is
    path : where to; ends in ``.npz`` or ``.safetensors`` (which needs ``pip install safetensors``)

    Raises
    ------
    OperandError
        Something in the state can be stored neither as an array nor as JSON.
    FileError
        The file cannot be written.

    Examples
    --------
    >>> import tempfile, tinygrad_norm as tg
    >>> layer = tg.nn.Linear(2, 3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     tg.save(layer.state_dict(), folder + "/layer.npz")
    ...     layer.load_state_dict(tg.load(folder + "/layer.npz"))
    StateKeys(missing_keys=[], unexpected_keys=[])
    """
    target = Path(path).resolve()
    write, _ = format_of(target)
    if not isinstance(state, Mapping):
        raise OperandError(
            f"save must get a dict from names to arrays; got {type(state).__name__}. Pass module.state_dict()."
        )
    arrays: dict[str, Array] = {}
    structure = taken_apart(dict(state), "", arrays)
    plain = all(structure.get(name) == {"array": name} for name in structure)
    try:
        with whole_file(target) as part:
            write(part, arrays, None if plain else json.dumps(structure))
    except OSError as error:
        raise FileError(
            f"save must be able to write {target}; got {error.strerror or error}. Check that the folder exists and has "
            "room."
        ) from error


def load(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return what :func:`save` wrote, with arrays as arrays; read any ``.npz`` or ``.safetensors`` of plain arrays.

    Raises
    ------
    FileError
        There is no such file, or it is damaged, truncated, or holds objects that only pickle could read.
    """
    source = Path(path)
    _, read = format_of(source)
    if not source.is_file():
        raise FileError(f"load must get the path of a file; there is none at {source}. Check the folder and the name.")
    arrays, text = read(source)
    if text is None:
        return dict(arrays)
    try:
        return dict(put_together(json.loads(text), arrays))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise damaged(source, error) from error


def taken_apart(value: Any, name: str, arrays: dict[str, Array]) -> Any:
    """Return a value as JSON can hold it, with every array moved to ``arrays`` and a reference in its place."""
    if isinstance(value, Mapping):
        parts = {str(k): taken_apart(v, f"{name}.{k}" if name else str(k), arrays) for k, v in value.items()}
        if len(parts) < len(value):
            raise OperandError(f"save must get a dict whose keys differ as text; got {list(value)}. Rename some.")
        return {"dict": parts} if name else parts
    if isinstance(value, (list, tuple)):
        return {"list": [taken_apart(v, f"{name}.{i}", arrays) for i, v in enumerate(value)]}
    if value is None or isinstance(value, (bool, int, float, str)):
        return {"value": value}
    array = np.asarray(value.data if isinstance(value, Tensor) else value)
    if array.dtype.kind not in "fiub":
        raise OperandError(
            f"save must get arrays of numbers, numbers, text, lists and dicts; got {kind_of(value)} for "
            f"{name!r}. Leave it out, or convert it."
        )
    if name in arrays or name == STRUCTURE:
        raise OperandError(f"save must get names that differ when joined by dots; got {name!r} twice. Rename one.")
    arrays[name] = array
    return {"array": name}


def put_together(structure: Mapping[str, Any], arrays: Mapping[str, Array]) -> dict[str, Any]:
    """Return the dict that was taken apart."""

    def value_of(part: Mapping[str, Any]) -> Any:
        (kind, content), *_ = part.items()
        if kind == "dict":
            return put_together(content, arrays)
        if kind == "list":
            return [value_of(entry) for entry in content]
        return arrays[content] if kind == "array" else content

    return {name: value_of(part) for name, part in structure.items()}


def check_destination(path: str | os.PathLike[str]) -> None:
    """Raise what :func:`save` would raise for this path, before the work whose result shall be saved."""
    format_of(Path(path))
    if Path(path).suffix == ".safetensors":
        safetensors_library()
    if not Path(path).resolve().parent.is_dir():
        raise FileError(f"save must be able to write {path}; got a folder that does not exist. Make it first.")


# The formats: each has a writer of (path, arrays, JSON text or None) and a reader that returns arrays and text.


def write_npz(path: Path, arrays: Mapping[str, Array], text: str | None) -> None:
    """Write a zip file of ``.npy`` files, the same bytes every time."""
    everything = dict(arrays)
    if text is not None:
        everything[STRUCTURE] = np.frombuffer(text.encode("utf-8"), np.uint8)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, array in everything.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asanyarray(array), allow_pickle=False)


MOST_INFLATED = 1100
"""How many bytes one of a zip file may become: what its compression can at most make of real data."""

READING_ERRORS = (
    *(OSError, ValueError, TypeError, AttributeError, EOFError, LookupError, RuntimeError, MemoryError, SyntaxError),
    *(struct.error, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tokenize.TokenError),
)
"""What NumPy and the zip module raise at files that are damaged or forged."""


def read_npz(path: Path) -> tuple[dict[str, Array], str | None]:
    """Read a zip file of ``.npy`` files."""
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("it is no zip file, or its end is missing")
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            _require_size(path, archive.zip)
            arrays = {name: _numbers(name, archive[name]) for name in archive.files}
            text = arrays.pop(STRUCTURE, None)
            return arrays, None if text is None else text.tobytes().decode("utf-8")
    except READING_ERRORS as error:
        raise damaged(path, error) from error


def _numbers(name: str, array: Array) -> Array:
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub":
        raise ValueError(f"{name!r} holds {getattr(array, 'dtype', 'bytes')} and not numbers")
    return array


def _require_size(path: Path, archive: zipfile.ZipFile) -> None:
    """Refuse a small file that says to hold very much."""
    claimed, there = sum(entry.file_size for entry in archive.infolist()), path.stat().st_size
    if claimed > MOST_INFLATED * there + 2**20:
        raise ValueError(f"its {there:,} bytes would become {claimed:,}")


def write_safetensors(path: Path, arrays: Mapping[str, Array], text: str | None) -> None:
    """Write with the safetensors library, which needs arrays without gaps."""
    library = safetensors_library()
    whole = {name: np.array(array, order="C") for name, array in arrays.items()}
    path.write_bytes(library.numpy.save(whole, None if text is None else {STRUCTURE: text}))


def read_safetensors(path: Path) -> tuple[dict[str, Array], str | None]:
    """Read with the safetensors library."""
    library = safetensors_library()
    try:
        content = path.read_bytes()
        arrays = {name: _numbers(name, array) for name, array in library.numpy.load(content).items()}
        # The library has checked the header, but hands out the metadata only of a file that it opens itself.
        (length,) = struct.unpack_from("<Q", content)
        metadata = json.loads(content[8 : 8 + length]).get("__metadata__", {})
        return arrays, metadata.get(STRUCTURE)
    except (*READING_ERRORS, library.SafetensorError) as error:
        raise damaged(path, error) from error


def safetensors_library() -> Any:
    """Return the safetensors library, with its module for NumPy arrays."""
    try:
        import safetensors.numpy
    except ImportError as error:
        raise MissingExtraError(
            "a .safetensors file needs the package safetensors; it is not installed. Run pip install safetensors, or "
            "use a path that ends in .npz."
        ) from error
    return safetensors


Writer = Callable[[Path, Mapping[str, Array], str | None], None]
Reader = Callable[[Path], tuple[dict[str, Array], str | None]]
FORMATS: dict[str, tuple[Writer, Reader]] = {
    ".npz": (write_npz, read_npz),
    ".safetensors": (write_safetensors, read_safetensors),
}


def format_of(path: Path) -> tuple[Writer, Reader]:
    """Return how to write and read a file of this suffix."""
    found = FORMATS.get(path.suffix)
    if found is None:
        raise InputError(
            f"the path of a file of weights must end in {' or '.join(FORMATS)}; got {str(path)!r}. "
            "A PyTorch .pt file is a pickle: in PyTorch, save its state dict with safetensors."
        )
    return found


def damaged(path: Path, error: Exception) -> FileError:
    """Return the error for a file that cannot be read."""
    lines = str(error).strip().rstrip(".").splitlines() or [type(error).__name__]
    reason = visible(lines[0][:200])
    return FileError(
        f"{path} must be a complete {path.suffix} file of numeric arrays; reading it failed: {reason}. "
        "Copy or save it again; nothing was loaded."
    )
