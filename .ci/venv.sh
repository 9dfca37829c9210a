#!/bin/sh
# venv.sh PYTHON LOCKFILE: the virtual environment .venv with exactly what the lock file pins, and this checkout in it.
set -eu
python=$1
lock=$2
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Vigil needs Python 3.11 or newer; $python is $("$python" -V)" >&2
    exit 1
}
[ -x .venv/bin/pip ] || "$python" -m venv .venv
.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --editable .
