# Two commands set everything up: `make demo` runs the main job, `make test` passes the tests.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
DEMO   := runs/demo

.PHONY: demo test lint format bench clean

demo: $(STAMP)
	mkdir -p $(DEMO)
	$(BIN)/resim generate cards/generate/demo.yaml -o $(DEMO)/pairs.h5 -j 2 --resume
	$(BIN)/resim validate $(DEMO)/pairs.h5
	$(BIN)/jetssl train cards/train/demo.yaml -o $(DEMO)/train
	$(BIN)/jetssl probe $(DEMO)/train
	$(BIN)/jetssl report $(DEMO)/train $(DEMO)/pairs.h5 -o $(DEMO)/report.html --force
	@echo "look at $(DEMO)/report.html"

test: $(STAMP)
	$(BIN)/pytest -q $(PYTEST_ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP)
	$(BIN)/python benchmarks/generate.py
	$(BIN)/python benchmarks/detector.py
	$(BIN)/python benchmarks/loader.py
	$(BIN)/python benchmarks/train.py
	$(BIN)/python benchmarks/embed.py

clean:
	rm -rf $(VENV) runs .mypy_cache .ruff_cache .pytest_cache .hypothesis

# The stamp is written last: an interrupted installation is simply done again.
$(STAMP): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if v >= (3, 11) else f"{sys.executable} is Python {v[0]}.{v[1]}, want 3.11 or newer: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check -q -r requirements.lock
	$(BIN)/python -m pip install --disable-pip-version-check -q --no-deps -e .
	touch $(STAMP)
