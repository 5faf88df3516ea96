# Everything a reader or an author does with the book. `make` alone lists it.
#
#   PYTHON=...   the interpreter for a new .venv (else the first fitting one on the path)
#   CH=02        the chapter for `test`, `run`, `prose`, `large`, `slides`; several: CH="02 03"; none: all
#   FILE=...     the file of tests for `check`; none: all that are quick
#   SLOW=fail    lets `check` fail where a test of it takes over five seconds
#   SEED=7       the seed of the problem sets' random numbers for `course`; else the last one, or 0
#   WORKERS=3    how many files of tests run side by side
#   CHAPTERS_AT_ONCE=2  how many chapters `book` executes side by side; all cores without

BIN = .venv/bin
# The environment of who reads and runs the book, and of who tests it, makes its PDF or its courses.
READY = .venv/.ready
ALL = .venv/.all
PYTHON =
CH =
FILE =
# One more than two cores: some tests wait for what they have started.
WORKERS = 3
# One process beside another: with more threads each, they would fight for the cores. A line for
# each file; in the order that tests/conftest.py gives them.
PYTEST = PYTHONPATH=_book TF_NUM_INTRAOP_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest
SIDE_BY_SIDE = -n $(WORKERS) --dist loadfile --no-loadscope-reorder -p lines
NBVAL = --nbval-lax --nbval-current-env --nbval-cell-timeout=1800 -p executed
# What a tier runs besides tests without a mark; tests/conftest.py says what the marks mean.
QUICK = -m "not book and not full"
BOOK = -m "not full"
export BOOK_STARTED := $(shell date +%s)
export CHAPTERS_AT_ONCE
export SLOW

.PHONY: help book read check test test-all test-versions pdf slides zip lab run large prose bench course clean pins

help:
	@echo "make book        build the book, to read at once; then execute it and build it anew"
	@echo "make read        the first half alone: _build/html/index.html from the stored outputs"
	@echo "make check       three minutes: style and the quick tests (FILE=tests/test_gan.py: one file)"
	@echo "make test        fifteen: those, every notebook, the strict build (CH=03: one chapter)"
	@echo "make test-all    everything there is"
	@echo "make pdf         the book as one file for print: _build/book.pdf (needs Chromium)"
	@echo "make slides      slides for a lecture, from the built pages: _build/html/slides/ (CH=03: one)"
	@echo "make zip         the built book as one archive to hand on: _build/book.zip"
	@echo "make lab         open the chapters in JupyterLab"
	@echo "make run CH=02   execute chapter 02 and update its notebook (no CH: all of them)"
	@echo "make large CH=02 execute chapter 02 at the large scale and keep its numbers (its fold: At 64 pixels)"
	@echo "make prose CH=02 update a notebook's text, keep its outputs (only if no code changed)"
	@echo "make bench       measure the speed of a training step, ours and others': ten minutes"
	@echo "make course      make the problem sets: assignments/release/ for students, solutions/ for you"
	@echo "make test-versions  a subset of the tests with older TensorFlows (2.19 to 2.21), 10 minutes each"
	@echo "make clean       remove what was built; .venv stays (rm -r .venv removes it)"
	@echo "make pins        renew constraints.txt from the newest versions that fit"

# A stamp is newer than the two files when the environment is up to date.
$(READY): pyproject.toml constraints.txt
	@sh _book/setup.sh book $(PYTHON)
	@touch $(READY)

$(ALL): pyproject.toml constraints.txt
	@sh _book/setup.sh book,test $(PYTHON)
	@touch $(READY) $(ALL)

book: $(READY)
	@$(BIN)/python _book/build.py make

read: $(READY)
	@$(BIN)/python _book/build.py read

# One file at once: all its tests, to the first that fails.
ifdef FILE
check: $(ALL)
	@$(BIN)/ruff check --force-exclude $(FILE)
	@$(BIN)/ruff format --check --force-exclude $(FILE)
	@$(PYTEST) -x $(FILE)
else
check: $(ALL)
	@echo "==> 1/2 style"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@echo "==> 2/2 the quick tests"
	@$(PYTEST) $(SIDE_BY_SIDE) $(QUICK) tests
