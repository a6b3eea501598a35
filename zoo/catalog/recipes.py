"""Published results to reproduce, one entry each. Imports no TensorFlow.

A recipe names a model of the catalog, what differs from its defaults, the data, and the metrics
that somebody published for them, with where and of what.
"""

import os
from collections.abc import Mapping

from zoo.catalog.forecast_recipes import FORECAST_RECIPES
from zoo.catalog.recipe import Published, Recipe
from zoo.errors import UserError
from zoo.registry import unknown
from zoo.utils.files import data_folder

_PENN = (
    "the Penn Treebank as T. Mikolov prepared it (10,000 words, ptb.train.txt, ptb.valid.txt and "
)
_ADVICE = "ptb.test.txt, in his simple-examples.tgz): give --dataset FOLDER/ptb.train.txt"
_MNIST = "MNIST, prepared by `tfds build mnist`: give --data-dir FOLDER"

_RECIPES = (
    Recipe(
        "zaremba-small",
        "Two LSTM layers of 200, no dropout, SGD with a falling rate, on the Penn Treebank.",
        model="word-lstm-zaremba-small",
        published=(
            Published("perplexity", "train", 37.99, running=True),
            Published("perplexity", "validation", 121.39),
            Published("perplexity", "test", 115.91),
        ),
        source="ptb_word_lm.py of TensorFlow's models, which reproduces W. Zaremba et al., "
        "arXiv:1409.2329 (there, validation 120.7 and test 114.5)",
        data="Penn Treebank",
        get=_PENN + _ADVICE,
        words=929_589,
        overrides={"unit": "token"},
    ),
    Recipe(
        "zaremba-medium",
        "Two LSTM layers of 650, half of their inputs dropped, SGD, on the Penn Treebank.",
        model="word-lstm-zaremba-medium",
        published=(
            Published("perplexity", "validation", 86.2),
            Published("perplexity", "test", 82.7),
        ),
        source="W. Zaremba, I. Sutskever, O. Vinyals, arXiv:1409.2329, table 1",
        data="Penn Treebank",
        get=_PENN + _ADVICE,
        words=929_589,
        overrides={"unit": "token"},
    ),
    Recipe(
        "pytorch-word-lm",
        "Two LSTM layers of 200, input and output weights tied, 6 epochs of WikiText-2.",
        model="word-lstm-pytorch",
        published=(Published("perplexity", "test", 130.32),),
        source="a user of PyTorch's examples/word_language_model with `--epochs 6 --tied`, "
        "github.com/pytorch/examples/issues/415; the example itself tells no figure",
        data="WikiText-2",
        get="WikiText-2 (train, valid and test, words of S. Merity et al., arXiv:1609.07843): give "
        "--dataset FOLDER/train.txt, with the other two beside it",
        words=2_088_628,
        overrides={"unit": "token"},
    ),
    Recipe(
        "char-shakespeare",
        "Characters of Shakespeare through an LSTM, against a small Transformer's figure.",
        model="char-lstm-shakespeare",
        # 1.4697 nats, in bits, of both splits together.
        published=(
            Published("bits_per_character", "validation", 2.1203),
            Published("bits_per_character", "test", 2.1203),
        ),
        source="A. Karpathy's nanoGPT, README: the best validation loss, 1.4697 nats, of a 6-layer "
        "character Transformer on the same text",
        data="tiny_shakespeare",
        dataset="tiny_shakespeare",
        get="tiny_shakespeare, prepared by `tfds build tiny_shakespeare`: give --data-dir FOLDER",
        overrides={"patience": 100},
        note="Theirs is a Transformer, not an LSTM. Its figure is of the last tenth, of which "
        "tensorflow-datasets makes validation and test, half each: compare the mean of both.",
    ),
    Recipe(
        "addition",
        "Sums of numbers of up to three digits through an LSTM that reads them from their end.",
        model="translate-lstm",
        published=(Published("exact_match", "test", 0.99),),
        source="Keras' example addition_rnn: three digits, reversed, one layer of 128 units, "
        "50,000 sums, 99 % train and test accuracy in 100 epochs",
        data="addition/3",
        dataset="addition/3",
        overrides={
            "units": 128,
            "embedding": 16,
            "max_length": 16,
            "epochs": 15,
            "batch_size": 128,
            "learning_rate": 0.005,
            "patience": 15,
        },
        minutes=3,
        note="Keras counts right characters; exact_match asks for more, whole sums. The decoder "
        "sees its last digit, which that of Keras does not.",
    ),
    Recipe(
        "translate-gru-attention",
        "German to English through a GRU with additive attention, on 29,000 pairs of sentences.",
        model="translate-gru-attention",
        published=(Published("perplexity", "test", 25.6), Published("bleu", "test", 28.3)),
        source="B. Trevett's tutorials 3 and 4, github.com/bentrevett/pytorch-seq2seq: a GRU of "
        "512 with additive attention, embeddings of 256, 10 epochs; versions of them tell "
        "perplexities from 23.2 to 25.6 and BLEU from 28.3 to 28.8",
        data="Multi30k",
        get="Multi30k, German to English, 29,000 pairs, one file a language and split "
        "(de.train.txt, en.train.txt, de.val.txt, en.val.txt, de.test.txt and en.test.txt, or "
        "train.de and so on): give --dataset FOLDER",
        overrides={
            "unit": "word",
            "lowercase": True,
            "minimum_count": 2,
            "beam_width": 5,
            "epochs": 10,
            "dropout": 0.4,
            "label_smoothing": 0.1,
            "learning_rate": 0.002,
            "patience": 10,
        },
        note="Their perplexity is of a model that reads its own words, ours of one that reads the "
        "right ones, which is easier. Their BLEU is of words in lower case, which bleu_lowercase "
        "compares with; bleu is of whole texts, capital letters given back, searched with a beam "
        "of 5, where theirs is greedy.",
    ),
    Recipe(
        "adding",
        "The sum of two marked ones of 100 numbers through an LSTM.",
        model="adding-lstm",
        published=(Published("accuracy", "test", 0.9996),),
        source="S. Hochreiter and J. Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735, experiment "
        "4, T = 100: one of 2,560 test sequences missed by more than 0.04",
        data="adding/100",
        dataset="adding/100",
        minutes=10,
        note="They halve the sum, so that 0.04 is twice as wide there, mark both numbers in the "
        "first half, and have 93 weights.",
    ),
    Recipe(
        "mnist-rows",
        "MNIST row by row, 28 steps of 28 pixels, through an LSTM of 128.",
        model="rows-lstm",
        published=(Published("accuracy", "test", 0.9864),),
        source="Keras' example mnist_hierarchical_rnn, after 5 epochs: an LSTM of 128 over rows, "
        "each read by another LSTM of 128",
        data="mnist",
        dataset="mnist",
        get=_MNIST,
        overrides={
            "epochs": 10,
            "batch_size": 128,
            "learning_rate": 0.003,
            "dropout": 0.1,
            "patience": 10,
        },
        note="Here the row's 28 pixels are the input as they are, and the last tenth of the "
        "training images chooses the best epoch.",
    ),
    Recipe(
        "mnist-pixels",
        "MNIST pixel by pixel, 784 steps, through two blocks of linear recurrences (LRU) of 64.",
        model="pixels-gru",
        published=(Published("accuracy", "test", 0.97),),
        source="Q. Le, N. Jaitly, G. Hinton, arXiv:1504.00941: an RNN of 100 rectified units "
        "(IRNN); M. Arjovsky et al., arXiv:1511.06464, tell 0.982 of an LSTM of 128",
        data="mnist",
        dataset="mnist",
        get=_MNIST,
        overrides={
            "cell": "lru_block",
            "units": 64,
            "layers": 2,
            "pooling": "mean",
            "epochs": 5,
            "batch_size": 64,
            "learning_rate": 0.004,
            "label_smoothing": 0.0,
            "patience": 5,
            "jit_compile": True,
        },
        note="Linear recurrences (arXiv:2303.06349) learn this from the first steps on, where "
        "gated and rectified networks take many epochs; the class is told by the mean of all "
        "steps, as in that paper, and the last tenth of the training images chooses the best "
        "epoch.",
    ),
    Recipe(
        "ram-mnist",
        "MNIST in six glimpses of 8x8, placed by REINFORCE.",
        model="ram-digits",
        published=(Published("accuracy", "test", 0.9888),),
        source="V. Mnih et al. 2014, Recurrent Models of Visual Attention, NIPS 27, table 1: an "
        "error of 1.12 %, 1.29 % in arXiv:1406.6247; both as others quote them",
        data="mnist",
        dataset="mnist",
        get=_MNIST,
        overrides={
            "glimpses": 6,
            "glimpse_size": 8,
            "scales": 1,
            "glimpse_units": 256,
            "units": 256,
            "sigma": 0.2,
            "augment": 0.1,
            "epochs": 45,
            "batch_size": 128,
            "learning_rate": 0.002,
            "patience": 45,
            "jit_compile": True,
        },
        note="Theirs has a plain recurrent core, a linear location network, and no augmentation; "
        "here training pictures are moved and scaled by up to a tenth. The last tenth of the "
        "training images chooses the best epoch.",
    ),
    Recipe(
        "draw-mnist",
        "MNIST painted in ten strokes, read and written through windows of 5x5.",
        model="draw-digits",
        published=(Published("bound", "test", 80.97),),
        source="K. Gregor et al. 2015, arXiv:1502.04623, table 1: DRAW with 64 glimpses",
        data="mnist",
        dataset="mnist",
        get=_MNIST,
        overrides={
            "binarize": "sample",
            "glimpses": 10,
            "latent": 10,
            "units": 256,
            "read_size": 5,
            "write_size": 5,
            "epochs": 40,
            "batch_size": 100,
            "learning_rate": 0.002,
            "patience": 40,
        },
        note="Theirs paints in 64 strokes of 100 numbers each and reads through 2x2, this in 10 of "
        "10 numbers. Pixels are drawn once by their grey, as theirs, but not the same ones; and "
        "the last tenth of the training images chooses the best epoch.",
    ),
)
RECIPES: Mapping[str, Recipe] = {recipe.name: recipe for recipe in (*_RECIPES, *FORECAST_RECIPES)}


