# make demo    audit the embedded demonstration model, end to end
# make test    every test
# make check   lint, format, types, documentation
# make clean   remove what these make (the folder runs/ stays)

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PYTEST_ARGS ?=

# Byte code is written when a module is first used: compiling all of it up front doubles the time of the installation,
# and without it every start of the program compiles torch and transformers anew, for eight seconds.
unexport PYTHONDONTWRITEBYTECODE
# The pip that comes with Python 3.11 takes twice as long as a new one, which therefore comes first.
PIP_INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check --no-compile

.PHONY: help demo test check docs clean
.DELETE_ON_ERROR:

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	@echo "installing into $(VENV): some minutes the first time"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP_INSTALL) 'pip>=26.3'
	$(PIP_INSTALL) -c constraints.txt -e '.[demo,dev]'
	@touch $@

# Five minutes for the audit itself: the budget cuts the samples, and the report says to what.
# The exit code is the verdict on the model. 0, 1 and 3 are verdicts; with anything else the demonstration itself failed.
demo: $(INSTALLED)
	@code=0; $(BIN)/audit run --model demo --suite full --time-budget 5m || code=$$?; \
	case $$code in \
		0) echo "make demo: done. Exit code 0: the model passed the gate." ;; \
		1) echo "make demo: done. Exit code 1: the gate refused the model, which is an answer and not an error." ;; \
		3) echo "make demo: done. Exit code 3: the evidence does not decide, or a person has to." ;; \
		*) echo "make demo: failed with exit code $$code." >&2; exit $$code ;; \
	esac

# Three processes of one thread each: tiny models gain nothing from more threads, and two of them leave a quarter of two
# cores idle while a browser, a file or a child process is waited for. In the order of the folders, because the slowest
# files are those of few tests, which would come last otherwise and leave the other processes idle.
test: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

check: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@$(MAKE) --no-print-directory docs

docs: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q tests/test_docs.py

clean:
	rm -rf $(VENV) .venv-tf4 .venv-textattack build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find audits probes reports tests benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} +
