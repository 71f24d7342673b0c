# Two commands on a machine that has Python 3.11 or newer (with venv) and make:
#   make run    open the dashboard
#   make test   run every test; those of learning need PyTorch, which `make training` adds
#   make docs   build the documentation into site/; open site/index.html
# Both build .venv on first use and reuse it afterwards. On Debian with several Pythons: make run PYTHON=python3.12

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
STAMP  := $(VENV)/.installed

.PHONY: run test training lint bench docs lock clean

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

# In an environment of its own, without the package: the reference is read from the sources. Not locked, since nobody
# who runs fairsynergy runs it. The variable silences a notice that is not about this site.
docs: $(VENV)/docs/.installed
	@NO_MKDOCS_2_WARNING=1 $(VENV)/docs/bin/mkdocs build --quiet --strict
	@echo 'The documentation is in site/; open site/index.html.'

$(VENV)/docs/.installed: pyproject.toml
	@$(PYTHON) -m venv $(VENV)/docs
	@$(VENV)/docs/bin/python -c 'import tomllib; \
	    print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["docs"], sep="\n")' \
	    > $(VENV)/docs/requirements.txt
	@$(VENV)/docs/bin/python -m pip --quiet --disable-pip-version-check --no-input install -r $(VENV)/docs/requirements.txt
	@touch $@

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
	rm -rf $(VENV) build dist site .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
