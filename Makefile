# Two commands matter: `make demo` does the main job once, `make test` proves it. Both set up what they need.
PYTHON ?= python3
PORT ?= 8000
DATA_DIR ?= ./data
GRADED ?= ../shared/retrieval
PROCESSES ?= 3
BIN := .venv/bin

.PHONY: demo run test check docs soak guards fuzz api-fuzz corpus bench bench-once sbom audit-lock lock clean

demo: .venv/ready
	$(BIN)/ladderbase demo

run: .venv/ready
	$(BIN)/ladderbase run --port $(PORT) --data-dir $(DATA_DIR)

# Three processes for two cores, each with servers of its own: half of the time of a test is spent waiting. PROCESSES=0 for one.
test: .venv/ready
	$(BIN)/pytest --numprocesses $(PROCESSES) --dist loadfile

# The unit tests too, unless the whole suite is asked for with it: `make check test` runs them once.
check: .venv/ready docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(if $(filter test,$(MAKECMDGOALS)),,$(BIN)/pytest --numprocesses $(PROCESSES) tests/unit)

# The pages as a site that needs no network: build/docs/index.html. What Sphinx warns of, dead links and anchors too, is an error.
docs: build/docs/.built

build/docs/.built: .docs/ready $(wildcard docs/*.md docs/*/* tools/docs/*)
	rm -rf build/docs
	PYTHONPATH=.docs $(BIN)/python -m sphinx --quiet --fail-on-warning --conf-dir tools/docs --doctree-dir .docs/doctrees --fresh-env docs build/docs
	@touch $@

# About half an hour of crashes and outages. SOAK_SEED=n repeats a run; the last lines tell the seed and the figures.
soak: .venv/ready
	$(BIN)/pytest tests/faults -m soak -p no:randomly

# Breaks each guard of the product in a copy of the tree, and expects the test that stands for it to go red.
guards: .venv/ready
	PYTHONPATH=tests $(BIN)/python tests/faults/guards.py $(WHICH)

# A minute for each reader. An input that breaks one is put into .fuzz-findings.
FUZZED ?= archive xlsx csv json
FUZZ_S ?= 60
FUZZ := PYTHONPATH=.fuzz:tests $(BIN)/python tests/fuzz/run.py
fuzz: .fuzz/ready
	for name in $(FUZZED); do mkdir -p .fuzz-findings .fuzz/corpus/$$name && $(FUZZ) $$name -max_total_time=$(FUZZ_S) -max_len=4096 -timeout=10 -rss_limit_mb=1024 \
	  -print_final_stats=1 -artifact_prefix=.fuzz-findings/$$name- .fuzz/corpus/$$name tests/fuzz/corpus/$$name || exit 1; done

# More than 10,000 requests made of the OpenAPI document, in about a quarter of an hour. SEED=n repeats a run; the first line tells it.
EXAMPLES ?= 600
api-fuzz: .venv/ready
	PYTHONPATH=src:tests $(BIN)/python tests/api_fuzz/run.py --examples $(EXAMPLES) $(if $(SEED),--seed $(SEED))

# What is worth keeping of all that the fuzzer came upon.
corpus: .fuzz/ready
	for name in $(FUZZED); do $(FUZZ) $$name -merge=1 tests/fuzz/corpus/$$name .fuzz/corpus/$$name || exit 1; done

# Every figure against the plain design and the limit of the machine; WHICH="waits load" measures some groups alone.
bench: .venv/ready
	GRPC_VERBOSITY=NONE $(BIN)/python benchmarks/bench.py $(WHICH)

# GRADED names a folder with ladder.zip, template.xlsx, comment.csv and queries.json; without it only times are measured.
bench-once: .venv/ready
	$(BIN)/python benchmarks/indexing.py
	$(BIN)/python benchmarks/s3_upload.py
	$(if $(wildcard $(GRADED)/queries.json),$(BIN)/python benchmarks/retrieval.py $(GRADED))

# What the image ships, as CycloneDX: the same bytes wherever and whenever it is made.
sbom: .sbom/ready
	$(BIN)/python tools/shipped.py requirements-server.lock > .sbom/shipped.lock
	PYTHONPATH=.sbom $(BIN)/python -m cyclonedx_py requirements --pyproject pyproject.toml --mc-type application --output-reproducible \
	  --of JSON -o sbom.cdx.json .sbom/shipped.lock

# Asks the advisory service osv.dev, or OSV_URL: 1 when a vulnerability is known, 2 when nobody could be asked.
audit-lock: .venv/ready
	$(BIN)/python tools/advisories.py requirements-server.lock

# After a change of pyproject.toml's dependencies. Names, versions and hashes, no URL. The server's are a part of all.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate
lock: .venv/ready
	$(BIN)/$(LOCK) --extra dev --extra embedded --extra mcp --upgrade pyproject.toml -o requirements.lock
	$(BIN)/$(LOCK) --constraints requirements.lock pyproject.toml -o requirements-server.lock
	$(BIN)/$(LOCK) --upgrade tests/fuzz/requirements.in -o requirements-fuzz.lock
	$(BIN)/$(LOCK) --upgrade tools/requirements.in -o requirements-sbom.lock
	$(BIN)/$(LOCK) --upgrade tools/docs/requirements.in -o requirements-docs.lock
	grep -A 40 '^uv==' requirements.lock | awk 'NR > 1 && /^[a-z]/ { exit } { print }' > requirements-uv.lock

.venv/ready: requirements.lock requirements-uv.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Ladderbase needs Python 3.11 or newer: make PYTHON=/path/to/python3.12")'
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

.fuzz/ready: .venv/ready requirements-fuzz.lock
	rm -rf .fuzz
	$(BIN)/uv pip install --quiet --python $(BIN)/python --target .fuzz --only-binary :all: --require-hashes -r requirements-fuzz.lock
	@touch $@

.sbom/ready: .venv/ready requirements-sbom.lock
	rm -rf .sbom
	$(BIN)/uv pip install --quiet --python $(BIN)/python --target .sbom --only-binary :all: --require-hashes -r requirements-sbom.lock
	@touch $@

.docs/ready: .venv/ready requirements-docs.lock
	rm -rf .docs
	$(BIN)/uv pip install --quiet --python $(BIN)/python --target .docs --only-binary :all: --require-hashes -r requirements-docs.lock
	@touch $@

clean:
	rm -rf .venv .fuzz .fuzz-findings .sbom .docs sbom.cdx.json .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
