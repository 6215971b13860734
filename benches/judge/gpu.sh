#!/usr/bin/env bash
# Judges what a bundle lists, beside its parts: `bash gpu.sh`, where python3 (or PYTHON) has PyTorch and transformers.
# Stops starting jobs in time for `--minutes` (9); goes on where it stopped when called again. Rows go to rows.jsonl.
set -euo pipefail
cd "$(dirname "$0")"
python=${PYTHON:-python3}
for name in model.tar data.tar.xz; do
    "$python" parts.py join "$name"
    "$python" -m tarfile -e "$name" bundle
done
export PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True
export CUBLAS_WORKSPACE_CONFIG=:4096:8 HF_HUB_OFFLINE=1 TOKENIZERS_PARALLELISM=false
PYTHONPATH=bundle exec "$python" -m judge.gpu bundle "$@"
