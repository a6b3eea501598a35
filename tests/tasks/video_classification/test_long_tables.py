import os
from collections import Counter

import numpy as np
import pytest

import zoo
from tasks.video_classification.clips import OwnClips, Reading
from tasks.video_classification.sources import find_clips
from zoo import UserError
from zoo.readers.numbers import number_pieces, read_sequence

SPLITS = ("train", "validation", "test")


def write(path, names, rows):
    lines = [",".join(map(str, row)) for row in [names.split(","), *rows]]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def movements(count=24, seed=1):
    """Of each its name, its class and its `[T, 2]` numbers."""
    rng = np.random.default_rng(seed)
    for n in range(count):
        steps = rng.normal(size=(rng.integers(3, 7), 2)).round(3)
        yield f"m{n}", "up" if n % 2 else "down", steps


def rows_of(sequences):
    return [
        (name, t, x, y, label) for name, label, steps in sequences for t, (x, y) in enumerate(steps)
    ]


def all_clips(source):
    """The bytes of the steps of each clip in any split, with its class."""
    width = source.frame_shape()[0]
    reading = Reading((width,))
    return Counter(
        (clips.clip(index).tobytes(), source.classes[label])
        for split in SPLITS
        for clips in [source.clips(split, reading, source.classes)]
        for index, label in enumerate(clips.labels)
    )


def expected(sequences):
    return Counter((steps.astype("float32").tobytes(), label) for _, label, steps in sequences)


@pytest.mark.parametrize("name", ["id", "Sequence", "series_id", "trial", "Recording ID"])
@pytest.mark.parametrize("form", ["in order", "shuffled", "interleaved"])
def test_rows_of_one_name_are_a_sequence_in_the_order_of_time(tmp_path, capsys, name, form):
    sequences = [*movements()]
    rows = rows_of(sequences)
    if form == "shuffled":
        np.random.default_rng(2).shuffle(rows)
    elif form == "interleaved":
        rows.sort(key=lambda row: row[1])
    path = write(tmp_path / "all.csv", f"{name},time,x,y,label", rows)
    source = OwnClips(str(path), str(tmp_path))
    assert source.classes == ["down", "up"] and source.columns == ["x", "y"]
    assert all_clips(source) == expected(sequences)
    said = f"24 sequences, told apart by {name}, their rows in the order of time; of each row x, y"
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "times",
    [
        ["2024-03-01 10:00:00.020", "2024-03-01 10:00:00.040", "2024-03-01 10:00:00.100"],
        ["2024-03-01T10:00:00Z", "2024-03-01T10:00:01Z", "2024-03-02T00:00:00Z"],
        ["01.02.2024 10:00", "01.02.2024 10:10", "13.02.2024 09:00"],
        ["2", "10", "1e3"],
    ],
)
def test_times_are_numbers_or_dates(tmp_path, times):
    rows = [(n, times[t], n + t / 10, "ab"[n % 2]) for t in (2, 0, 1) for n in range(8)]
    path = write(tmp_path / "all.csv", "id,timestamp,x,label", rows)
    steps = [(n, "ab"[n % 2], np.array([[n], [n + 0.1], [n + 0.2]])) for n in range(8)]
    assert all_clips(OwnClips(str(path), str(tmp_path))) == expected(steps)


def test_without_times_rows_stay_as_they_are(tmp_path, capsys):
    sequences = [*movements()]
    rows = [(name, x, y, label) for name, _, x, y, label in rows_of(sequences)]
    path = write(tmp_path / "all.csv", "id,x,y,label", rows)
    assert all_clips(OwnClips(str(path), str(tmp_path))) == expected(sequences)
    assert "their rows as they stand" in capsys.readouterr().err


def test_tables_of_json_and_of_semicolons_and_decimal_commas_are_read(tmp_path):
    sequences = [*movements()]
    rows = [(name, t / 50, *others) for name, t, *others in rows_of(sequences)]
    names = ("id", "time", "x", "y", "label")
    comma = "\n".join(";".join(str(cell).replace(".", ",") for cell in row) for row in rows)
    (tmp_path / "all.csv").write_text(";".join(names) + "\n" + comma, encoding="utf-8")
    objects = [str(dict(zip(names, row))).replace("'", '"') for row in rows]
    objects = [line.replace("np.float64(", "").replace(")", "") for line in objects]
    (tmp_path / "all.jsonl").write_text("\n".join(objects), encoding="utf-8")
    for name in ("all.csv", "all.jsonl"):
        assert all_clips(OwnClips(str(tmp_path / name), str(tmp_path))) == expected(sequences)


def test_tables_of_parquet_are_read(tmp_path, write_parquet):
    sequences = [*movements()]
    rows = [(name, f"{t:03}", *others) for name, t, *others in rows_of(sequences)]
    columns = dict(zip(("id", "time", "x", "y", "label"), map(list, zip(*rows))))
    columns["time"] = np.array([f"2024-03-01T10:00:00.{t}" for t in columns["time"]], "M8[ns]")
    path = write_parquet(tmp_path / "all.parquet", columns)
    assert all_clips(OwnClips(str(path), str(tmp_path))) == expected(sequences)


