# Two commands on a machine that has Python 3.11 or newer (with venv) and make:
#   make run    open the dashboard
#   make test   run every test; those of learning need PyTorch, which `make training` adds
# Both build .venv on first use and reuse it afterwards. On Debian with several Pythons: make run PYTHON=python3.12

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
STAMP  := $(VENV)/.installed

.PHONY: run test training lint bench lock clean

run: $(STAMP)
	@$(BIN)/fairsynergy app

test: $(STAMP)
	@$(BIN)/python tests/run.py

# PyTorch is large and only learning needs it, so it is neither locked nor installed with the rest.
training: $(STAMP)
	@$(PIP) install 'torch==2.13.0'

lint: $(STAMP)
	@$(BIN)/python tests/run.py lint types

bench: $(STAMP)
	@$(BIN)/fairsynergy bench

# Versions and hashes for Python 3.11 to 3.14 on Linux, macOS and Windows; no address is written into the file.
lock:
	@$(PYTHON) -m venv $(VENV)/lock
	@$(VENV)/lock/bin/python -m pip --quiet --disable-pip-version-check --no-input install 'uv>=0.5'
	@$(VENV)/lock/bin/uv --quiet pip compile pyproject.toml --extra test --universal --python-version 3.11 \
	    --upgrade --generate-hashes \
	    --custom-compile-command 'make lock' --output-file requirements.lock
	@echo 'requirements.lock is up to date; run make test, then commit it.'

# The stamp is newer than the two files that decide what is installed, so a second run starts at once.
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo 'fairsynergy needs Python 3.11 or newer, and "$(PYTHON)" is not:' \
	         "$$($(PYTHON) --version 2>&1 | head -n 1)." \
	         'Install a newer one, or name one: make run PYTHON=python3.12' >&2; exit 1; }
	@echo 'Installing into $(VENV) (once; about a minute) ...'
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --require-hashes --requirement requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

clean:
	rm -rf $(VENV) build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
