# make run: set everything up and start the demo zone.  make test: set everything up and run all checks and tests.
PYTHON ?= python3
PORT ?= 8123
WORKERS ?= 3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install
UI_BUILT := hub/web/ui_dist/index.html
UI_SOURCES := $(shell find ui -path ui/node_modules -prune -o -type f -print 2>/dev/null)

# What the demo zone draws plates with.
RUN_PACKAGES := fonts-thai-tlwg libpangoft2-1.0-0 libopus0
# What a station's machine has: production.md installs these.
STATION_PACKAGES := python3-venv $(RUN_PACKAGES) mosquitto chrony nginx coturn adduser curl
# A real browser and an RTSP server from another program.
TEST_PACKAGES := $(RUN_PACKAGES) tesseract-ocr tesseract-ocr-tha chromium ffmpeg python3-gi gir1.2-gst-rtsp-server-1.0 \
	gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly \
	mumble-server mosquitto coturn nginx poppler-utils zbar-tools

.PHONY: install dev run test check check-python check-ui bench lock wheelhouse clean
.DELETE_ON_ERROR:

install: .venv/installed $(UI_BUILT)

# For writing plugins: the hub, and what pytest needs.
dev: install .venv/installed-dev

run: install
	@scripts/debian.sh "for the demo zone: plates, printing in Thai, radio" $(RUN_PACKAGES)
	exec $(BIN)/hub run --config config.yaml --data data --port $(PORT)

test: install .venv/installed-dev
	@scripts/debian.sh "for the tests" $(TEST_PACKAGES)
	$(MAKE) --no-print-directory check
	cd ui && npm test
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --ignore tests/architecture --ignore tests/e2e || scripts/again.sh $(BIN)/pytest
	$(BIN)/pytest -n 2 --dist loadfile tests/e2e || scripts/again.sh $(BIN)/pytest

check: check-python check-ui

check-python: .venv/installed-dev
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/architecture

check-ui: ui/node_modules/.installed
	cd ui && npm run check

bench: install .venv/installed-dev
	$(BIN)/python -m tests.bench $(NAME)

# Versions with hashes, from the public registries, without their addresses.
lock: .venv/installed-dev
	PIP_CONFIG_FILE=/dev/null PIP_FIND_LINKS= $(BIN)/pip-compile --quiet --upgrade -o requirements.lock pyproject.toml
	PIP_CONFIG_FILE=/dev/null PIP_FIND_LINKS= $(BIN)/pip-compile --quiet --upgrade --extra dev -c requirements.lock \
		-o requirements-dev.lock pyproject.toml
	cd ui && npm install --package-lock-only

# Everything that a machine without internet needs, in one folder: docs/howto/production.md says how it is used.
wheelhouse: install
	rm -rf wheelhouse
	$(BIN)/python -m pip --quiet download --require-hashes -r requirements.lock --dest wheelhouse
	$(BIN)/python -m pip --quiet wheel --no-deps --no-build-isolation --wheel-dir wheelhouse .
	cp -r deploy docs config.yaml zone automations blueprints wheelhouse/
	@scripts/debs.sh wheelhouse/debs $(STATION_PACKAGES)

clean:
	rm -rf .venv wheelhouse ui/node_modules hub/web/ui_dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || scripts/debian.sh "for a Python environment" python3-venv
	$(PYTHON) -m venv .venv

.venv/installed: requirements.lock pyproject.toml | .venv/bin/python
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

.venv/installed-dev: requirements-dev.lock .venv/installed
	$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

ui/node_modules/.installed: ui/package-lock.json
	@command -v npm >/dev/null || { echo "Node 20 with npm is needed to build the board (nodejs.org, or Debian's nodejs and npm)" >&2; exit 1; }
	cd ui && npm ci --no-audit --no-fund
	@touch $@

$(UI_BUILT): ui/node_modules/.installed $(UI_SOURCES)
	cd ui && npm run build
	@touch $@
