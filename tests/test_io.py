from __future__ import annotations

import builtins
import io
import pickle
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_norm as tg
from tinygrad_norm import nn

SUFFIXES = (".npz", ".safetensors")


@pytest.fixture(params=SUFFIXES)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / f"weights{request.param}"


def model() -> nn.Module:
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)).astype(np.float32)


def test_a_state_dict_comes_back_as_it_was(path: Path) -> None:
    saved, other = model(), model()
    tg.save(saved.state_dict(), path)
    other.load_state_dict(tg.load(path))
    for key, value in saved.state_dict().items():
        np.testing.assert_array_equal(other.state_dict()[key], value)
    loaded = tg.load(str(path))
    assert {k: (v.dtype, v.shape) for k, v in loaded.items()} == {
        k: (v.dtype, v.shape) for k, v in saved.state_dict().items()
    }
    loaded["0.weight"][0, 0] = 1.0


def test_numbers_text_lists_and_dicts_come_back(path: Path) -> None:
    state: dict[str, Any] = {"model": {"w": tg.Tensor([1.0, 2.0]), "mask": np.array([True, False])}}
    state |= {"epoch": 3, "rate": 0.1, "name": "läßt", "done": True, "none": None}
    state |= {"curve": [1.5, np.arange(3)], "empty": {}, "5": [[], {"a": 1}]}
    tg.save(state, path)
    loaded = tg.load(path)
    assert loaded["model"]["w"].tolist() == [1.0, 2.0]
    assert loaded["model"]["mask"].dtype == np.bool_
    assert (loaded["epoch"], loaded["rate"], loaded["name"], loaded["done"], loaded["none"]) == (
        3,
        0.1,
        "läßt",
        True,
        None,
    )
    assert loaded["curve"][0] == 1.5
    assert loaded["curve"][1].tolist() == [0, 1, 2]
    assert (loaded["empty"], loaded["5"]) == ({}, [[], {"a": 1}])
    assert list(loaded) == list(state)


def test_arrays_with_gaps_and_without_axes_come_back(path: Path) -> None:
    big = np.arange(24.0).reshape(4, 6)
    state = {"t": big.T, "strided": big[::2, ::-3], "number": np.array(2.5), "empty": np.zeros((0, 3))}
    tg.save(state, path)
    for key, value in tg.load(path).items():
        np.testing.assert_array_equal(value, state[key])
        assert value.shape == state[key].shape


def test_a_name_that_numpy_s_own_writer_trips_over(tmp_path: Path) -> None:
    tg.save({"file": np.ones(2), "arr_0": np.zeros(1)}, tmp_path / "a.npz")
    assert sorted(tg.load(tmp_path / "a.npz")) == ["arr_0", "file"]


def test_plain_files_of_others_are_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "theirs.npz", a=np.ones(2), b=np.arange(3))
    assert tg.load(tmp_path / "theirs.npz")["b"].tolist() == [0, 1, 2]
    tg.save({"a": np.ones(2)}, tmp_path / "ours.npz")
    with np.load(tmp_path / "ours.npz") as archive:
        assert archive.files == ["a"]


def test_the_same_state_gives_the_same_bytes(path: Path) -> None:
    state = {"b": np.ones(2), "a": {"n": 1}}
    tg.save(state, path)
    first = path.read_bytes()
    tg.save(state, path)
    assert path.read_bytes() == first


