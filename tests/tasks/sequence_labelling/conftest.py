import gzip

import pytest

WORDS = {
    "DET": ("the", "a", "every"),
    "NOUN": ("dog", "cat", "house", "tree", "walker"),
    "VERB": ("sees", "walks", "likes"),
    "PUNCT": (".",),
}
ORDER = ("DET", "NOUN", "VERB", "DET", "NOUN", "PUNCT")


def grammatical(count):
    """So many sentences of the same order of tags, in other words."""
    for number in range(count):
        yield [(WORDS[tag][(number * 7 + n) % len(WORDS[tag])], tag) for n, tag in enumerate(ORDER)]


def as_conllu(sentences):
    """Sentences as a treebank writes them, with all that is to be left out."""
    lines = []
    for number, sentence in enumerate(sentences):
        lines += [f"# sent_id = {number}", "1-2\tdont\t" + "_\t" * 7 + "_"]
        for place, (word, tag) in enumerate(sentence, start=1):
            lines.append(f"{place}\t{word}\t{word}\t{tag}\tX{tag[0]}\t_\t0\troot\t_\t_")
        lines += ["6.1\tghost\t" + "_\t" * 7 + "_", ""]
    return "\n".join(lines) + "\n"


@pytest.fixture
def conllu():
    """The text of the sentences from one number to another."""
    return lambda begin, end: as_conllu(list(grammatical(end))[begin:])


@pytest.fixture(scope="session")
def treebank(tmp_path_factory):
    """A folder of CoNLL-U in three parts, as the Universal Dependencies name them."""
    folder = tmp_path_factory.mktemp("UD_Toy")
    made = list(grammatical(40))
    for part, some in (("train", made[:30]), ("dev", made[30:35]), ("test", made[35:])):
        text = as_conllu(some).encode()
        with gzip.open(folder / f"en_toy-ud-{part}.conllu.gz", "wb") as file:
            file.write(text)
    (folder / "en_toy-ud-train.txt").write_text("The text itself.\n")
    (folder / "README.md").write_text("For training and test.\n")
    return folder


CONLL = """-DOCSTART- -X- -X- O

EU NNP I-NP I-ORG
rejects VBZ I-VP O
German JJ I-NP I-MISC
call NN I-NP O
. . O O

Peter NNP I-NP I-PER
Blackburn NNP I-NP I-PER
Anna NNP I-NP B-PER

"""


@pytest.fixture(scope="session")
def conll(tmp_path_factory):
    """A folder with three parts as those of CoNLL-2003, in the scheme IOB1."""
    folder = tmp_path_factory.mktemp("conll")
    for part in ("train", "testa", "testb"):
        (folder / f"eng.{part}").write_text(CONLL)
    return folder
