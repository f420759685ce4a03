# Assay's commands. `make` alone lists them.

PORT ?= 3000
VENV := .venv
PY := $(VENV)/bin/python
SAM_VENV := .venv-sam
SAM := $(SAM_VENV)/bin/sam
TF_VENV := .venv-tf
TRAIN_VENV := .venv-train
export PYTHONPATH := functions:layers/assay/python:.
export SAM_CLI_TELEMETRY := 0

.DEFAULT_GOAL := help
.PHONY: help demo up test test-api test-browser test-tensorflow test-importers check format lock containers bench bench-cold clean

help:  ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## *(.*)/  make \1	\2/' | expand -t 20

demo: $(VENV)/.local  ## rank and classify real input on this machine: no AWS, no Docker
	@$(PY) -m tools demo

up: $(VENV)/.local  ## the whole service on http://127.0.0.1:PORT (default 3000) until Ctrl-C
	@$(PY) -m tools up --port $(PORT)

test: $(VENV)/.dev  ## the tests that need no Docker and no AWS
	$(PY) -m pytest -q -n auto

test-api: $(VENV)/.dev  ## requests generated from the API's description: every answer is one that it has
	$(PY) -m pytest -q -n auto -m api tests/api

test-browser: $(VENV)/.dev $(VENV)/.browser  ## the page in Chromium (skipped where there is none)
	@tests/browser/run

test-tensorflow: $(TF_VENV)/.tensorflow  ## the tests that need TensorFlow: SavedModels serve, importers agree with it
	$(TF_VENV)/bin/python -m pytest -q tests/unit/models/test_loading.py tests/unit/test_encoder.py tests/importers

test-importers: $(TRAIN_VENV)/.train  ## the importers against scikit-learn, Keras and transformers (installs gigabytes)
	$(TRAIN_VENV)/bin/python -m pytest -q tests/unit/importers tests/importers tests/unit/test_encoder.py

check: $(VENV)/.dev $(SAM_VENV)/.sam  ## ruff, mypy, cfn-lint, sam validate
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/cfn-lint template.yaml
	$(SAM) validate --lint --region us-east-1

format: $(VENV)/.dev  ## put the code into shape
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

lock:  ## compile every requirements.in into its hashed requirements.txt (needs uv)
	requirements/lock

containers: $(VENV)/.dev $(SAM_VENV)/.sam  ## sam build, then the tests under a Docker engine (skipped where none is to be had)
	@tests/containers/run

bench: $(VENV)/.dev  ## the benchmarks, as tables
	$(PY) -m benchmarks.rank
	$(PY) -m benchmarks.classify
	$(PY) -m benchmarks.fetch
	$(PY) -m benchmarks.scaling

bench-cold: $(VENV)/.dev $(SAM_VENV)/.sam  ## the cold start of the images that `make containers` built
	$(PY) -m benchmarks.cold_start

clean:  ## remove what the commands above built
	rm -rf $(VENV) $(SAM_VENV) $(TF_VENV) $(TRAIN_VENV) .aws-sam build out demo-results .pytest_cache .mypy_cache .ruff_cache .hypothesis

# Environments: made once, completed when their lock file changes.
$(VENV)/.local: requirements/local.txt
	@requirements/install $(VENV) $<
	@touch $@

$(VENV)/.dev: requirements/dev.txt
	@requirements/install $(VENV) $<
	@touch $(VENV)/.local $@

$(VENV)/.browser: requirements/browser.txt
	@requirements/install $(VENV) $<
	@touch $@

$(SAM_VENV)/.sam: requirements/sam.txt
	@requirements/install $(SAM_VENV) $<
	@touch $@

$(TF_VENV)/.tensorflow: requirements/dev.txt requirements/tensorflow.txt
	@requirements/install $(TF_VENV) requirements/dev.txt
	@requirements/install $(TF_VENV) requirements/tensorflow.txt
	@touch $@

$(TRAIN_VENV)/.train: requirements/dev.txt requirements/train.txt
	@requirements/install $(TRAIN_VENV) requirements/dev.txt
	@requirements/install $(TRAIN_VENV) requirements/train.txt
	@touch $@