def test_an_interrupted_save_leaves_the_old_file_and_nothing_else(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tg.save({"a": np.ones(2)}, path)
    before = path.read_bytes()

    def fail(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(KeyboardInterrupt):
        tg.save({"a": np.zeros(2)}, path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link.npz").symlink_to(tmp_path / "real.npz")
    tg.save({"a": np.ones(2)}, tmp_path / "link.npz")
    assert (tmp_path / "link.npz").is_symlink()
    assert (tmp_path / "real.npz").is_file()


def test_a_folder_that_does_not_exist(path: Path) -> None:
    with pytest.raises(tg.FileError, match=r"save must be able to write .*; got No such file or directory\. Check"):
        tg.save({"a": np.ones(2)}, path.parent / "missing" / path.name)


def test_a_file_that_does_not_exist(path: Path) -> None:
    with pytest.raises(tg.FileError, match="load must get the path of a file; there is none at"):
        tg.load(path)
    assert issubclass(tg.FileError, OSError)


def test_every_cut_and_every_flipped_byte_is_noticed_or_harmless(path: Path) -> None:
    """A damaged file gives the one error or the right values, never another error."""
    state = {"model": {"w": np.arange(5.0)}, "epoch": 3}
    tg.save(state, path)
    whole = path.read_bytes()
    noticed = 0
    for cut in range(0, len(whole), 7):
        path.write_bytes(whole[:cut])
        with pytest.raises(tg.FileError, match=r"must be a complete \.\w+ file of numeric arrays; reading it failed: "):
            tg.load(path)
    for at in range(0, len(whole), 5):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])
        try:
            tg.load(path)
        except tg.FileError:
            noticed += 1
    assert noticed > 10


class Bomb:
    def __reduce__(self) -> Any:
        return (pytest.fail, ("a pickle was loaded",))


def test_no_pickle_is_ever_read_or_written(tmp_path: Path) -> None:
    hostile = tmp_path / "hostile.npz"
    hostile.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(tg.FileError, match="it is no zip file"):
        tg.load(hostile)
    with zipfile.ZipFile(hostile, "w") as archive:
        buffer = io.BytesIO()
        np.save(buffer, np.array([Bomb()], dtype=object), allow_pickle=True)
        archive.writestr("w.npy", buffer.getvalue())
    with pytest.raises(tg.FileError, match="allow_pickle=False"):
        tg.load(hostile)
    with pytest.raises(tg.OperandError, match=r"arrays of numbers, numbers, text, lists and dicts; got Bomb for 'w'"):
        tg.save({"w": Bomb()}, hostile)


def test_a_text_that_does_not_match_the_arrays(tmp_path: Path) -> None:
    for text in ('{"w": {"array": "gone"}}', "{", "[1]"):
        np.savez(tmp_path / "a.npz", __structure__=np.frombuffer(text.encode(), np.uint8))
        with pytest.raises(tg.FileError, match="must be a complete"):
            tg.load(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ([1, 2], r"save must get a dict from names to arrays; got list\. Pass module\.state_dict\(\)"),
        ({1: 1.0, "1": 2.0}, "keys differ as text"),
        ({"a.b": np.ones(1), "a": {"b": np.ones(1)}}, "names that differ when joined by dots; got 'a.b' twice"),
        ({"__structure__": np.ones(1)}, "got '__structure__' twice"),
        ({"a": np.array(["text"])}, "got ndarray for 'a'"),
    ],
)
def test_what_cannot_be_saved(state: Any, message: str, path: Path) -> None:
    with pytest.raises(tg.OperandError, match=message):
        tg.save(state, path)
    assert not path.exists()


def test_the_suffix_decides(tmp_path: Path) -> None:
    for call in (lambda p: tg.save({}, p), tg.load):
        with pytest.raises(
            tg.InputError, match=r"must end in \.npz or \.safetensors; got .* A PyTorch \.pt file is a pickle"
        ):
            call(tmp_path / "weights.pt")


def test_safetensors_is_optional(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("safetensors"):
            raise ImportError(name)
        return plain(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(
        tg.MissingExtraError, match=r"needs the package safetensors; it is not installed\. Run pip install"
    ):
        tg.save({"a": np.ones(2)}, tmp_path / "a.safetensors")
    assert list(tmp_path.iterdir()) == []


def npz(path: Path, entries: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("text", npy(np.array(["text"]))),
        ("bytes", npy(np.array([b"bytes"]))),
        ("dates", npy(np.array(["2026-11-26"], "datetime64[D]"))),
        ("complex", npy(np.array([1j]))),
        ("records", npy(np.zeros(2, [("a", float)]))),
        ("no array", b"plain bytes"),
        ("a forged header", b"\x93NUMPY\x01\x00\x10\x00" + b"{" * 16),
        ("a deep header", b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65535),
        ("a bomb", npy(np.zeros(2**24))),
    ],
)
def test_an_npz_of_what_is_no_number_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    path = npz(tmp_path / "a.npz", {"w.npy": content} if name != "no array" else {"w.txt": content})
    if name == "a bomb":  # zeros compress to a thousandth; what claims more is no data
        path.write_bytes(path.read_bytes().replace((2**27 + 128).to_bytes(4, "little"), (2**31).to_bytes(4, "little")))
    with pytest.raises(tg.FileError, match="must be a complete"):
        tg.load(path)


def test_every_way_to_compress_and_to_damage_it(tmp_path: Path) -> None:
    content = {"w.npy": npy(np.arange(200.0))}
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        path = npz(tmp_path / "a.npz", content, compression)
        whole = path.read_bytes()
        assert tg.load(path)["w"].shape == (200,)
        for place in range(0, len(whole), 7):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
            with suppress(tg.FileError):
                tg.load(path)


def test_a_structure_without_end(tmp_path: Path) -> None:
    deep = '{"a": ' + '{"dict": {"a": ' * 5000 + '{"value": 1}' + "}}" * 5000 + "}"
    for text in (deep, "[" * 10**5, '{"a": {"array": ["x"]}}', '{"a": {}}'):
        np.savez(tmp_path / "a.npz", __structure__=np.frombuffer(text.encode(), np.uint8))
        with pytest.raises(tg.FileError, match="must be a complete"):
            tg.load(tmp_path / "a.npz")


def test_nothing_in_a_file_s_names_reaches_a_message_unescaped(tmp_path: Path) -> None:
    path = npz(tmp_path / "a.npz", {"\x1b[2J\u202e.npy": npy(np.array(["text"]))})
    with pytest.raises(tg.FileError) as error:
        tg.load(path)
    assert str(error.value).isprintable()
