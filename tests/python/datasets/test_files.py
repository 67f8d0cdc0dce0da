"""Files of data sets: IDX, CSV of plain numbers and NPZ, whole, cut or damaged."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest

from fanin import datasets

IDX_CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx_bytes(array: np.ndarray) -> bytes:
    head = bytes([0, 0, IDX_CODES[array.dtype.str[1:]], array.ndim])
    return head + struct.pack(f">{array.ndim}I", *array.shape) + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.mark.parametrize("code", IDX_CODES)
@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 3, 4), (0, 4), ()])
@pytest.mark.parametrize("packed", [False, True])
def test_idx_round_trip(tmp_path, code, shape, packed):
    array = np.asarray(np.arange(np.prod(shape, dtype=int)).reshape(shape) - 3).astype(code)
    path = tmp_path / "data"  # the name does not say whether it is packed
    path.write_bytes(gzip.compress(idx_bytes(array)) if packed else idx_bytes(array))
    read = datasets.load_idx(path)
    assert read.dtype == array.dtype
    assert read.dtype.isnative
    assert read.flags.writeable
    np.testing.assert_array_equal(read, array)
    assert read.shape == shape


GOOD = idx_bytes(np.arange(12, dtype=np.int16).reshape(3, 4))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no IDX file"),
        (GOOD[:3], "no IDX file"),
        (b"\1" + GOOD[1:], "no IDX file"),
        (GOOD[:2] + b"\x0a" + GOOD[3:], "no IDX file"),
        (GOOD[:9], "cut short: the sizes of 2 axes"),
        (GOOD[:-1], r"cut short: shape \(3, 4\) of int16 is 24 bytes, got 23"),
        (GOOD + b"\0", "too long"),
        (GOOD[:4] + b"\xff" * 8 + GOOD[12:], "cut short"),
        (gzip.compress(GOOD, mtime=0)[:-9], "damaged gzip"),
        (gzip.compress(GOOD, mtime=0)[:20] + b"\xff" + gzip.compress(GOOD, mtime=0)[21:], "damaged gzip"),
        (gzip.compress(GOOD, mtime=0)[:-6] + b"\0" * 6, "damaged gzip"),
        (gzip.compress(GOOD[:-1], mtime=0), "cut short"),
    ],
)
def test_idx_refuses(tmp_path, content, message):
    path = tmp_path / "data.idx"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        datasets.load_idx(path)


def test_mnist_form(tmp_path):
    images = np.arange(5 * 6, dtype=np.uint8).reshape(5, 2, 3) * 8
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx_bytes(images))
    with pytest.raises(FileNotFoundError, match="train-labels-idx1-ubyte"):
        datasets.mnist(tmp_path, "train")
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx_bytes(np.arange(5, dtype=np.uint8))))
    x, y = datasets.mnist(tmp_path, "train")
    np.testing.assert_array_equal(x, images.reshape(5, 6).astype(np.float32) / np.float32(255))
    assert x.dtype == np.float32
    assert y.dtype == np.int64
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(idx_bytes(np.arange(4, dtype=np.uint8)))
    with pytest.raises(ValueError, match="images and labels"):
        datasets.mnist(tmp_path, "train")
    with pytest.raises(ValueError, match="part must be"):
        datasets.mnist(tmp_path, "valid")
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx_bytes(images[:2]))
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx_bytes(np.array([7, 8], np.uint8)))
    for test in (datasets.mnist(tmp_path), datasets.mnist(tmp_path, "test", dtype="float64")):
        np.testing.assert_array_equal(test.x.astype(np.float32), x[:2])
        assert test.y.tolist() == [7, 8]


IMAGES, LABELS = np.zeros((4, 2, 3), np.uint8), np.zeros(4, np.uint8)


@pytest.mark.parametrize(
    ("images", "labels", "words"),
    [
        (IMAGES.astype(np.int16), LABELS, "int16 (4, 2, 3) and uint8 (4,)"),
        (IMAGES.reshape(4, 6), LABELS, "uint8 (4, 6) and uint8 (4,)"),
        (IMAGES, LABELS.astype(np.int8), "uint8 (4, 2, 3) and int8 (4,)"),
        (IMAGES, LABELS[:3], "uint8 (4, 2, 3) and uint8 (3,)"),
        (IMAGES, LABELS[:, None], "uint8 (4, 2, 3) and uint8 (4, 1)"),
    ],
)
def test_images_and_labels_that_do_not_belong_together(tmp_path, said, images, labels, words):
    (tmp_path / "t10k-images.idx3-ubyte").write_bytes(idx_bytes(images))  # as some programs unpack them
    (tmp_path / "t10k-labels.idx1-ubyte.gz").write_bytes(gzip.compress(idx_bytes(labels)))
    assert said(lambda: datasets.mnist(tmp_path)) == (
        f"ValueError: images and labels must be uint8 of shapes (n, rows, columns) and (n,), got {words}"
    )


def test_mnist_images(mnist):
    x, y = datasets.mnist(mnist, dtype="float64")
    assert x.shape == (10_000, 784)
    np.testing.assert_array_equal(y[:10], [7, 2, 1, 0, 4, 1, 4, 9, 5, 9])
    assert abs(x.mean() - 0.1325) < 5e-5  # article.md 1.4
    assert abs(x.std() - 0.3105) < 5e-5
    assert abs(np.mean(x**2) - 0.1140) < 5e-5
    assert abs(np.mean(x[:100] ** 2) - 0.1019) < 5e-5


def test_csv(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text('\ufeffage, "kind" ,height\n1,cat, 2.5\n\n3,"a, dog",-4e1\n5,cat,0\n', encoding="utf-8")
    x, y = datasets.load_csv(path, "kind")
    np.testing.assert_array_equal(x, [[1, 2.5], [3, -40], [5, 0]])
    np.testing.assert_array_equal(y, [1, 0, 1])  # sorted: "a, dog", "cat"
    assert y.dtype == np.int64
    path.write_text("a;y\n1;2.0\n2;3\n")
    whole = datasets.load_csv(path, "y", delimiter=";")
    np.testing.assert_array_equal(whole.y, [2, 3])
    assert whole.y.dtype == np.int64
    path.write_text("a,y\n1,2.5\n2,3\n")
    assert datasets.load_csv(path, "y").y.dtype == np.float64


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "got an empty file"),
        ("a,b\n1,2\n", "target must name one column of a, b, got 'y'"),
        ("y,y\n1,2\n", "every column must have a name of its own, got y more than once"),
        ("a,b,a,y\n1,2,3,4\n", "every column must have a name of its own, got a more than once"),
        ("a;y\n1;2\n", "target must name one column of a;y, got 'y'; its cells seem to be separated by ';'"),
        ("a,y\n", "at least one row"),
        ("y\n1\n", "a column beside 'y'"),
        ("a,y\n1,2\n3\n", "line 3: must have 2 cells as the header, got 1"),
        ("a,y\n1,2\nx,3\n", "line 3, column 'a': must be a finite number, got 'x'"),
        ("a,y\n1,2\n,3\n", "line 3, column 'a': must be a finite number, got ''"),
        ("a,y\n1,2\nnan,3\n", "line 3, column 'a': must be a finite number, got 'nan'"),
        ("a,y\n1,2\n3,\n", "line 3, column 'y': must be a finite number or the name of a class, got ''"),
        ("a,y\n1,NaN\n", "column 'y'"),
    ],
)
def test_csv_refuses(tmp_path, content, message):
    path = tmp_path / "data.csv"
    path.write_text(content)
    with pytest.raises(ValueError, match=message):
        datasets.load_csv(path, "y")


def test_npz(tmp_path):
    path = tmp_path / "data.npz"
    np.savez(path, x=np.ones((4, 2, 3), np.uint8), y=np.array([0.0, 1, 2, 1]))
    x, y = datasets.load_npz(path)
    assert x.shape == (4, 6)
    assert x.dtype == np.float64
    assert y.dtype == np.int64
    np.savez_compressed(path, x=np.ones((4, 2), np.float32), y=np.full((4, 2), 0.5, np.float32))
    x, y = datasets.load_npz(path)
    assert x.dtype == np.float32
    assert y.shape == (4, 2)
    assert y.dtype == np.float32


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.ones((3, 2))}, "must hold arrays x and y, got x"),
        ({"x": np.ones(3), "y": np.ones(3)}, r"shapes \(n, features\) and \(n,\), n > 0, got \(3,\) and \(3,\)"),
        ({"x": np.ones((3, 2)), "y": np.ones(2)}, r"got \(3, 2\) and \(2,\)"),
        ({"x": np.ones((0, 2)), "y": np.ones(0)}, "n > 0"),
        ({"x": np.full((3, 2), np.nan), "y": np.ones(3)}, "x must hold finite real numbers"),
        ({"x": np.ones((3, 2)), "y": np.array(["a", "b", "c"])}, "y must hold finite real numbers"),
        ({"x": np.ones((3, 2), complex), "y": np.ones(3)}, "x must hold finite real numbers"),
        ({"x": np.array([[None]]), "y": np.ones(1)}, "no NPZ file with x and y"),
    ],
)
def test_npz_refuses(tmp_path, arrays, message):
    path = tmp_path / "data.npz"
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match=message):
        datasets.load_npz(path)


def test_npz_refuses_other_files(tmp_path):
    path = tmp_path / "data.npz"
    for content in (b"", b"hello", b"PK\3\4 nothing"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="no NPZ file with x and y"):
            datasets.load_npz(path)
    np.save(tmp_path / "one.npy", np.ones(3))
    with pytest.raises(ValueError, match="no NPZ file with x and y"):
        datasets.load_npz(tmp_path / "one.npy")
    with pytest.raises(FileNotFoundError):
        datasets.load_npz(tmp_path / "absent.npz")
