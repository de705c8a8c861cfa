# Two commands set everything up: `make demo` runs the main job, `make test` passes the tests.
# The first of some commands that starts (a pyenv shim without its Python does not).
RUNS    = $(firstword $(foreach python,$(1),$(shell $(python) -c pass 2>/dev/null && echo $(python))))
# The newest Python that every dependency has a wheel for, else whatever python3 is; or make PYTHON=/path/to/python.
PYTHON ?= $(or $(call RUNS,python3.13 python3.12 python3.11),python3)
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
DEMO   := runs/demo
PIP    := $(BIN)/python -m pip install --disable-pip-version-check -q

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast test-docker test-docker-all test-pythons install newest-python fuzz lint format lock bench docs clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(STAMP)  ## the main job: pairs from the shipped MadGraph events, a training, a probe, a report
	mkdir -p $(DEMO)
	$(BIN)/resim generate cards/generate/demo.yaml -o $(DEMO)/pairs.h5 -j 2 --resume
	$(BIN)/resim validate $(DEMO)/pairs.h5
	$(BIN)/jetssl train cards/train/demo.yaml -o $(DEMO)/train
	$(BIN)/jetssl probe $(DEMO)/train
	$(BIN)/jetssl report $(DEMO)/train $(DEMO)/pairs.h5 -o $(DEMO)/report.html --force
	@echo "look at $(DEMO)/report.html"

# As many workers as cores, each of which starts with its own part of the tests, in order: fixtures are made once or twice.
# Eight at most: one takes 1.5 GB. `make test WORKERS=0` is one process, where a debugger works.
WORKERS ?= $(shell n=$$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN); echo $$((n < 8 ? n : 8)))
PYTEST   = $(BIN)/pytest -q -n $(WORKERS) --dist worksteal

test: $(STAMP)  ## every test
	$(PYTEST) $(PYTEST_ARGS)

# What the working loop needs: 90 s.
test-fast: $(STAMP)  ## what a working loop needs, about 90 s
	$(PYTEST) -m "not slow" $(PYTEST_ARGS)

# Other mutants of every kind of input (tests/fuzz), then every property with other examples, seed after seed; stops at
# the first that fails and shows its smallest example.
FUZZ_MINUTES ?= 10
FUZZ_INPUTS  ?= 100000
FUZZ_SEED    ?= $(shell date +%s)

fuzz: $(STAMP)  ## FUZZ_INPUTS damaged inputs (100,000), then properties with fresh examples for FUZZ_MINUTES (10)
	@echo "== make fuzz FUZZ_SEED=$(FUZZ_SEED)"; \
	RESIM_FUZZ_SEED=$(FUZZ_SEED) RESIM_FUZZ_INPUTS=$(FUZZ_INPUTS) $(PYTEST) -m mutants $(PYTEST_ARGS)
	@end=$$(( $$(date +%s) + 60 * $(FUZZ_MINUTES) )); seed=$(FUZZ_SEED); \
	while [ $$(date +%s) -lt $$end ]; do \
	  echo "== make fuzz FUZZ_SEED=$$seed"; \
	  $(PYTEST) -m hypothesis --hypothesis-profile=fuzz --hypothesis-seed=$$seed $(PYTEST_ARGS) || exit 1; \
	  seed=$$((seed + 1)); \
	done

test-docker: $(STAMP)  ## builds the image and runs it, without Docker (docker/test.sh; as root)
	docker/test.sh $(BIN)/resim

test-docker-all: $(STAMP)  ## the same, and with the trainer, and what MadGraph, Herwig and Delphes are built in
	docker/test.sh --train --hep $(BIN)/resim

lint: $(STAMP)  ## ruff, mypy and hadolint, as CI does
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/hadolint -c docker/hadolint.yaml docker/Dockerfile docker/hep.Dockerfile

