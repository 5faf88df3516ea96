#!/bin/sh
# Makes the virtual environment .venv, or brings it up to date. Called by make.
# usage: setup.sh EXTRAS [PYTHON]; EXTRAS are those of pyproject.toml, such as book or book,test
set -eu

if [ ! -x .venv/bin/python ] || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    found=
    for python in ${2:-python3.13 python3.12 python3.11 python3}; do
        if "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
            >/dev/null 2>&1; then
            found=$python
            break
        fi
    done
    if [ -z "$found" ]; then
        echo "The book needs Python 3.11, 3.12 or 3.13 (TensorFlow has no packages for others)." >&2
        echo "Looked for: ${2:-python3.13 python3.12 python3.11 python3}." >&2
        echo "Install one, or name yours: make PYTHON=/path/to/python3.12 ..." >&2
        exit 1
    fi
    echo "==> Making the virtual environment .venv with $("$found" --version)"
    "$found" -m venv --clear .venv
fi

echo "==> Installing the pinned packages into .venv ($1; about 2 GB; a minute or more the first time)"
log=_build/log/install.log
mkdir -p _build/log
# Without --no-compile a third of the time goes into code that most readers never run; Python
# compiles what it imports.
if ! .venv/bin/python -m pip install --disable-pip-version-check --no-compile \
    -c constraints.txt -e ".[$1]" >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    echo "The installation failed; all of it: $log" >&2
    exit 1
fi
echo "==> .venv is ready"
