"""What counting reaches where the text classifiers are trained: words, and characters.

    python -m benchmarks.text_baseline

Prints the test accuracy of linear support vector machines of scikit-learn on words, and on runs of
one to three characters, on the bundled `phrase_languages`.
"""

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from tasks.text_classification.sources import read_texts


def models() -> dict[str, Pipeline]:
    """The baselines by name, not fitted."""
    words = TfidfVectorizer(token_pattern=r"\w+|[^\w\s]", sublinear_tf=True)
    characters = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True)
    return {
        "words": make_pipeline(words, LinearSVC()),
        "character n-grams": make_pipeline(characters, LinearSVC()),
    }


def main() -> None:
    parts = read_texts("phrase_languages", None)
    texts = {split: [each.text for each in part] for split, part in parts.items()}
    labels = {split: [each.label for each in part] for split, part in parts.items()}
    for name, model in models().items():
        model.fit(texts["train"], labels["train"])
        print(f"{name}: accuracy {model.score(texts['test'], labels['test']):.3f}")


if __name__ == "__main__":
    main()
