# Two commands do everything a fresh machine needs: `make demo` and `make test`.
# Both want git, make and python3; as root they install what is missing with apt, otherwise they say what to install.

PYTHON ?= python3
DEMO_PACKAGES := python3-venv
TEST_PACKAGES := python3-venv mbpoll openssl mosquitto mosquitto-clients influxdb victoria-metrics socat libmodbus5 faketime systemd chromium fonts-noto-cjk

.PHONY: demo test lint lock wheel schema bench chaos dashboards pictures clean

demo: .venv/demo
	.venv/bin/vigil demo $(DEMO_FLAGS)

test: .venv/dev
	@sh .ci/apt.sh $(TEST_PACKAGES)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo
	.venv/bin/pytest -n auto --dist worksteal

# Breaks everything at random; `make chaos MINUTES=60 SEED=7`.
chaos: .venv/dev
	@sh .ci/apt.sh $(TEST_PACKAGES)
	.venv/bin/python -m tests.scenario.chaos $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

lint: .venv/dev
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo

.venv/demo: requirements-demo.lock pyproject.toml
	@sh .ci/apt.sh $(DEMO_PACKAGES)
	@sh .ci/venv.sh $(PYTHON) requirements-demo.lock
	@touch $@

.venv/dev: requirements-dev.lock pyproject.toml
	@sh .ci/apt.sh $(DEMO_PACKAGES)
	@sh .ci/venv.sh $(PYTHON) requirements-dev.lock
	@touch $@ .venv/demo

# Pins every dependency with the hashes of all its files, for every platform it is published for.
COMPILE = .venv/bin/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host
lock: .venv/dev
	$(COMPILE) --extra demo -o requirements-demo.lock pyproject.toml
	$(COMPILE) --all-extras -c requirements-demo.lock -o requirements-dev.lock pyproject.toml

wheel: .venv/dev
	.venv/bin/python -m build --wheel

# Vigil beside plain peers, in one run; docs/benchmarks.md says how to read it.
BENCH_PACKAGES := python3-venv mosquitto gcc libc6-dev libmodbus-dev libmosquitto-dev
bench: .venv/dev
	@sh .ci/apt.sh $(BENCH_PACKAGES)
	.venv/bin/python -m bench $(BENCH_FLAGS)

# The files made from others: config/schema/, docs/configuration.md, docs/devices.md, dashboards.
schema: .venv/dev dashboards
	.venv/bin/python -m gateway.cli.schema
	.venv/bin/python -m gateway.cli.devices

# The dashboards in both languages and the alert rules, made from dashboards/source/.
dashboards: .venv/dev
	.venv/bin/python -m dashboards.source

# The pictures of the README: the demo's site with faults, in a headless chromium; about two minutes.
pictures: .venv/dev
	@sh .ci/apt.sh python3-venv socat chromium fonts-noto-cjk
	.venv/bin/python -m tests.pictures

clean:
	rm -rf .venv build dist