def test_a_table_in_shards_is_read_as_one_and_again_when_one_changes(tmp_path, write_shards):
    sequences = [*movements()]
    columns = dict(zip(("id", "time", "x", "y", "label"), map(list, zip(*rows_of(sequences)))))
    write_shards(tmp_path / "all/data", "train", columns)
    for path in (tmp_path / "all", tmp_path / "all/data/train-00001-of-00003.parquet"):
        assert all_clips(OwnClips(str(path), str(tmp_path))) == expected(sequences)
    first = tmp_path / "all/data/train-00000-of-00003.parquet"
    before = first.stat()
    columns["x"] = [x if n % 3 < 2 else x + 1 for n, x in enumerate(columns["x"])]
    write_shards(tmp_path / "all/data", "train", columns)
    os.utime(first, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert all_clips(OwnClips(str(tmp_path / "all"), str(tmp_path))) != expected(sequences)


def test_a_name_counts_anew_in_each_group_and_split(tmp_path):
    rows = [
        (person, trial, t, person + trial / 10 + t / 100, "ab"[trial])
        for person in range(10)
        for trial in range(2)
        for t in range(3)
    ]
    path = write(tmp_path / "all.csv", "subject,trial,t,x,label", rows)
    clips = find_clips(path)
    assert len(clips) == 20 and Counter(clip.group for clip in clips) == {
        str(person): 2 for person in range(10)
    }
    source = OwnClips(str(path), str(tmp_path))
    assert source.columns == ["x"]
    people = [
        {int(source.clips(split, Reading((1,)), source.classes).steps[start, 0])
         for start in source.clips(split, Reading((1,)), source.classes).starts}
        for split in SPLITS
    ]  # fmt: skip
    assert sum(map(len, people)) == 10 == len(set.union(*people))
    rows = [(split, n, t, "ab"[n]) for split in ("train", "test") for n in range(2) for t in "12"]
    clips = find_clips(write(tmp_path / "b.csv", "split,id,x,label", rows))
    assert [clip.split for clip in clips] == ["train", "train", "test", "test"]


def test_a_group_in_two_splits_is_refused(tmp_path):
    rows = [
        (n, "ann", "train" if n < 4 else "test", t, "ab"[n % 2]) for n in range(8) for t in "12"
    ]
    path = write(tmp_path / "all.csv", "id,subject,split,x,label", rows)
    with pytest.raises(UserError, match="has the subject ann in train and in test"):
        find_clips(path)


def test_equal_sequences_stay_together_where_nothing_says_what_does(tmp_path):
    sequences = [*movements(10)]
    twice = [(f"again {name}", label, steps) for name, label, steps in sequences]
    path = write(tmp_path / "all.csv", "id,time,x,y,label", rows_of([*sequences, *twice]))
    groups = [clip.group for clip in find_clips(path)]
    assert groups[:10] == groups[10:] and len({*groups}) == 10


def test_an_index_of_rows_is_no_measurement(tmp_path):
    rows = [(at, at, *row) for at, row in enumerate(rows_of(movements()))]
    path = write(tmp_path / "all.csv", ",id,trial,time,x,y,label", rows)
    assert OwnClips(str(path), str(tmp_path)).columns == ["x", "y"]


def test_columns_choose_what_is_read_and_others_may_be_texts(tmp_path):
    rows = [(*row, "left") for row in rows_of(movements())]
    path = write(tmp_path / "all.csv", "id,time,x,y,label,side", rows)
    with pytest.raises(UserError, match=r"line 2: side is 'left', .* such as columns=x,y$"):
        OwnClips(str(path), str(tmp_path))
    for columns in (["y"], ["4"]):
        source = OwnClips(str(path), str(tmp_path), columns)
        ys = [(name, label, steps[:, 1:]) for name, label, steps in movements()]
        assert all_clips(source) == expected(ys) and source.columns == ["y"]
    with pytest.raises(UserError, match="but no column z"):
        OwnClips(str(path), str(tmp_path), ["z"])


def test_a_column_that_gives_the_class_away_is_refused(tmp_path, capsys):
    rows = [(*row, int(row[4] == "up"), int(row[0][1:]) // 2) for row in rows_of(movements())]
    path = write(tmp_path / "all.csv", "id,time,x,y,activity,kind,place", rows)
    with pytest.raises(
        UserError, match=r"kind is the same .* leave the answer out with columns=x,y"
    ):
        OwnClips(str(path), str(tmp_path))
    capsys.readouterr()
    OwnClips(str(path), str(tmp_path), ["x", "place"])
    assert "place never changes within a sequence" in capsys.readouterr().err


LABELLED = [(name, t, x, label) for name, t, x, _, label in rows_of(movements())]


@pytest.mark.parametrize(
    ("names", "change", "message"),
    [
        ("id,time,x,label", lambda row: (row[0], *row[1:3], "ab"[row[1] % 2]), "has one class"),
        ("id,time,x,label", lambda row: (*row[:3], ""), "the label of sequence m0 is empty"),
        ("id,time,x,label", lambda row: ("", *row[1:]), "line 2: id is empty"),
        ("id,time,x,label", lambda row: (*row[:2], "", row[3]), "line 2: x is empty"),
        ("id,time,x,label", lambda row: (*row[:2], "nan", row[3]), "line 2: x is empty"),
        ("id,time,x,label", lambda row: (*row[:2], "1.2.3", row[3]), "is '1.2.3', which is no num"),
        ("id,time,x,label", lambda row: (row[0], "", *row[2:]), "line 2: time is empty"),
        ("id,time,x,label", lambda row: (row[0], "soon", *row[2:]), "time says the order of rows"),
        ("id,trial,x,label", lambda row: row, "the columns trial and id, of which each may say"),
        ("id,split,x,label", lambda row: (row[0], "third", *row[2:]), "has the split 'third'"),
        ("id,user,x,label", lambda row: (row[0], "", *row[2:]), "line 2: user is empty"),
        ("id,time,person,label", lambda row: row, "has no columns of what was measured"),
    ],
)
def test_what_is_not_understood_is_refused(tmp_path, names, change, message):
    path = write(tmp_path / "all.csv", names, map(change, LABELLED))
    with pytest.raises(UserError, match=message):
        OwnClips(str(path), str(tmp_path))


def test_two_sequences_of_one_name_are_refused(tmp_path):
    rows = LABELLED + [("m0", *row[1:]) for row in LABELLED if row[0] == "m2"]
    path = write(tmp_path / "timed.csv", "id,time,x,label", rows)
    with pytest.raises(UserError, match=r"id m0 has one time in lines .* two sequences of one id"):
        find_clips(path)
    rows = [(name, x, label) for name, _, x, label in rows]
    with pytest.raises(UserError, match="id m0 stands apart, such as in lines 5 and"):
        find_clips(write(tmp_path / "bare.csv", "id,x,label", rows))


def test_a_table_whose_rows_are_all_told_apart_is_refused(tmp_path):
    rows = [(n, n, "ab"[n % 2]) for n in range(8)]
    with pytest.raises(UserError, match="id is another on each row"):
        find_clips(write(tmp_path / "all.csv", "id,x,label", rows))


def test_a_table_that_names_files_stays_one(tmp_path):
    for n in range(4):
        write(tmp_path / f"{n}.csv", "x,y", [(n, 1), (n, 2)])
    rows = [(n, f"{n}.csv", "ab"[n % 2]) for n in range(4)]
    clips = find_clips(write(tmp_path / "index.csv", "id,path,label", rows))
    assert [clip.path.name for clip in clips] == ["0.csv", "1.csv", "2.csv", "3.csv"]


def test_a_file_of_several_sequences_is_not_taken_for_one(tmp_path):
    path = write(tmp_path / "two.csv", "id,x,y", [(1, 2, 3), (1, 4, 5), (2, 6, 7), (2, 8, 9)])
    message = "holds several sequences: line 4 is of 2, and those before of 1, as id says"
    with pytest.raises(UserError, match=message):
        read_sequence(path, ["x", "y"])
    rows = [("ann", 1, 2), ("ann", 1, 3), ("ben", 1, 4)]
    path = write(tmp_path / "people.csv", "person,trial,x", rows)
    with pytest.raises(UserError, match="line 4 is of 1, ben, and those before of 1, ann, as"):
        read_sequence(path, ["x"])
    counted = write(tmp_path / "one.csv", "id,x,y", [(1, 2, 3), (2, 4, 5), (3, 6, 7)])
    assert read_sequence(counted, ["x", "y"]).tolist() == [[2, 3], [4, 5], [6, 7]]


def test_lines_without_names_are_read_in_the_order_of_the_columns():
    (rows,) = number_pieces(["1,2\n3,4\n"], "a test", ["x", "y"])
    assert rows.tolist() == [[1, 2], [3, 4]]
    with pytest.raises(UserError, match="no column x"):
        [*number_pieces(["1,2,3\n"], "a test", ["x", "y"])]


@pytest.mark.slow
def test_a_model_learns_from_a_table_and_answers_for_a_part_of_it(tmp_path):
    rng = np.random.default_rng(0)
    rows = []
    for n in range(60):
        slope = 1 if n % 2 else -1
        rows += [(n, t, round(slope * t + rng.normal() / 10, 3), "ab"[n % 2]) for t in range(8)]
    path = write(tmp_path / "all.csv", "id,time,x,label", rows)
    run = zoo.fit(
        "sequence-gru",
        dataset=path,
        runs=tmp_path,
        epochs=1,
        units=8,
        layers=1,
        learning_rate=0.03,
        verbose=False,
    )
    one = write(tmp_path / "one.csv", "time,x,other", [(t, t, "text") for t in range(8)])
    answers = zoo.predict(run.path, [one, np.arange(8.0), b"0\n-1\n-2\n-3\n-4\n-5\n-6\n-7\n"])
    assert [answer["text"] for answer in answers] == ["b", "b", "a"]
    with pytest.raises(UserError, match="holds several sequences"):
        zoo.predict(run.path, [path])
    path.unlink()
    assert zoo.predict(run.path, [one]) == answers[:1]
