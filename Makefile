# `make run` opens the program, `make test` tests it. Each sets up first what is not set up yet.

VENV := .venv
ifeq ($(OS),Windows_NT)
  BIN := $(VENV)/Scripts
else
  BIN := $(VENV)/bin
endif
PY := $(BIN)/python
SAMPLE := resources/samples/synthetic-speaker.mp4
CLIP ?= $(SAMPLE)
BENCH ?= clip first-estimate start gui alignment labels

# Where the pretrained files lie; written after they were verified. Looked for each time, for a cache may be emptied.
ASSETS := $(shell cat $(VENV)/.assets 2>/dev/null)
ifeq ($(wildcard $(ASSETS)/whisper-base/model.bin),)
  ASSETS_GONE := gone
endif

.PHONY: run test soak check assets bundle bundle-check bench clean help gone
.DEFAULT_GOAL := help

help:
	@echo "make run [CLIP=file]  open the program (without a display: write consonance-*.png)"
	@echo "make test             all tests; format, lint, types and layers are among them"
	@echo "make soak             the long runs and the full counts of faults"
	@echo "make check            those four, and what the documents promise"
	@echo "make assets           fetch and verify the pretrained files"
	@echo "make bench            measure speed"
	@echo "make bundle           build the program for machines without Python, into dist/"
	@echo "make clean            remove the virtual environment and everything built"

run: $(VENV)/.system $(VENV)/.installed $(VENV)/.assets $(VENV)/.warm
	@$(BIN)/consonance app $(CLIP)

test: $(VENV)/.system $(VENV)/.installed-dev $(VENV)/.assets
	$(PY) -m pytest

soak: $(VENV)/.system $(VENV)/.installed-dev $(VENV)/.assets
	$(PY) -m pytest -m soak --timeout 3600

check: $(VENV)/.installed-dev
	$(PY) -m pytest tests/test_layers.py tests/test_repository.py

assets: $(VENV)/.installed
	@$(BIN)/consonance assets fetch
	@$(PY) -c "from core import paths; print(paths.cache() / 'assets', end='')" > $(VENV)/.assets

bench: $(VENV)/.installed $(VENV)/.assets
	@for name in $(BENCH); do $(BIN)/consonance bench $$name || exit 1; done

bundle: $(VENV)/.installed-bundle $(VENV)/.assets
	$(PY) -m PyInstaller --noconfirm --log-level WARN build_app.spec
	@du -sh dist/consonance

bundle-check:
	@rm -rf build/check && mkdir -p build/check
	cd build/check && env -i HOME="$$PWD" PATH=/usr/bin:/bin LANG=C.UTF-8 sh -ec '\
	  ../../dist/consonance/consonance assets verify; \
	  ../../dist/consonance/consonance analyse --json ../../$(SAMPLE) > sample.json; \
	  ../../dist/consonance/consonance app ../../$(SAMPLE); ls -l sample.json consonance-*.png'

clean:
	rm -rf $(VENV) build dist *.egg-info consonance-*.png

# The first Python that is new enough and has what it takes to make an environment.
$(PY):
	@for python in python3.11 python3.12 python3.13 python3 python; do \
	  if $$python -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null; then \
	    $$python -m venv $(VENV) && exit 0; rm -rf $(VENV); \
	    echo "$$python cannot make a virtual environment. On Debian and Ubuntu: sudo apt-get install -y python3-venv"; exit 1; \
	  fi; \
	done; echo "Python 3.11 or newer is needed. On Debian and Ubuntu: sudo apt-get install -y python3 python3-venv"; exit 1

$(VENV)/.installed: pyproject.toml | $(PY)
	$(PY) -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(PY)
	$(PY) -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-bundle: pyproject.toml | $(PY)
	$(PY) -m pip install --quiet --disable-pip-version-check --editable ".[bundle]"
	@touch $@ $(VENV)/.installed

$(VENV)/.assets: resources/assets.toml $(ASSETS_GONE) | $(VENV)/.installed
	@$(MAKE) --no-print-directory assets

$(VENV)/.system: core/system_libraries.py | $(PY)
	@$(PY) -m core.system_libraries
	@touch $@

# The first analysis compiles numba's functions, half a minute in which a window would seem to hang.
$(VENV)/.warm: | $(VENV)/.installed $(VENV)/.assets
	@echo "Preparing the first start (once, up to a minute) …"
	@$(BIN)/consonance analyse $(SAMPLE) > $(VENV)/.warm.log && mv $(VENV)/.warm.log $@
