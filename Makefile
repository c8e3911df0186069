# make demo   set up; from a notebook to a champion   make lab     JupyterLab on notebooks/
# make test   set up and run all tests                make bench   measure this machine
# make lock   resolve the dependencies anew           make docs    draw the generated reference
# make peers  install what we compare ourselves with
# make soak   trade for minutes, see that all holds   make wire   UDP in to TCP out, and an echo
# make fuzz   feed every decoder garbage for longer   make mutate  break risk, see that a test notices
# make notebooks  execute all guides, in kernels
# make clean  remove the environment and caches

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo notebooks test fuzz mutate lab bench wire soak peers docs lock clean

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
# Nothing that the caller's shell points at may leak into the environment made here; and without
# bytecode kept, each process reads MLflow's sources anew, for seconds.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV PYTHONDONTWRITEBYTECODE
export PYTHONNOUSERSITE := 1

help:
	@sed -n 's/^# make/make/p' Makefile

demo: $(READY)
	@$(BIN)/hft demo

# Every guide as a reader would, in a real kernel; logged to MLflow.
notebooks: $(READY)
	@$(BIN)/python -m pipelines.notebooks

# Compiled; then with every array index checked, and uncompiled: tests/lanes.py says what runs beside
# what.
test: $(READY)
	@$(BIN)/python -m tests.lanes

# Each fuzz test for FUZZ_SECONDS, and each type of a protocol with FUZZ_MESSAGES random messages,
# with every array index checked; FUZZ_SEED repeats a run. docs/fuzzed.md has what came of it.
fuzz: $(READY)
	@HFT_FUZZ_SECONDS=$(or $(FUZZ_SECONDS),30) HFT_FUZZ_MESSAGES=$(or $(FUZZ_MESSAGES),10000000) \
	  HFT_FUZZ_SEED=$(FUZZ_SEED) NUMBA_BOUNDSCHECK=1 \
	  $(BIN)/python -m pytest -m fuzz -rP --durations=0

# One thing wrong in hftlib/risk at a time; the page of those that live is docs/mutants.md.
mutate: $(READY)
	@$(BIN)/python -m tests.mutate_risk

lab: $(READY)
	@$(BIN)/jupyter lab --notebook-dir=notebooks $(if $(filter 0,$(shell id -u)),--allow-root)

bench: $(READY)
	@$(BIN)/hft bench core --probe

wire: $(READY)
	@$(BIN)/hft bench live --wire

# At twice the recorded peak, for SOAK_MINUTES; some 260 MB a minute in TMPDIR while it runs.
soak: $(READY)
	@$(BIN)/hft bench soak --minutes $(or $(SOAK_MINUTES),5)

# In an environment of its own: its numpy is not ours.
peers: .peers/ready
.peers/ready: hftlib/bench/peers/requirements.txt $(READY)
	@rm -rf .peers
	@$(BIN)/python -m venv .peers
	@.peers/bin/python -m pip install -q --disable-pip-version-check -r $<
	@touch $@

docs: $(READY)
	@$(BIN)/python docs/draw.py

lock: $(READY)
	@$(BIN)/uv pip compile pyproject.toml --all-extras --upgrade --python-version 3.11 --quiet \
	  --generate-hashes --no-header --no-annotate --no-emit-index-url -o requirements.lock
	@rm -f $(READY) && $(MAKE) --no-print-directory $(READY)
	@$(BIN)/python -m pipelines.deploy.locks
	@echo "requirements.lock is new, and its parts in pipelines/deploy; run make test, then commit them."

clean:
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@find mlruns -mindepth 1 ! -name .gitignore ! -name README.md -delete
	@echo "Removed the environment and all caches here; compiled code stays in ~/.cache/hftlib."

# uv installs the lock in seconds where pip takes a minute. pip fetches uv itself, at the lock's own
# hash, and stands in for it where only pip knows the way to the packages (a mirror in pip.conf).
$(READY): requirements.lock pyproject.toml
	@python=$$(command -v python3.11 || command -v python3 || true); \
	if [ -z "$$python" ] || ! "$$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))'; then \
	  echo "hftlib needs Python 3.11, found: $$("$${python:-false}" --version 2>&1 || echo none)." >&2; \
	  echo "Install it (Debian: apt install python3.11 python3.11-venv) and run make again." >&2; exit 1; fi; \
	rm -rf $(VENV); \
	"$$python" -m venv $(VENV) || { \
	  echo "The virtual environment could not be made: install python3.11-venv, check the disk." >&2; exit 1; }
	@echo "Installing $$(grep -c '^[a-z0-9]' requirements.lock) packages into $(VENV) ..."
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > $(VENV)/uv.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r $(VENV)/uv.lock \
	  2> $(VENV)/install.log \
	  && $(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements.lock \
	  2>> $(VENV)/install.log \
	  || $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes \
	  -r requirements.lock 2>> $(VENV)/install.log || { tail -5 $(VENV)/install.log >&2; \
	  echo "The packages could not be installed: check the network and the disk, then run make again;" >&2; \
	  echo "all messages are in $(VENV)/install.log." >&2; exit 1; }
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e . \
	  2>> $(VENV)/install.log || { tail -5 $(VENV)/install.log >&2; \
	  echo "hftlib itself could not be installed: see $(VENV)/install.log, then run make again." >&2; exit 1; }
	@touch $@
