# demo, test, lint and bench first bring .venv up to the pinned dependencies.
PYTHON ?= python3
MODEL ?= char-lstm
# Training time of the demo; the rest of its five minutes is for data, export and serving.
MINUTES ?= 3
BIN := .venv/bin
READY := .venv/.ready
DEMO := saved_models/demo/$(MODEL)

.PHONY: demo test test-slow test-lowest lint bench docs tutorials test-app clean

demo: $(READY)
	run=$$($(BIN)/zoo fit $(MODEL) --minutes $(MINUTES)) && \
	$(BIN)/zoo evaluate "$$run" && \
	$(BIN)/zoo export "$$run" $(DEMO) --no-metrics --overwrite && \
	$(BIN)/python examples/use_export.py $(DEMO)

# One process for each core, up to four: most of the suite waits for graphs to be traced. The tests
# of a file stay together, as they share what was trained for them. The files keep their order: the
# examples in docstrings, which are quick, come last, so that no process is left with a long file.
WORKERS := -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test: $(READY)
	$(BIN)/python -m pytest $(WORKERS)

test-slow: $(READY)
	$(BIN)/python -m pytest $(WORKERS) -m slow

# The playground in Chromium: that of the system, or the one that playwright downloads.
test-app: .venv/.app
	$(BIN)/python -m pytest tests/zoo/app -m browser

.venv/.app: $(READY) tests/zoo/app/requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r tests/zoo/app/requirements.txt
	command -v chromium || $(BIN)/playwright install chromium
	touch $@

# With the lowest version of everything that pyproject.toml allows.
LOWEST := .venv/lowest
test-lowest: $(READY)
	$(PYTHON) -m venv $(LOWEST)
	grep -oE '"[A-Za-z0-9_-]+>=[0-9.]+"' pyproject.toml | grep -v setuptools | tr -d '"' | \
	sed 's/>=/==/' > $(LOWEST)/requirements.txt
	$(LOWEST)/bin/pip install --quiet --disable-pip-version-check -r $(LOWEST)/requirements.txt
	$(LOWEST)/bin/pip install --quiet --disable-pip-version-check --no-deps --editable .
	$(LOWEST)/bin/python -m pytest $(WORKERS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Also brings PyTorch, to compare with.
bench: .venv/.bench
	$(BIN)/python -m benchmarks

.venv/.bench: $(READY) benchmarks/requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
	touch $@

# The site, in build/site; it fails over a broken link or a missing name.
docs: .venv/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

.venv/.docs: $(READY) docs/requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r docs/requirements.txt
	touch $@

# Runs the notebooks and keeps what they show.
tutorials: $(READY)
	$(BIN)/python -m docs.notebooks

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	{ echo "$(PYTHON) is not Python 3.11 to 3.13: run make PYTHON=/path/to/python3.12"; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $(READY)

clean:
	rm -rf .venv build dist *.egg-info runs saved_models/demo