def list_recipes() -> list[str]:
    """Return the names of the recipes.

    Example:
        >>> list_recipes()[:2]
        ['zaremba-small', 'zaremba-medium']
    """
    return list(RECIPES)


def get(name: str) -> Recipe:
    """Return the recipe of that name.

    Raises:
        UserError: there is none; the message names the nearest ones.
    """
    if name not in RECIPES:
        raise UserError(unknown("recipe", name, RECIPES))
    return RECIPES[name]


def check_horizon(recipe: Recipe, horizon: int | None) -> None:
    """Check that something was published of a horizon; None is that of the recipe.

    Raises:
        UserError: nothing was.
    """
    if recipe.horizons and horizon is not None and horizon not in recipe.horizons:
        raise UserError(
            f"horizon is {horizon}, but of {recipe.name} those of "
            f"{', '.join(map(str, recipe.horizons))} steps were published"
        )


def check_data(recipe: Recipe, dataset: str | None = None, data_dir: str | None = None) -> None:
    """Check that a recipe's data are there, as far as is possible without TensorFlow.

    Args:
        recipe: the recipe.
        dataset: what is to take the place of its data.
        data_dir: folder of prepared data sets.

    Raises:
        UserError: they are not; it says what to get and how to point to it.
    """
    needed = f"{recipe.name} needs {recipe.get}"
    if dataset is None and recipe.dataset is None:
        raise UserError(needed)
    if dataset and os.sep in dataset and recipe.dataset is None:
        if not os.path.exists(os.path.expanduser(dataset)):
            raise UserError(f"there is no file {dataset}: {needed}")
    elif recipe.get and (dataset or recipe.dataset) == recipe.dataset:
        folder = data_folder(data_dir)
        if not (folder / str(recipe.dataset)).is_dir():
            raise UserError(f"there is no {recipe.dataset} in {folder}: {needed}")
