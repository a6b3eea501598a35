import pytest

from zoo import UserError
from zoo.utils.optional_packages import need


def test_what_is_there_is_imported():
    need("a table", "plots", numpy="numpy.linalg")


@pytest.mark.parametrize(
    ("module", "said"),
    [
        (
            "no_such_module.part",
            r'^A table needs some-package: pip install "sequence-zoo\[plots\]"$',
        ),
        (
            "broken_module",
            r"some-package, which cannot be imported \(no libthing\.so\): pip install ",
        ),
        ("half_module", r"which cannot be imported \(No module named 'not_there'\): pip install -"),
    ],
)
def test_what_is_missing_or_broken_is_named(tmp_path, monkeypatch, module, said):
    (tmp_path / "broken_module.py").write_text("raise OSError('no\\nlibthing.so')")
    (tmp_path / "half_module.py").write_text("import not_there")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserError, match=said) as error:
        need("A table", "plots", some_package=module)
    assert "\n" not in str(error.value)
