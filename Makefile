# Two commands to know: `make demo` shows the whole loop, `make test` passes the tests. Both set up what they need
# first; a second run finds it done. Everything lies in this folder, but for the models' environments, which all
# checkouts share in ~/.cache/upkeep/envs (or UPKEEP_LOCAL_ENVS).

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
DONE := $(VENV)/.done
UV := $(BIN)/python -m uv
# The variables by which a person's shell points at an Azure subscription. No target here needs one.
unexport AZURE_SUBSCRIPTION_ID AZURE_TENANT_ID AZURE_CLIENT_ID AZURE_CLIENT_SECRET

.DEFAULT_GOAL := help
.PHONY: help setup install demo up down test test-unit test-pipelines test-scenarios test-simulation test-contract \
	test-integration test-e2e check check-infra format schema package sbom audit bench-coldstart bench-verdicts lock clean

help: ## show what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---- set-up: a stamp a step, newer than what the step was made from

setup: $(DONE)/python $(DONE)/upkeep $(DONE)/azurite $(DONE)/models ## install everything (needs Python 3.11 and make)

install: $(DONE)/upkeep ## install the command line alone, which is what a pipeline needs that deploys

$(DONE)/uv: requirements-dev.txt
	$(PYTHON) -c 'import sys; assert sys.version_info[:2] == (3, 11), "Upkeep needs Python 3.11; set PYTHON=…"'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@mkdir -p $(DONE)
	@sed -n '/^uv==/,/^[^ ]*==.*\\$$/{/^uv==/p;/^ /p}' requirements-dev.txt > $(DONE)/uv.txt
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r $(DONE)/uv.txt
	@touch $@

# Compiled at once: without bytecode every import of an Azure SDK takes three times as long.
$(DONE)/python: requirements.txt requirements-dev.txt requirements-host.txt $(DONE)/uv
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode \
		-r requirements.txt -r requirements-dev.txt
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode \
		--no-deps --python-version 3.13 -r requirements-host.txt
	@touch $@

$(DONE)/upkeep: pyproject.toml $(DONE)/python
	$(UV) pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

# checkov pins packages so old that they would hold back everything else.
$(DONE)/checkov: requirements-checkov.txt $(DONE)/uv
	$(UV) venv --quiet --clear --python $(BIN)/python .venv-checkov
	$(UV) pip install --quiet --python .venv-checkov/bin/python --require-hashes --compile-bytecode --no-deps \
		-r requirements-checkov.txt
	@touch $@

$(DONE)/azurite: localcloud/package-lock.json requirements-node.txt $(DONE)/python
	command -v node >/dev/null && command -v npm >/dev/null || \
		$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements-node.txt
	$(BIN)/python -c "import os; from localcloud import azurite; azurite.install(dict(os.environ))"
	@touch $@

$(DONE)/models: $(wildcard models/*/*/environment.yml) $(DONE)/python
	$(BIN)/python -m localcloud prepare models
	@touch $@

# ---- the demo, and a local cloud for one's own play

demo: setup ## the whole story on real data, in about five minutes
	$(BIN)/python -m localcloud.demo

up: setup ## start a local cloud with the example model published; then: . .venv/bin/activate; upkeep status
	$(BIN)/python -m localcloud up
	$(BIN)/upkeep publish

down: ## stop it; its state stays in .local
	$(BIN)/python -m localcloud down

# ---- tests and checks

test: setup test-unit test-pipelines test-scenarios test-simulation test-contract test-integration test-e2e ## all tests, the quick ones first

# A file stays with one worker, and each worker has a local cloud of its own: what a module's tests share, they share.
# The simulation spreads its schedules over the processors by itself.
WORKERS ?= logical
test-unit test-pipelines test-contract test-integration test-e2e: SPREAD := -n $(WORKERS) --dist loadfile

test-unit test-pipelines test-scenarios test-simulation test-contract test-integration test-e2e: $(DONE)/python
	$(BIN)/python -m pytest -q $(SPREAD) tests/$(@:test-%=%)

check: setup ## lint, formats, types, layers, pipelines
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/upkeep validate
	$(BIN)/actionlint .github/workflows/*.yml
	$(BIN)/zizmor --offline --pedantic --quiet .github
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-actions .github/actions/*/action.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --regex-variant nonunicode --builtin-schema vendor.azure-pipelines \
		--data-transform azure-pipelines azure-pipelines.yml $(filter-out pipelines/scan.yml,$(wildcard pipelines/*.yml))

check-infra: $(DONE)/python $(DONE)/checkov ## Bicep: syntax, names, types (UPKEEP_BICEP_TYPES), safety, against the app
	$(BIN)/python -m infra.check infra
	$(BIN)/python -m infra.check.checkov infra --checkov .venv-checkov/bin/checkov
	$(BIN)/python -m pytest -q tests/infra

format: $(DONE)/python ## format and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

schema: $(DONE)/python ## write the JSON Schemas in docs/reference/ anew
	$(BIN)/python -m shared.operator.schema

# ---- the package that is deployed

package: $(DONE)/python ## build dist/upkeep-VERSION.zip with checksum, bill of materials and provenance
	$(BIN)/python -m infra.package $(PACKAGE_OPTIONS)

sbom: $(DONE)/python ## write the package's bill of materials (CycloneDX) alone
	$(BIN)/python -m infra.package --bill-only

audit: $(DONE)/python ## ask whether vulnerabilities are known of anything that is locked (needs the network)
	$(BIN)/python -m infra.package_audit

bench-verdicts: $(DONE)/python ## measure false alarms and misses of the judge and of the canary (twenty minutes)
	$(BIN)/python -m benchmarks.verdicts

bench-coldstart: $(DONE)/azurite ## measure the package's cold start beside that of a naive app (two minutes)
	$(BIN)/python -m benchmarks.coldstart

# ---- locks

# Dependabot takes the options from the first lines of a lock.
COMPILE := $(UV) pip compile --quiet --upgrade --generate-hashes --no-emit-index-url --universal \
	--python-version 3.11 --custom-compile-command "make lock  (uv pip compile --universal --python-version 3.11)"

lock: $(DONE)/uv ## resolve the requirements*.in anew
	$(COMPILE) requirements.in -o requirements.txt
	$(COMPILE) requirements-dev.in -o requirements-dev.txt
	$(COMPILE) requirements-node.in -o requirements-node.txt
	$(COMPILE) --override requirements-checkov-overrides.txt requirements-checkov.in -o requirements-checkov.txt
	$(UV) pip compile --quiet --generate-hashes --no-emit-index-url --no-deps --python-version 3.13 \
		--custom-compile-command "make lock" requirements-host.in -o requirements-host.txt

clean: down ## remove everything that was made here, the play state too
	rm -rf $(VENV) .venv-checkov .local localcloud/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
