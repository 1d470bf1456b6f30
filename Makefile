# make help lists what there is.

PORT ?= 8080
PAGE ?= 7860
DATA ?= ../shared/data
MINUTES ?= 10
CLIENTS ?= 16
SECONDS ?= 60
VENV := .venv
VENV_PYTHON := $(VENV)/bin/python
RESFORMER := $(VENV)/bin/resformer
IS_3_11 := import sys; sys.exit(sys.version_info[:2] != (3, 11))
# A python3.11 may be on the path that does not run, such as one of a version manager.
PYTHON ?= $(shell for p in python3.11 python3 python; do $$p -c '$(IS_3_11)' 2>/dev/null && echo $$p && break; done)
# OCR caches for training: READER-SET, where the set is a folder of photos in $(DATA) with dashes for slashes, and
# .copies for copies of the photos.
WORDS := \
	$(addprefix crops-,amazon-train amazon-unlabelled hand-train flipkart-train) \
	$(addprefix crops-,amazon-train.copies amazon-unlabelled.copies hand-train.copies) \
	$(addprefix builtin-,fashion-train fashion-more general-train hm-train)
FONTS := $(shell sed -n 's/^held: //; /^fonts-/p' train/ocr/synthetic/packages.txt) fonts-wqy-microhei
# Material for MkDocs announces its end of life in each run.
MKDOCS := NO_MKDOCS_2_WARNING=1 $(VENV_PYTHON) -m mkdocs
# A module's tests stay together, which share what is slow to make; the long modules are not the last.
AT_ONCE := --numprocesses logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder
PIP := $(VENV_PYTHON) -m pip install --quiet --disable-pip-version-check

.PHONY: help serve restart stop status scale archive demo docs docs-serve test test-ray test-browser test-faults \
	test-openapi fuzz image-test soak lint lock audit sbom fonts nginx faketime chromium buildah words python check
.NOTPARALLEL:
.DEFAULT_GOAL := help

help:
	@echo "make serve [PORT=8080] [ARCHIVE=FILE]   install what is missing, serve, answer a sample photo"
	@echo "make status | stop [PORT=8080]          show or stop the server"
	@echo "make restart [PORT=8080]                serve the archive anew, without losing a request"
	@echo "make scale N=2 [PORT=8080]              set the number of workers"
	@echo "make demo [PAGE=7860] [PORT=8080]       a page to try photos and tables on; serves first where nothing does"
	@echo "make archive                            build model_store/resformer.mar"
	@echo "make docs | docs-serve                  build the documentation site in build/site; show it on port 8000"
	@echo "make test | test-browser | lint         run the tests; those in a browser; check style and types"
	@echo "make test-ray                           run the tests on a Ray cluster of this machine"
	@echo "make fuzz [SECONDS=60]                  try broken photos, requests and texts, so long each"
	@echo "make test-openapi                       send the server what its OpenAPI description allows and forbids, a minute"
	@echo "make lock | audit | sbom                lock all requirements anew; look for known vulnerabilities; list what is inside"
	@echo "make image-test                         build the container image and run it, some five minutes, as root"
	@echo "make test-faults                        run the tests that break a server: hung worker, full disk, restart"
	@echo "make soak [MINUTES=10] [CLIENTS=16]     load the server on PORT while its workers are killed"
	@echo "make fonts                              Debian's fonts for drawn text, for training and its tests"
	@echo "make words [DATA=../shared/data]        OCR of the photos that networks are trained on, forty minutes"
	@echo "$(RESFORMER) --help       all commands, once make serve or make test has installed them"

serve: check $(VENV)/.requirements nginx
	@$(RESFORMER) serve --port $(PORT) $(if $(ARCHIVE),--archive "$(ARCHIVE)")

# `resformer status` succeeds where a server is ready on the port.
demo: python nginx $(VENV)/.demo-requirements
	@$(RESFORMER) status --port $(PORT) > /dev/null 2>&1 || $(RESFORMER) serve --port $(PORT)
	@$(RESFORMER) demo --port $(PAGE) --server http://127.0.0.1:$(PORT)/predictions/resformer

restart: $(VENV)/.requirements nginx
	@$(RESFORMER) restart --port $(PORT) $(if $(ARCHIVE),--archive "$(ARCHIVE)")

stop status: installed
	@$(RESFORMER) $@ --port $(PORT)

scale: installed
	@test -n "$(N)" || { echo "say how many workers: make scale N=2"; exit 2; }
	@$(RESFORMER) scale --port $(PORT) -- $(N)

archive: $(VENV)/.requirements
	@$(RESFORMER) archive

.PHONY: installed
installed:
	@test -x $(RESFORMER) || { echo "nothing is installed and nothing serves; start with: make serve PORT=$(PORT)"; exit 1; }

docs: $(VENV)/.docs-requirements
	$(MKDOCS) build --strict

docs-serve: $(VENV)/.docs-requirements
	$(MKDOCS) serve

test: $(VENV)/.test-requirements fonts nginx
	$(VENV_PYTHON) -m pytest -m "not browser and not ray and not image and not faults and not openapi" $(AT_ONCE)

test-ray: $(VENV)/.ray-requirements
	$(VENV_PYTHON) -m pytest -m ray

image-test: $(VENV)/.test-requirements buildah
	$(VENV_PYTHON) -m pytest -m image

# As root: network namespaces and small file systems take it; without them these tests are skipped, and say so.
test-faults: $(VENV)/.test-requirements nginx faketime
	$(VENV_PYTHON) -m pytest -m faults

# The server runs already, on this machine.
soak: installed
	@$(RESFORMER) benchmark soak --port $(PORT) --minutes $(MINUTES) --clients $(CLIENTS) --out docs/benchmarks