endif

# One chapter at once: its two files, every cell, and the tests of its topic.
ifdef CH
test: export SAGAN_SCALE = cpu
test: $(ALL)
	@$(BIN)/python _book/notebooks.py check $(CH)
	@$(PYTEST) -x $(NBVAL) $(BOOK) $$($(BIN)/python _book/notebooks.py tests $(CH))
else
test test-all: $(ALL)
	@$(WHOLE)
endif
test: TIER = $(BOOK)

# All parts run even if one fails, so that one call shows everything that is wrong. The small scale,
# because that is the one whose outputs are stored and compared. The book is built from the stored
# outputs, because the last part executes every notebook anyway; `make book` takes them from there.
define WHOLE
export SAGAN_SCALE=cpu; failed=; \
echo "==> 1/3 style"; \
$(BIN)/ruff check . || failed="$$failed style"; \
$(BIN)/ruff format --check . || failed="$$failed format"; \
echo "==> 2/3 the book, strictly"; \
$(BIN)/python _book/build.py read || failed="$$failed book"; \
if [ -n "$$failed" ]; then echo "==> failed so far:$$failed"; fi; \
echo "==> 3/3 every notebook, against its stored outputs, and the tests"; \
$(PYTEST) $(SIDE_BY_SIDE) $(NBVAL) $(TIER) chapters tests || failed="$$failed tests"; \
if [ -n "$$failed" ]; then echo "make $@: FAILED:$$failed"; exit 1; fi
endef

# Does the library work with the TensorFlow that others have, such as Colab?
test-versions: $(ALL)
	@sh _book/versions.sh $(PYTHON)

pdf: $(ALL)
	@$(BIN)/python _book/printed.py pdf

slides: read
	@$(BIN)/python _book/slides.py $(CH)

zip: read
	@$(BIN)/python _book/printed.py zip

lab: $(READY)
	@echo "==> JupyterLab opens in the browser; Ctrl-C here ends it"
	@$(BIN)/jupyter-lab --LabApp.default_url=/lab/tree/chapters $(LAB)

run: $(READY)
	@echo "==> Executing: $(if $(CH),$(CH),all chapters)"
	@$(BIN)/python _book/notebooks.py run $(CH)

# Hours without a GPU; a chapter whose code is the one that was kept is not run again.
large: $(READY)
	@$(BIN)/python _book/large.py $(CH)

prose: $(READY)
	@$(BIN)/python _book/notebooks.py prose $(CH)

# PyTorch takes part if it can be imported. The page on speed compares with it: to renew the stored
# result, have it.
bench: $(READY)
	@echo "==> Measuring speed; nothing else should run meanwhile"
	@$(BIN)/python -m sagan_experiments bench $(BENCH)

# The notebooks of the problem sets. SEED=7 gives a class numbers of its own.
course: $(ALL)
	@echo "==> Making the problem sets and executing their solutions"
	@$(BIN)/python assignments/course.py build $(if $(SEED),--seed $(SEED))
	@echo "==> Students get assignments/release/, you keep assignments/solutions/"

clean:
	@echo "==> Removing _build and the tools' caches"
	@rm -rf _build .pytest_cache .ruff_cache
	@find . -name .venv -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
	@find chapters -name .ipynb_checkpoints -type d -prune -exec rm -rf {} +

# From 3.11, the oldest version the book supports: its pins fit the newer ones too.
pins:
	@echo "==> Installing the newest versions that fit into a fresh environment"
	@rm -rf _build/pins && $(if $(PYTHON),$(PYTHON),python3.11) -m venv _build/pins
	@_build/pins/bin/python -m pip install --quiet -e '.[book,test]'
	@grep '^#' constraints.txt > _build/pins.txt
	@_build/pins/bin/python -m pip freeze --all --exclude pip --exclude wheel --exclude-editable >> _build/pins.txt
	@mv _build/pins.txt constraints.txt && rm -rf _build/pins
	@echo "==> constraints.txt is renewed; make test-all says whether the book agrees"
