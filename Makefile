# make           a virtual environment in .venv, then the list of targets
# make demo      colour the photos in demo/photos
#
# Source files are no prerequisites of results: an edit must not start days of
# training. The commands themselves skip what is finished and resume the rest.

PYTHON ?=
CLIPS ?= data/clips
CVCL ?= data/cvcl
EVERYDAY ?= data/everyday
GENERAL ?= data/general
ILSVRC ?= data/ilsvrc
MCGILL ?= data/mcgill
MIRFLICKR ?= data/mirflickr
DATA ?= data/photos
EVERYDAY_TEST ?= data/everyday_test
EVERYDAY_LIST ?=
EVERY ?=
EPOCHS ?=
ENGINE ?=
SCALE ?= quick
SCHEDULER ?=
ADDRESS ?= 127.0.0.1
PORT ?= 8000
DOCKER ?= docker
IMAGE ?= colornet
GPUS ?= $(if $(filter %:cpu,$(IMAGE)),,--gpus all)
RUNS ?= runs
RESULTS ?= $(RUNS)/results

VENV := .venv
PIP := $(VENV)/bin/python -m pip
COLORNET := $(VENV)/bin/python -m colornet
# Quoted for folders of any name, which hides ~ from the shell.
quoted = '$(subst ','\'',$(if $(filter ~/%,$(1)),$(patsubst \
    ~/%,$(HOME)/%,$(1)),$(1)))'