format: $(STAMP)  ## ruff, mending what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP)  ## speed as ratios measured in one run
	$(BIN)/python benchmarks/generate.py
	$(BIN)/python benchmarks/detector.py
	$(BIN)/python benchmarks/cells.py
	$(BIN)/python benchmarks/loader.py
	$(BIN)/python benchmarks/train.py
	$(BIN)/python benchmarks/embed.py

docs: $(STAMP)  ## the site of the documentation, in site/
	$(BIN)/python -m mkdocs build --strict

clean:  ## remove what make made
	rm -rf $(VENV) .venv-3.* runs site .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Every Python from 3.11 to 3.13 on PATH or under pyenv, newest first.
PYTHONS = $(foreach minor,13 12 11,$(call RUNS,python3.$(minor) $(wildcard $(HOME)/.pyenv/versions/3.$(minor).*/bin/python)))

test-pythons:  ## every test with every Python from 3.11 to 3.13 of this machine, each in an environment of its own
	@set -e; for python in $(PYTHONS); do \
	  version=$$("$$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	  echo "== Python $$version ($$python)"; \
	  $(MAKE) --no-print-directory test PYTHON="$$python" VENV=".venv-$$version"; \
	done

install: $(STAMP)  ## only the environment, in VENV (.venv) with PYTHON

newest-python:  ## its path
	@echo $(firstword $(PYTHONS) python3)

# The lock holds for Python 3.11 to 3.14 on Linux and macOS. torch is pinned by itself: which build (CPU, CUDA, ROCm) a
# machine takes is its own matter, and every build pins its accelerator libraries.
ACCELERATOR := triton cuda-bindings cuda-pathfinder cuda-toolkit $(addprefix nvidia-,cublas cuda-cupti cuda-nvrtc cuda-runtime \
  cudnn-cu13 cufft cufile curand cusolver cusparse cusparselt-cu13 nccl-cu13 nvjitlink nvshmem-cu13 nvtx)

COMPILE := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --no-annotate --custom-compile-command "make lock" $(addprefix --no-emit-package ,torch $(ACCELERATOR))

lock:  ## requirements.lock anew, and the parts of it that the image takes
	$(BIN)/python -m pip install --disable-pip-version-check -q uv
	$(COMPILE) --upgrade -c requirements-torch.lock \
	  $(addprefix --extra ,generate train lora export cluster dev image docs) -o requirements.lock
	$(COMPILE) -c requirements.lock --extra generate --extra cluster -o docker/generate.lock
	$(COMPILE) -c requirements.lock -c requirements-torch.lock \
	  $(addprefix --extra ,generate cluster train lora) -o docker/train.lock
	$(COMPILE) -c requirements.lock --extra image -o docker/build.lock

# The stamp is written last: an interrupted installation is simply done again.
$(STAMP): pyproject.toml requirements.lock requirements-torch.lock
	@$(PYTHON) -c "$$CHECK_PYTHON"
	$(PYTHON) -m venv $(VENV)
	$(PIP) --no-deps --require-hashes -r requirements.lock
	$(PIP) -r requirements-torch.lock
	$(PIP) --no-deps --no-build-isolation -e .
	touch $(STAMP)

define CHECK_PYTHON
import importlib.util, sys
found = f"{sys.executable} is Python {sys.version_info[0]}.{sys.version_info[1]}"
if sys.version_info < (3, 11):
    sys.exit(f"{found}, want 3.11, 3.12 or 3.13: make PYTHON=/path/to/python3.12")
if sys.version_info >= (3, 14):
    sys.exit(f"{found}, for which Pythia has no wheel: make PYTHON=/path/to/python3.13, or use the image (docker/).\n"
             "To train only: python3 -m venv .venv && .venv/bin/pip install '.[train]'")
if not all(map(importlib.util.find_spec, ("venv", "ensurepip"))):
    sys.exit(f"{found} without venv: install it (Debian, Ubuntu: apt-get install python3-venv)")
endef
export CHECK_PYTHON