test-browser: $(VENV)/.test-requirements chromium
	$(VENV_PYTHON) -m pytest -m browser

test-openapi: $(VENV)/.test-requirements nginx
	$(VENV_PYTHON) -m pytest -m openapi

fuzz: $(VENV)/.fuzz-requirements
	$(VENV_PYTHON) -m resformer.scripts.fuzz.run_fuzzers --seconds $(SECONDS)

# Where they cannot be installed the tests of drawn text are skipped, and say so.
fonts:
	@if dpkg-query -W $(FONTS) > /dev/null 2>&1; then :; \
	elif command -v apt-get > /dev/null && test "$$(id -u)" = 0; then \
		echo "installing fonts that text is drawn with"; \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends $(FONTS) > /dev/null; \
	else echo "text cannot be drawn before somebody runs as root: apt-get install $(FONTS)"; fi

# nginx stands in front of the server. Whoever may not install packages has it unpacked here.
nginx:
	@if PATH="$$PATH:/usr/sbin:/usr/local/sbin:build/nginx/usr/sbin" command -v nginx > /dev/null; then :; \
	elif ! command -v apt-get > /dev/null; then \
		echo "nginx is missing, which stands in front of the server; install the package nginx"; exit 1; \
	elif test "$$(id -u)" = 0; then \
		echo "installing nginx, which stands in front of the server"; \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends nginx-light > /dev/null; \
	else echo "unpacking nginx into build/nginx"; \
		mkdir -p build/nginx && cd build/nginx && apt-get download -qq nginx && dpkg -x nginx_*.deb . && rm nginx_*.deb; \
	fi

# For the test of a clock that jumps, which is skipped without it, and says so.
faketime:
	@if dpkg-query -W libfaketime > /dev/null 2>&1; then :; \
	elif command -v apt-get > /dev/null && test "$$(id -u)" = 0; then \
		echo "installing libfaketime, by which the clock is moved"; \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends libfaketime > /dev/null; \
	else echo "the clock is not moved before somebody runs as root: apt-get install libfaketime"; fi

# For the test of the image, which is skipped without them, and says so.
buildah:
	@if command -v buildah && command -v runc && command -v debootstrap; then :; \
	elif command -v apt-get > /dev/null && test "$$(id -u)" = 0; then \
		echo "installing what the image is built and run with"; \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends buildah runc debootstrap > /dev/null; \
	else echo "the image is not tested before somebody runs as root: apt-get install buildah runc debootstrap"; fi

# For the tests of the page, which are skipped without it, and say so.
chromium:
	@if command -v chromium > /dev/null; then :; \
	elif command -v apt-get > /dev/null && test "$$(id -u)" = 0; then \
		echo "installing Chromium, which the page is tested with"; \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium > /dev/null; \
	else echo "the page is not tested before somebody runs as root: apt-get install chromium"; fi

lint: $(VENV)/.test-requirements
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy

lock: $(VENV)/.test-requirements
	$(VENV_PYTHON) -m resformer.scripts.supply_chain.make_locks

audit: $(VENV)/.test-requirements
	$(VENV_PYTHON) -m resformer.scripts.supply_chain.audit

sbom: $(VENV)/.test-requirements archive
	$(VENV_PYTHON) -m resformer.scripts.supply_chain.bill_of_materials

words: $(WORDS:%=build/words/%.jsonl.gz)

build/words/%.jsonl.gz: $(wildcard model/ocr/*.py) | $(VENV)/.test-requirements
	@set -- $(subst -, ,$(basename $*)); echo $@; \
	GOMP_SPINCOUNT=2000 $(RESFORMER) data ocr --photos $(DATA)/$$2/$$3 --reader $$1 \
		$(if $(filter %.copies,$*),--copies) --out $@

# Before anything is installed or built.
check: python
	@$(PYTHON) -m resformer.scripts.torchserve.check_ports "$(PORT)"

python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 is needed: install it, or name it: make PYTHON=/path/to/python3.11"; exit 1; }

# Every package is installed at the version and with the SHA-256 of locks/, see `make lock`. The project itself is
# installed last, as the command resformer, whose code stays in this folder. In the mode compat Python finds it also from
# the folder above, where a clone that is named resformer hides other ways of installing. Newer versions of pip show that
# setuptools warns of folders that hold data.
$(VENV)/.requirements: locks/serve.txt pyproject.toml | python
	@test -x $(VENV_PYTHON) || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) (some 6 GB and minutes, the first time)"
	@$(PIP) -r locks/serve.txt
	@PYTHONWARNINGS=ignore $(PIP) --no-deps --no-build-isolation --config-settings editable_mode=compat --editable .
	@touch $@

$(VENV)/.docs-requirements: locks/docs.txt $(VENV)/.requirements
	@$(PIP) -r locks/docs.txt
	@touch $@

$(VENV)/.demo-requirements: locks/demo.txt locks/gradio.txt $(VENV)/.requirements
	@$(PIP) -r locks/demo.txt
	@$(PIP) --no-deps -r locks/gradio.txt
	@touch $@

$(VENV)/.ray-requirements: locks/ray.txt $(VENV)/.test-requirements
	@$(PIP) -r locks/ray.txt
	@touch $@

$(VENV)/.fuzz-requirements: locks/fuzz.txt $(VENV)/.test-requirements
	@$(PIP) -r locks/fuzz.txt
	@touch $@

$(VENV)/.test-requirements: locks/test.txt $(VENV)/.demo-requirements $(VENV)/.docs-requirements
	@$(PIP) -r locks/test.txt
	@touch $@