PHOTOS = $(call quoted,$(CVCL))
OUT = $(call quoted,$(RUNS))
FIGURE_DATA =
FIGURES := figure1 figure2 figure3 figure4 figure5 figure6 figure7 figure8
NEEDED :=
WHEELS :=
CODE := setup.py $(wildcard benchmarks colornet reliability tests tools)
DATA_SETS := CVCL DATA EVERYDAY EVERYDAY_TEST GENERAL ILSVRC MCGILL MIRFLICKR
STUDIES := $(patsubst experiments/%.ini,%,$(shell grep -l '^\[study\]' experiments/*.ini 2>/dev/null))
# The tests are of the CPU's graph; "colornet selftest" is for a GPU.
NOSETESTS := COLORNET_DEVICE=cpu NOSE_IGNORE_CONFIG_FILES=1 $(VENV)/bin/python -m tests
# Without "compat", Python started beside a clone called colornet takes that
# for the package.
EDITABLE := --use-pep517 --config-settings editable_mode=compat --editable
# $(call pip_install,ARGUMENTS)
pip_install = $(PIP) install $(1) > $(VENV)/pip.log 2>&1 || \
    { tail -n 20 $(VENV)/pip.log >&2; exit 1; }

.DELETE_ON_ERROR:
.PHONY: install python help check-gpu demo test test-slow test-engines data-cvcl train-cvcl train-cvcl-more \
    train-best adversarial train-everyday train-everyday-gpu train-mcgill train-ilsvrc \
    train-mirflickr train-folder table1 table2 $(FIGURES) decodings everyday hints flicker \
    consistency $(STUDIES) experiments report benchmark benchmark-sizes reliability docker \
    docker-cpu lint clean FORCE

install: $(VENV)/installed help

# The stamp comes last, so that an interrupted installation starts again. It
# names the Python: asking for another one makes another environment.
# NEEDED is set where it must be one for PyTorch, too.
# An older pip takes packages that are not for its Python.
$(VENV)/installed: setup.py
	@python=$$(tools/find-python $(NEEDED) $(PYTHON)) && \
	echo "Installing into $(VENV) with $$python, a few minutes at most" && \
	rm -rf $(VENV) && "$$python" -m venv $(VENV) && \
	echo "$$python $(PYTHON)" > $(VENV)/python
	@$(call pip_install,'pip>=22.1')
	@$(call pip_install,$(EDITABLE) .)
	@mv $(VENV)/python $@

ifneq ($(PYTHON),)
ifeq ($(filter $(PYTHON),$(file <$(VENV)/installed)),)
$(VENV)/installed: FORCE
endif
endif

# For systems whose own Python is too new to train.
python: ## fetch a Python 3.11 into .python, by uv, and install with it
	@python=$$(tools/fetch-python .python) && \
	    $(MAKE) --no-print-directory PYTHON="$$python" install

help: ## this list
	@echo 'usage: make [TARGET] [PYTHON=python3.8 or newer]'
	@sed -n 's/^\([a-z0-9%-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 19
	@echo 'studies of CVCL=folder, SCALE=quick or full:'
	@echo '$(STUDIES)' | fold -s -w 76 | sed 's/^/  /'

demo: $(VENV)/installed ## colour demo/photos into RUNS/demo
	$(COLORNET) demo --out $(OUT)/demo

serve: $(VENV)/web ## a page in the browser that colours photos, at PORT=8000
	$(COLORNET) serve --host $(call quoted,$(ADDRESS)) --port $(call quoted,$(PORT))

test: $(VENV)/installed ## the quick tests
	$(NOSETESTS) -a '!slow' tests

test-slow: $(VENV)/installed ## the tests that train
	$(NOSETESTS) -a slow tests

# What is not for everybody: ONNX Runtime beside Theano, for export and its
# tests; the page's server, with films, and what drives a browser in its tests;
# what other
# tests need, of HEIC and camera raw wheels only, as to build them needs
# libraries; PyTorch, for trainings that ask for it, and ONNX Runtime with it for
# the benchmarks.
# Of Pythons that PyTorch is not for, none replaces $(VENV), or is in it.
$(VENV)/onnx: EXTRAS := onnx
$(VENV)/web: EXTRAS := web,video
$(VENV)/browser: EXTRAS := web,browser
$(VENV)/extras: EXTRAS := heif,raw,completion,cluster,video
$(VENV)/extras: WHEELS := --only-binary pillow-heif,rawpy
$(VENV)/pytorch: EXTRAS := pytorch
$(VENV)/pytorch: NEEDED := --pytorch
$(VENV)/benchmarks: EXTRAS := onnx,pytorch
$(VENV)/benchmarks: NEEDED := --benchmarks
$(VENV)/onnx $(VENV)/web $(VENV)/browser $(VENV)/extras $(VENV)/pytorch \
    $(VENV)/benchmarks: setup.py $(VENV)/installed
	@tools/find-python $(NEEDED) $(VENV)/bin/python > /dev/null
	@echo "Installing $(EXTRAS) into $(VENV), a few minutes at most"
	@$(call pip_install,$(WHEELS) $(EDITABLE) '.[$(EXTRAS)]')
	@touch $@

# Of all engines, beside each other.
test-engines: $(VENV)/benchmarks ## all tests of PyTorch, ONNX Runtime and the benchmarks, slow ones, too
	$(NOSETESTS) tests/pytorch tests/prediction tests/test_benchmark*.py

lint: $(VENV)/lint ## the style of the code, by setup.cfg
	$(VENV)/bin/python -m flake8 $(CODE)
	$(VENV)/bin/python -m isort --check-only --diff $(CODE)

$(VENV)/lint: tools/lint-requirements.txt $(VENV)/installed
	@$(call pip_install,-r $<)
	@touch $@

data-cvcl: $(if $(filter data/cvcl,$(CVCL)),,check-CVCL) $(VENV)/installed ## fetch the photos into data/cvcl; with CVCL=folder, check that folder
	$(COLORNET) data cvcl $(if $(filter data/cvcl,$(CVCL)),--out,--verify) $(PHOTOS)

# Before minutes of installation: check-DATA is of the folder DATA.
CHECK_CVCL = ; "make data-cvcl" fetches data/cvcl
check-%: FORCE
	@[ -d $(call quoted,$($*)) ] || { printf 'colornet: %s%s\n' \
	    $(if $($*),'there is no folder '$(call quoted,$($*)),'$* is empty') \
	    '; give yours as $*=folder$(CHECK_$*)' >&2; exit 2; }

# $(call train,EXPERIMENT,FOLDER)
TRAIN = $(COLORNET) train$(if $(ENGINE), --engine $(ENGINE))
TRAINER := $(VENV)/$(if $(filter pytorch,$(ENGINE)),pytorch,installed)
train = $(TRAIN) experiments/$(1).ini --data $(2) \
    --out $(OUT)/$(1) $(if $(EPOCHS),--set training.epochs=$(call \
    quoted,$(EPOCHS)))

train-cvcl: check-CVCL $(TRAINER) ## train both networks on CVCL=data/cvcl, for EPOCHS=n, by ENGINE=pytorch
	$(call train,cvcl_classification,$(PHOTOS))
	$(call train,cvcl_regression,$(PHOTOS))

train-cvcl-more: check-CVCL $(TRAINER) ## train Table 2's second seed and its L2 regression
	$(call train,cvcl_classification_2017,$(PHOTOS))
	$(call train,cvcl_regression_l2,$(PHOTOS))

train-best: check-GENERAL check-CVCL $(TRAINER) ## train both on the photos in GENERAL=folder, then on CVCL
	$(call train,general_classification,$(call quoted,$(GENERAL)))
	$(call train,cvcl_best,$(PHOTOS) --set \
	    training.start_from=$(OUT)/general_classification)
	$(call train,general_regression,$(call quoted,$(GENERAL)))
	$(call train,cvcl_best_regression,$(PHOTOS) --set \
	    training.start_from=$(OUT)/general_regression)

# What it starts from ships; free photos show both, test photos score both.
adversarial: check-CVCL $(VENV)/installed ## train our best against a discriminator: RUNS/adversarial, .jpg, tables
	$(if $(filter pytorch,$(ENGINE)),$(error colornet: only Theano trains against \
	    a discriminator))
	$(call train,adversarial,$(PHOTOS))
	$(COLORNET) everyday --data demo/photos --network weights/cvcl_best.h5 \
	    --network $(OUT)/adversarial --out $(OUT)/adversarial_photos.csv \
	    --sheet $(OUT)/adversarial.jpg \
	    --decoding "method=mean temperature=0.38 saturation=1"
	$(VENV)/bin/python tools/adversarial_table.py $(PHOTOS) $(OUT)/adversarial \
	    $(OUT)/adversarial_test.csv $(OUT)/adversarial_held_out.csv

train-everyday: check-EVERYDAY $(TRAINER) ## train on the photos in EVERYDAY=folder, for photos of all kinds
	$(call train,everyday,$(call quoted,$(EVERYDAY)))

# Before gigabytes of PyTorch are installed for nothing. From Python 3.12 on,
# PyTorch trains on the CPU, too.
check-gpu:
	@command -v nvidia-smi > /dev/null || { \
	python=$(if $(PYTHON),,$(wildcard $(VENV)/bin/python)); \
	python=$${python:-$$(tools/find-python $(PYTHON) 2> /dev/null)}; \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 12))' \
	    2> /dev/null && by=' ENGINE=pytorch'; \
	echo "colornet: there is no NVIDIA GPU here (no nvidia-smi); make" \
	    "train-everyday$$by trains on the CPU" >&2; exit 2; }

train-everyday-gpu: TRAIN = $(COLORNET) train --engine pytorch --device cuda --bfloat16
train-everyday-gpu: check-gpu check-EVERYDAY $(VENV)/pytorch ## the same in minutes, by PyTorch on a CUDA GPU
	$(call train,everyday,$(call quoted,$(EVERYDAY)))

train-mcgill: check-MCGILL $(TRAINER) ## train on MCGILL=data/mcgill; likewise:
	$(call train,mcgill_classification,$(call quoted,$(MCGILL)))

train-ilsvrc: check-ILSVRC $(TRAINER) ## ILSVRC=data/ilsvrc
	$(call train,ilsvrc_classification,$(call quoted,$(ILSVRC)))

train-mirflickr: check-MIRFLICKR $(TRAINER) ## MIRFLICKR=data/mirflickr
	$(call train,mirflickr_classification,$(call quoted,$(MIRFLICKR)))

train-folder: check-DATA $(TRAINER) ## DATA=folder, your own photos
	$(call train,folder_classification,$(call quoted,$(DATA)))

table1: $(VENV)/installed ## count the photos of all data sets: RUNS/table1.csv
	$(COLORNET) table1 --cvcl $(PHOTOS) --mcgill $(call quoted,$(MCGILL)) \
	    --ilsvrc $(call quoted,$(ILSVRC)) \
	    --mirflickr $(call quoted,$(MIRFLICKR)) --out $(OUT)/table1.csv

table2: check-CVCL $(VENV)/installed ## score them: RUNS/table2.csv
	$(COLORNET) table2 --data $(PHOTOS) --runs $(OUT) --out $(OUT)/table2.csv

decodings: check-CVCL $(VENV)/installed ## compare ways from class scores to colours: RUNS/decodings.csv, .png
	$(COLORNET) decodings $(firstword $(wildcard $(RUNS)/cvcl_classification/best.h5) \
	    weights/cvcl_classification.h5) --data $(PHOTOS) --out $(OUT)/decodings.csv

everyday: check-EVERYDAY_TEST $(VENV)/installed ## score the networks on EVERYDAY_TEST=folder, EVERYDAY_LIST=nature: RUNS/everyday.csv, .jpg
	$(COLORNET) everyday --data $(call quoted,$(EVERYDAY_TEST)) \
	    $(if $(EVERYDAY_LIST),--list $(call quoted,$(EVERYDAY_LIST))) \
	    --out $(OUT)/everyday.csv --sheet $(OUT)/everyday.jpg

hints: check-EVERYDAY_TEST $(VENV)/installed ## what hints bring on EVERYDAY_TEST=folder, EVERYDAY_LIST=nature: RUNS/hints.csv, .png, .jpg
	$(COLORNET) hints --data $(call quoted,$(EVERYDAY_TEST)) \
	    $(if $(EVERYDAY_LIST),--list $(call quoted,$(EVERYDAY_LIST))) \
	    --out $(OUT)/hints.csv --sheet $(OUT)/hints.jpg

data/clips: $(VENV)/installed
	$(VENV)/bin/python tools/fetch_clips.py $@

flicker: $(if $(filter data/clips,$(CLIPS)),,check-CLIPS) $(VENV)/extras $(filter data/clips,$(CLIPS)) ## how much films flicker, smoothed and not, on CLIPS=data/clips: RUNS/flicker.csv
	$(COLORNET) flicker --data $(call quoted,$(CLIPS)) \
	    $(if $(ENGINE),--engine $(ENGINE)) --out $(OUT)/flicker.csv

consistency = $(COLORNET) consistency$(if $(ENGINE), --engine $(ENGINE)) --cvcl $(PHOTOS) \
    --everyday $(call quoted,$(EVERYDAY_TEST)) \
    $(if $(EVERYDAY_LIST),--list $(call quoted,$(EVERYDAY_LIST)))

# All ways take long: of them, EVERY leaves photos out, not of what photos get.
consistency: check-CVCL check-EVERYDAY_TEST $(VENV)/$(or $(filter onnx pytorch,$(ENGINE)),installed) ## what makes colours even, on CVCL and EVERYDAY_TEST, EVERY=4th of it: RUNS/consistency*
	$(consistency) $(if $(EVERY),--every $(call quoted,$(EVERY))) \
	    --out $(OUT)/consistency.csv --sheet $(OUT)/consistency.jpg
	$(consistency) --default --out $(OUT)/consistency_default.csv

figure1: ## a photo and its colours: RUNS/figure1.png
figure2: ## the regression network; figure3: the classification network
figure4: ## photos of the data set: RUNS/figure4.png, and so on
figure5: ## outputs of both networks
figure6: ## outputs on ImageNet, ILSVRC=data/ilsvrc, of a network trained on it or the everyday one
figure7: ## the most inconsistent outputs
figure8: ## the least saturated outputs
figure4 figure5 figure7 figure8: FIGURE_DATA = --data $(PHOTOS)
figure6: FIGURE_DATA = --data $(call quoted,$(ILSVRC))
# One rule for each folder: what a rule with commands needs is made first.
figure = $(COLORNET) figure $(@:figure%=%) $(FIGURE_DATA) --runs $(OUT) --out $(OUT)/$@.png
figure1 figure2 figure3: $(VENV)/installed
	$(figure)
figure4 figure5 figure7 figure8: check-CVCL $(VENV)/installed
	$(figure)
figure6: check-ILSVRC $(VENV)/installed
	$(figure)
# One rule each, as those of several make all of them.
no_such = echo "colornet: there is no $@; there are figure1 to figure8, table1 and table2" \
    >&2; exit 2
figure%:
	@$(no_such)
table%:
	@$(no_such)

study = $(COLORNET) study $(1) --data $(PHOTOS) --scale $(SCALE) \
    --runs $(OUT)/studies --results $(call quoted,$(RESULTS)) \
    $(if $(SCHEDULER),--scheduler $(call quoted,$(SCHEDULER)))

report = $(COLORNET) report --runs $(OUT) --results $(call quoted,$(RESULTS)) \
    --out $(OUT)/report.html

$(STUDIES): check-CVCL $(VENV)/installed
	$(call study,$(strip $@ $(AND)))

# The paper's trials, then its "entire training set".
learning-rate: AND = learning-rate-whole

# Figure 6 needs photos that "make" cannot fetch.
no_photos = $(shell test -d $(call quoted,$(ILSVRC)) || echo figure6)
experiments: table1 table2 $(filter-out $(no_photos),$(FIGURES)) decodings ## all tables, figures and studies at SCALE=quick, on one page
	$(call study,all); status=$$?; $(report) && exit $$status

.PHONY: docs docs-figures
docs: $(VENV)/installed ## write docs/studies.rst and docs/formats.rst
	$(VENV)/bin/python tools/studies_page.py docs/studies.rst
	$(VENV)/bin/python tools/formats_page.py docs/formats.rst

# Of the networks that ship, whatever is in RUNS; of photos that may be shown.
docs-figures: $(VENV)/installed ## Figures 5, 7 and 8 of demo/photos, into docs/
	for number in 5 7 8; do $(COLORNET) figure $$number --data demo/photos \
	    --dataset folder --runs weights --out docs/figure$$number.jpg || exit; done

report: $(VENV)/installed ## what there is of them on one page: RUNS/report.html
	$(report)

benchmark: $(VENV)/benchmarks ## time training and prediction beside PyTorch: RUNS/benchmark.csv
	$(VENV)/bin/python -m benchmarks.run --out $(OUT)/benchmark.csv

benchmark-sizes: $(VENV)/benchmarks ## time and memory by batch and image size: RUNS/benchmark_sizes.csv, .png
	$(VENV)/bin/python -m benchmarks.sizes --out $(OUT)/benchmark_sizes.csv

reliability: $(VENV)/pytorch $(VENV)/web $(VENV)/onnx $(VENV)/extras ## faults and load on purpose, 2 hours at most: what was lost
	status=0; for part in supply page sizes cluster folders film 'photos --fast' inputs \
	    trainings; do \
	    $(VENV)/bin/python -m reliability.$$part || status=1; done; \
	    exit $$status

# $(call docker_build,IMAGE,DEVICE)
docker_build = $(DOCKER) build --tag $(1) --build-arg DEVICE=$(2) \
    --build-arg COMMIT=$(or $(shell git describe --always --abbrev=40 --dirty \
    --exclude='*' 2>/dev/null),unknown) --build-arg VERSION=$(shell \
    sed -n "s/^__version__ = '\(.*\)'/\1/p" colornet/__init__.py) .

docker: ## build the image colornet, for a CUDA GPU
	$(call docker_build,colornet,cuda)

docker-cpu: ## build the image colornet:cpu
	$(call docker_build,colornet:cpu,cpu)

docker-%: FORCE ## run another target in IMAGE=colornet or colornet:cpu, such as docker-test
	@$(foreach name,DOCKER IMAGE GPUS PORT RUNS $(DATA_SETS),$(name)=$(call \
	    quoted,$($(name)))) \
	    GIVEN='$(foreach name,$(DATA_SETS),$(if \
	    $(filter file,$(origin $(name))),,$(name)))' \
	    docker/run.sh $* EPOCHS=$(call quoted,$(EPOCHS)) SCALE=$(call quoted,$(SCALE)) \
	    $(foreach name,EVERYDAY_LIST SCHEDULER,$(if \
	    $($(name)),$(name)=$(call quoted,$($(name)))))

clean: ## remove .venv, .python and caches, never data, runs or weights
	rm -rf $(VENV) .python build dist colornet.egg-info
	find benchmarks colornet reliability tests -name __pycache__ -prune -exec rm -rf {} +
