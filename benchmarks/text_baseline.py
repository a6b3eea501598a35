"""What counting reaches where the text classifiers are trained: words, and characters.

    python -m benchmarks.text_baseline
    python -m benchmarks.text_baseline --dataset names.tsv --balanced

Prints the test accuracy, and that which is balanced over classes, of linear support vector machines
of scikit-learn on words, and on runs of one to three and of one to five characters.
"""

import argparse

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from tasks.text_classification.sources import read_texts


def models(balanced: bool = False) -> dict[str, Pipeline]:
    """The baselines by name, not fitted.

    Args:
        balanced: whether each class counts as much as any other.
    """
    texts = {
        "words": TfidfVectorizer(token_pattern=r"\w+|[^\w\s]", sublinear_tf=True),
        "character n-grams to 3": TfidfVectorizer(
            analyzer="char", ngram_range=(1, 3), sublinear_tf=True
        ),
        "character n-grams to 5": TfidfVectorizer(
            analyzer="char_wb", ngram_range=(1, 5), sublinear_tf=True
        ),
    }
    weight = "balanced" if balanced else None
    return {
        name: make_pipeline(each, LinearSVC(class_weight=weight)) for name, each in texts.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", default="phrase_languages", help="as `zoo fit` takes it")
    parser.add_argument("--balanced", action="store_true", help="as class_weight=balanced")
    options = parser.parse_args()
    parts = read_texts(options.dataset, None)
    texts = {split: [each.text for each in part] for split, part in parts.items()}
    labels = {split: [each.label for each in part] for split, part in parts.items()}
    for name, model in models(options.balanced).items():
        model.fit(texts["train"], labels["train"])
        answers = model.predict(texts["test"])
        accuracy = accuracy_score(labels["test"], answers)
        of_each = balanced_accuracy_score(labels["test"], answers)
        print(f"{name}: accuracy {accuracy:.3f}, balanced {of_each:.3f}")


if __name__ == "__main__":
    main()
