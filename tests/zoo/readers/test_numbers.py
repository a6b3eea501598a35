import io

import numpy as np
import pytest

from zoo import UserError
from zoo.readers.modality import modality
from zoo.readers.numbers import read_sequence

SEQUENCE = modality("sequence")


def test_a_sequence_is_an_array_or_lines_of_numbers(tmp_path):
    expected = np.array([[0.5, 1], [0.25, 0], [-2, 0]], "float32")
    np.save(tmp_path / "numbers.npy", expected.astype("float64"))
    (tmp_path / "numbers.csv").write_text("0.5,1\n0.25, 0\n-2,0\n")
    (tmp_path / "numbers.txt").write_text("0.5 1\n0.25 0\n-2 0")
    (tmp_path / "names.csv").write_text("x;y\n0.5;1\n\n.25;0\n-2;0\n")
    (tmp_path / "commas.csv").write_text("zeit;y\n0,5;1\n0,25;0\n-2;0,0\n")
    (tmp_path / "bare.csv").write_text("0,5;1,0\n0,25;0\n-2;0,0\n")
    (tmp_path / "tabs.tsv").write_text("\tx\n0,5\t1\n0.25\t0\n-2\t0\n")
    for name in ("numbers.npy", "numbers.csv", "numbers.txt", "names.csv", "commas.csv",
                 "bare.csv", "tabs.tsv"):  # fmt: skip
        found = SEQUENCE.read(str(tmp_path / name))
        assert found.dtype == np.float32 and np.array_equal(found, expected)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("0.5 1\n0.25", "as many numbers are needed on each line"),
        ("one two", "no sequence"),
        ("x,y\n0,1\n0,nan", "line 3 has 'nan', which is no number"),
        ("nan,1\n0,1", "line 1 has 'nan'"),
        ("0,1\n0,,1", "line 2 has ''"),
        ("x,y,z\n0,1\n2,3", "line 2 has 2, and line 1 has 3 names"),
        ("x\n0,1,2", "line 2 has '0,1,2', which is no number"),
        ("x,y\n0,1e300", "line 2 has '1e300', which is .* too large"),
        ("x,y", "no line of numbers"),
        ("\n", "empty"),
        ('"1,234.5","2"', "'1,234.5', which is no number"),
        ("1\n1_000", "'1_000', which is no number"),
    ],
)
def test_sequences_that_cannot_be_read(tmp_path, content, said):
    (tmp_path / "numbers.csv").write_text(content)
    with pytest.raises(UserError, match=said):
        SEQUENCE.read(str(tmp_path / "numbers.csv"))


@pytest.mark.parametrize(
    ("array", "said"),
    [
        ([[1.0], [np.inf]], "no number at time step 1"),
        ([["a"]], "numbers"),
        ([[1e300]], "too large"),
        ([[None]], "holds objects"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_arrays_without_numbers_are_refused(tmp_path, array, said):
    np.save(tmp_path / "steps.npy", np.array(array))
    with pytest.raises(UserError, match=said):
        SEQUENCE.read(str(tmp_path / "steps.npy"))


@pytest.mark.parametrize("text", ["sep=|\n1|2,5", '"a";"b"\n"1";"2,5"', "a|b\n1|2.5", '"1","2,5"'])
def test_numbers_in_quotation_marks_and_other_separators_are_read(tmp_path, text):
    (tmp_path / "numbers.csv").write_text(text)
    assert SEQUENCE.read(str(tmp_path / "numbers.csv")).tolist() == [[1.0, 2.5]]


def test_columns_that_are_only_numbered_are_no_time_step(tmp_path):
    path = tmp_path / "frame.csv"
    path.write_text("0,1,2\n0.5,1.0,2.5\n0.0,1.0,2.0\n")
    assert read_sequence(path).tolist() == [[0.5, 1.0, 2.5], [0.0, 1.0, 2.0]]
    path.write_text(",0,1\n0,0.5,1.0\n")
    assert read_sequence(path).tolist() == [[0.0, 0.5, 1.0]]
    path.write_text("0,1\n0.5,1\n")
    assert read_sequence(path).tolist() == [[0.0, 1.0], [0.5, 1.0]]


def test_columns_are_read_alike_from_files_and_streams(tmp_path):
    path, columns = tmp_path / "numbers.csv", ["b", "a"]
    path.write_text("when,a,b\nnow,1,2\nlater,3,4\n")
    expected = [[2.0, 1.0], [4.0, 3.0]]
    assert SEQUENCE.read(str(path), columns=columns).tolist() == expected
    assert SEQUENCE.read(path.read_bytes(), columns=columns).tolist() == expected
    for pieces in (
        SEQUENCE.pieces(path, columns=columns),
        SEQUENCE.standard_input(io.BytesIO(path.read_bytes()), columns=columns),
    ):
        assert np.concatenate([*pieces]).tolist() == expected
    with pytest.raises(UserError, match="line 2 has 'now', which is no number"):
        SEQUENCE.read(str(path))


@pytest.mark.parametrize("array", [[1.0, 2.0, 3.0], [[[1.0], [2.0], [3.0]]]])
def test_one_value_a_step_and_a_batch_of_one_are_sequences(tmp_path, array):
    np.save(tmp_path / "steps.npy", np.array(array))
    for source in (str(tmp_path / "steps.npy"), np.array(array)):
        assert SEQUENCE.read(source).tolist() == [[1.0], [2.0], [3.0]]


def test_a_sequence_of_more_axes_is_refused(tmp_path):
    np.save(tmp_path / "clip.npy", np.ones((2, 3, 4)))
    with pytest.raises(UserError, match=r"shape \[2, 3, 4\], not \[T, D\]"):
        SEQUENCE.read(str(tmp_path / "clip.npy"))


def test_arrays_and_bytes_are_sequences_like_files(tmp_path):
    expected = np.array([[0.5, 1], [2, 3]], "float32")
    file = io.BytesIO()
    np.save(file, expected)
    for source in (expected.astype("float64"), b"x,y\n0.5,1\n2,3\n", file.getvalue()):
        assert np.array_equal(SEQUENCE.read(source), expected)
    with pytest.raises(
        UserError, match=r"the array holds an array of shape \[2, 1, 2\], not \[T, D\]"
    ):
        SEQUENCE.read(expected[:, None])
    with pytest.raises(UserError, match="no line of numbers"):
        SEQUENCE.read(b"\n")
    with pytest.raises(UserError, match="int is no sequence that can be read"):
        SEQUENCE.read(3)
