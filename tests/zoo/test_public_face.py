"""What people see of the zoo: `dir(zoo)` holds what is meant for them, and nothing else."""

import inspect

import pytest

import zoo


def test_dir_shows_what_is_meant_for_people():
    assert dir(zoo) == sorted(zoo.__all__)
    assert not [name for name in dir(zoo) if name.startswith("_")]


@pytest.mark.parametrize("name", zoo.__all__)
def test_what_is_shown_is_the_zoos_own_and_says_what_it_is(name):
    thing = getattr(zoo, name)
    assert thing.__module__.startswith("zoo.") and inspect.getdoc(thing)


def test_what_there_is_not_is_no_attribute():
    with pytest.raises(AttributeError, match="has no attribute 'fti'"):
        _ = zoo.fti
