#!/bin/sh
# A short subset of the tests with the TensorFlow and Keras that others have installed, each pair in
# an environment of its own under _build/versions. Called by make test-versions.
# usage: versions.sh [PYTHON]
set -eu

# The first is Colab's of 2025; TensorFlow 2.19 has no packages for Python 3.13.
for pair in 2.19:3.10 2.20:3.15 2.21:3.15; do
    tensorflow=${pair%:*} keras=${pair#*:}
    place=_build/versions/$tensorflow
    echo "==> TensorFlow $tensorflow, Keras $keras"
    "${1:-.venv/bin/python}" -m venv "$place"
    "$place/bin/python" -m pip install --quiet --disable-pip-version-check -e . pytest \
        "tensorflow==$tensorflow.*" "keras==$keras.*"
    "$place/bin/python" -m pytest -q -p no:cacheprovider tests/test_gan.py tests/test_attention.py \
        tests/test_spectral_norm.py tests/test_sagan.py tests/test_dcgan.py tests/test_losses.py \
        tests/test_penalties.py tests/test_ttur.py tests/cli/test_runs.py tests/evaluation
done
