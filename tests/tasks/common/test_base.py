from tasks.common.base import hash_examples, hash_files


def test_a_fingerprint_is_of_what_the_examples_say(data_dir, tmp_path):
    one = hash_examples("digits", "test", data_dir)
    # Prepared again, somewhere else.
    assert one == hash_examples("digits", "test", str(tmp_path))
    assert one != hash_examples("digits", "validation", data_dir)


def test_a_fingerprint_of_files_is_of_names_and_contents(tmp_path):
    def write(folder, **files):
        (tmp_path / folder / "in").mkdir(parents=True)
        for name, text in files.items():
            (tmp_path / folder / "in" / name).write_text(text)
        return hash_files(tmp_path / folder)

    first = write("a", x="1", y="2")
    assert first == write("b", x="1", y="2")
    (tmp_path / "b" / ".hidden").write_text("3")
    assert first == hash_files(tmp_path / "b")
    assert len({first, write("c", x="2", y="1"), write("d", x="1", z="2"), write("e", x="12")}) == 4
    assert hash_files(tmp_path / "a" / "in" / "x") == hash_files(tmp_path / "b" / "in" / "x")
