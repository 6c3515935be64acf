# Every target sets up what it needs: Python 3.10 or newer and make are enough.
# The stamps in .venv say which install is done; they are remade when the requirements change.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo report lint lint-js test test-slow prepare outputs docs wheel smoke clean FORCE

VENV  := .venv
BIN   := $(VENV)/bin
PIP   := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install -q
READY := $(VENV)/.ready
RUN   := $(VENV)/.installed
DEV   := $(VENV)/.installed-dev
NEEDS := settings.ini setup.py pyproject.toml constraints.txt
SMOKE := .venv-smoke

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1 \2/p' Makefile | while read -r t d; do printf '  make %-10s %s\n' "$$t" "$$d"; done

# with PYTHON given, look whether .venv is of that version; a stamp that is not touched remakes nothing
$(READY): $(if $(PYTHON),FORCE)
	@PYTHON="$(PYTHON)" sh tools/venv.sh $(VENV)
	@test -e $@ || touch $@

$(RUN): $(READY) $(NEEDS)
	@echo "Installing recnb into $(VENV), which takes some minutes the first time"
	@$(PIP) -c constraints.txt -e .
	@touch $@

$(DEV): $(READY) $(NEEDS)
	@echo "Installing recnb and its development tools into $(VENV), which takes some minutes the first time"
	@$(PIP) -c constraints.txt -e '.[dev]'
	@touch $(RUN) $@

demo: $(RUN) ## train on a small data set and recommend; DATA=ml-100k or a csv of yours, ARGS='--user-col who'
	@$(BIN)/recnb demo $(if $(DATA),--data "$(DATA)") $(ARGS)

report: $(DEV) ## measure every model on every data set into the folder OUT; resumes; ARGS='--data toy --seeds 1'
	@$(BIN)/recnb report --out "$(or $(OUT),report)" $(ARGS)

lint: $(READY) ## are the code and the pages plain and readable?
	@$(BIN)/python tools/lint.py

lint-js: $(READY) ## check the page's html, css and js with Biome, where Node is there
	@$(BIN)/python tools/lint_js.py

test: $(DEV) lint-js ## are notebooks and modules in step, and does every notebook run?
	@$(BIN)/python tools/nb.py lint check test

test-slow: $(DEV) ## the same with the cells marked slow, which train on real data
	@$(BIN)/python tools/nb.py lint check test --slow

prepare: $(DEV) ## clean the notebooks, export the modules, write README.md
	@$(BIN)/nbdev_clean
	@$(BIN)/nbdev_export
	@$(BIN)/python tools/nb.py readme

outputs: $(DEV) ## run notebooks and store their outputs; NB=nbs/21_mf.ipynb, SLOW=1 for the slow cells
	@$(BIN)/python tools/nb.py run $(if $(SLOW),--slow) $(NB)

docs: $(DEV) ## the documentation site into _docs; a broken link is an error
	@$(BIN)/python tools/docs.py

wheel: $(DEV) ## build the wheel and the source archive into dist
	@rm -rf build dist recnb.egg-info/SOURCES.txt
	@$(BIN)/python -m build --no-isolation . >/dev/null
	@ls dist/*

# what people get: the newest fastai 2.8 with fastcore 2, and no nbdev
smoke: wheel ## install the wheel as a user would, and try it away from the source tree
	@PYTHON="$(CURDIR)/$(BIN)/python" sh tools/venv.sh $(SMOKE)
	@grep -E '^torch(vision)?==' constraints.txt >$(SMOKE)/torch.txt
	@PIP_DISABLE_PIP_VERSION_CHECK=1 $(SMOKE)/bin/python -m pip install -q -c $(SMOKE)/torch.txt 'fastai>=2.8,<2.9' dist/recnb-*.whl
	@PIP_DISABLE_PIP_VERSION_CHECK=1 $(SMOKE)/bin/python -m pip install -q --no-deps --force-reinstall dist/recnb-*.whl
	@cd / && "$(CURDIR)/$(SMOKE)/bin/python" -I "$(CURDIR)/tools/smoke.py"

clean: ## remove what was built; .venv stays
	rm -rf build dist *.egg-info _proc _docs $(SMOKE) .hypothesis nbs/.hypothesis nbs/*/.hypothesis
	find nbs recnb tools \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +
