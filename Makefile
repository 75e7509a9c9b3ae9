# make demo   sets everything up, then shows a model learning from people's preferences (two cores: about 3 minutes)
# make test   sets everything up, then runs all tests
# make bench  measures attune beside its peers (an hour and more); make bench ROW=dpo-29m measures one row
SHELL := /bin/bash
.DEFAULT_GOAL := build
.PHONY: setup build demo test parity bench format clean

setup:
	@tools/setup.sh

build: setup
	@cmake --preset release > build.log 2>&1 || { cat build.log; exit 1; }
	@rm -f build.log
	@echo "attune: building (from nothing: some minutes)"
	@cmake --build build

demo: build
	@rm -rf runs/demo && build/attune demo --out runs/demo

test: build
	@python3 tests/run.py

# Against the field's own code, live, and writes the recorded numbers that `make test` reads.
parity: build
	@tools/setup.sh parity
	@tests/parity/run.sh

# Both sides of every comparison in one interleaved run; ends non-zero when they do not compute the same.
bench: build
	@tools/setup.sh bench
	@.venv-bench/bin/python bench/run.py $(ROW)

format:
	@git ls-files '*.h' '*.cpp' | xargs clang-format -i

clean:
	@rm -rf build build-*
