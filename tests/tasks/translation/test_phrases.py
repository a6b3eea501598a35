import datetime
import re
import unicodedata
from decimal import Decimal
from functools import partial

import pytest
from babel import UnknownLocaleError

from tasks.translation.dataset import LANGUAGES
from tasks.translation.phrases import (
    KINDS,
    MAX_LENGTH,
    SIZES,
    countries,
    currencies,
    languages,
    normalise,
    phrases,
    say_amount,
    say_country,
    say_date,
    say_distance,
    say_language,
    say_list,
    say_measure,
    say_moment,
)

MOMENT = datetime.datetime(1999, 1, 5, 17, 8)


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request):
    return request.param


@pytest.fixture(scope="module")
def splits(language):
    return phrases(language)


def everything(splits):
    return [phrase for split in splits.values() for phrase in split]


@pytest.mark.slow
def test_splits_have_the_promised_sizes_and_each_kind_its_share(splits):
    for split, size in SIZES.items():
        assert len(splits[split]) == size
        for kind, (share, _) in KINDS.items():
            assert sum(phrase.kind == kind for phrase in splits[split]) == share * size


def test_no_source_and_no_target_occurs_twice_in_any_split(splits):
    found = everything(splits)
    assert len({phrase.source for phrase in found}) == len(found)
    assert len({phrase.target for phrase in found}) == len(found)


def test_every_name_in_validation_and_test_occurs_in_train(splits):
    known = {name for phrase in splits["train"] for name in phrase.names}
    for split in ("validation", "test"):
        assert {name for phrase in splits[split] for name in phrase.names} <= known


@pytest.mark.parametrize("side", ["source", "target"])
def test_every_word_and_every_other_character_in_test_occurs_in_train(splits, side):
    def pieces(split):
        texts = "\n".join(getattr(phrase, side) for phrase in splits[split])
        return set(re.findall(r"[A-Za-zÀ-ɏ]+|\S", texts))

    assert pieces("test") <= pieces("train")


def test_a_date_form_always_reads_the_same(splits):
    """ "May 5, 1999" is the long and the medium English form: only one of them is meant."""
    mays = [p for p in splits["train"] if p.kind == "date" and p.source.startswith("May ")]
    assert len({name for phrase in mays for name in phrase.names}) == 3


def test_texts_are_short_normalised_and_plainly_spaced(splits):
    for phrase in everything(splits):
        for text in (phrase.source, phrase.target):
            assert 0 < len(text) <= MAX_LENGTH
            assert text == " ".join(text.split())
            assert unicodedata.is_normalized("NFC", text)
            assert all(c == " " or unicodedata.category(c)[0] not in "ZC" for c in text)


def test_numbers_are_the_same_on_both_sides_of_amounts_and_measures(splits):
    for phrase in everything(splits):
        if phrase.kind in ("money", "measure"):
            digits = [re.sub(r"\D", "", text) for text in (phrase.source, phrase.target)]
            assert digits[0] == digits[1]


def test_names_are_unique_and_short_in_both_languages(language):
    for codes, say in ((countries, say_country), (languages, say_language)):
        for locale in ("en", language):
            names = [say(code, locale) for code in codes(language)]
            assert len(names) > 150
            assert len(set(names)) == len(names)
            assert not [name for name in names if not name or "," in name or len(name) > 24]


def test_currencies_without_a_name_in_both_languages_are_left_out(language):
    assert "EUR" in currencies(language)
    assert "XCG" not in currencies("de") and "ZWG" not in currencies("fr")


def test_smaller_splits_keep_the_promises():
    splits = phrases("fr", {"train": 400, "test": 100})
    known = {name for phrase in splits["train"] for name in phrase.names}
    assert (len(splits["train"]), len(splits["test"])) == (400, 100)
    assert all(known.issuperset(phrase.names) for phrase in splits["test"])


def test_composing_twice_gives_the_same_phrases():
    assert phrases("de", {"train": 300}) == phrases("de", {"train": 300})


def test_a_language_that_babel_does_not_know_is_refused():
    with pytest.raises(UnknownLocaleError, match="tlh"):
        phrases("tlh", {"train": 10})


@pytest.mark.parametrize(
    "form, texts",
    [
        ("long", ["January 5, 1999", "5 janvier 1999", "5. Januar 1999", "1999年1月5日"]),
        ("full", ["Tuesday, January 5, 1999", "mardi 5 janvier 1999", "Dienstag, 5. Januar 1999",
                  "1999年1月5日星期二"]),
        ("yMd", ["1/5/1999", "05/01/1999", "5.1.1999", "1999/1/5"]),
        ("MMMMd", ["January 5", "5 janvier", "5. Januar", "1月5日"]),
    ],
)  # fmt: skip
def test_dates_by_hand(form, texts):
    assert [say_date(MOMENT, form, locale) for locale in ("en", "fr", "de", "zh")] == texts


def test_other_phrases_by_hand():
    assert say_moment(MOMENT, "long", "fr") == "5 janvier 1999, 17:08"
    assert say_distance(3, "week", "fr") == "dans 3 semaines"
    assert say_distance(-1, "day", "de") == "vor 1 Tag"
    assert normalise(say_measure(Decimal("2.5"), "length-meter", "fr")) == "2,5 mètres"
    assert say_measure(3, "length-kilometer", "zh") == "3公里"
    assert say_amount(1, "CHF", "en") == "1 Swiss franc"
    assert normalise(say_amount(1250, "CHF", "fr")) == "1 250 francs suisses"


def test_lists_by_hand():
    latin = [partial(say_country, code) for code in ("FR", "ES", "IT")]
    assert say_list(latin, "standard", "en") == "France, Spain, and Italy"
    assert say_list(latin, "standard", "fr") == "France, Espagne et Italie"
    assert say_list(latin[:2], "or", "de") == "Frankreich oder Spanien"
    assert say_list(latin, "or", "zh") == "法国、西班牙或意大利"


def test_spanish_lists_avoid_the_conjunctions_that_need_another_form():
    targets = [phrase.target for phrase in phrases("es", {"train": 4_000})["train"]]
    assert any(" y E" in target for target in targets)
    assert not any(" y I" in target or " o O" in target for target in targets)
