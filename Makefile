# make serve [PORT=8080]   install what is missing, build the archive, serve it, try it with a sample photo
# make stop | status | scale N=2 [PORT=8080]
# make archive             build model_store/resformer.mar
# make test | lint
# make fonts               Debian's fonts that print is drawn with, for training and its tests
# make words [DATA=../shared/data]   read the photos that the shipped network is trained on, ten minutes
# make benchmark-accuracy [DATA=../shared/data]   the accuracy table of BENCHMARKS.md, half an hour

PORT ?= 8080
DATA ?= ../shared/data
VENV := .venv
VENV_PYTHON := $(VENV)/bin/python
ARCHIVE := model_store/resformer.mar
IS_3_11 := import sys; sys.exit(sys.version_info[:2] != (3, 11))
# A python3.11 may be on the path that does not run, such as one of a version manager.
PYTHON ?= $(shell for p in python3.11 python3 python; do $$p -c '$(IS_3_11)' 2>/dev/null && echo $$p && break; done)
FONTS := $(shell sed -n 's/^held: //; /^fonts-/p' train/ocr/synthetic/packages.txt)
SOURCES := $(shell find model handler -name __pycache__ -prune -o -print)

.PHONY: serve stop status scale archive test lint fonts words benchmark-accuracy python check
.NOTPARALLEL:

serve: check $(ARCHIVE)
	@$(VENV_PYTHON) -m scripts.torchserve.serve start --port $(PORT)

stop status: python
	@$(PYTHON) -m scripts.torchserve.serve $@ --port $(PORT)

scale: python
	@test -n "$(N)" || { echo "say how many workers: make scale N=2"; exit 2; }
	@$(PYTHON) -m scripts.torchserve.serve scale --workers $(N) --port $(PORT)

archive: $(ARCHIVE)

test: $(VENV)/.test-requirements fonts
	$(VENV_PYTHON) -m pytest

# Where they cannot be installed the tests of drawn print are skipped, and say so.
fonts:
	@if dpkg-query -W $(FONTS) > /dev/null 2>&1; then :; \
	elif command -v apt-get > /dev/null && test "$$(id -u)" = 0; then \
		echo "installing fonts that print is drawn with"; \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends $(FONTS) > /dev/null; \
	else echo "print cannot be drawn before somebody runs as root: apt-get install $(FONTS)"; fi

lint: $(VENV)/.test-requirements
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy

words: build/words/amazon-train.jsonl.gz build/words/hand-train.jsonl.gz

build/words/%.jsonl.gz: $(wildcard model/readers/*.py) | $(VENV)/.test-requirements
	GOMP_SPINCOUNT=2000 $(VENV_PYTHON) -m train.tools.ocr_cache --reader ppocr $(DATA)/$(subst -,/,$*) $@

benchmark-accuracy: $(VENV)/.test-requirements words
	@command -v tesseract > /dev/null || { echo "one of the systems compared is missing: apt-get install tesseract-ocr"; exit 1; }
	@test -d $(DATA) || { echo "no labelled photos at $(DATA); name their folder: make benchmark-accuracy DATA=..."; exit 1; }
	GOMP_SPINCOUNT=2000 $(VENV_PYTHON) -m train.evaluation.system_comparison $(DATA) build/compare

# Before anything is installed or built.
check: python
	@$(PYTHON) -m scripts.torchserve.serve check --port $(PORT)

python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 is needed: install it, or name it: make PYTHON=/path/to/python3.11"; exit 1; }

$(ARCHIVE): $(VENV)/.requirements scripts/torchserve/archive.py $(SOURCES)
	@$(VENV_PYTHON) -m scripts.torchserve.archive

$(VENV)/.requirements: requirements.txt | python
	@test -x $(VENV_PYTHON) || $(PYTHON) -m venv $(VENV)
	@echo "installing requirements.txt into $(VENV) (minutes, the first time)"
	@$(VENV_PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.test-requirements: requirements-test.txt requirements-train.txt $(VENV)/.requirements
	@$(VENV_PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements-test.txt
	@touch $@
