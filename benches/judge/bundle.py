"""Everything that a machine with PyTorch and transformers needs to judge, in files of less than 50 MB.

``model.tar`` has the weights; ``data.tar.xz`` the tokens of all records that a job trains on, the jobs, the exam and
the code. Selecting and tokenising are done here.
"""

import io
import json
import shutil
import tarfile
import tempfile
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from judge import parts
from judge.encoding import Tokens
from judge.exam import Exam
from judge.plan import Job

_HERE = Path(__file__).parent
_CODE = (
    *("__init__", "data", "encoding", "evaluate", "exam", "gpu"),
    *("judging", "rows", "settings", "table", "train", "weights"),
)
_WEIGHTS = ("config.json", "generation_config.json", "*.safetensors", "*.safetensors.index.json")


def write(target: Path, jobs: Iterable[Job], tokens: Tokens, exam: Exam, model: Path, expected: float) -> list[Path]:
    """Writes the parts, and what joins and runs them, to an empty or new directory; returns the files.

    ``expected``: the base model's macro on ``glimpse(exam)``, so that another machine notices a model read wrongly.
    """
    if target.exists() and any(target.iterdir()):
        raise FileExistsError(f"{target}: is not empty")
    target.mkdir(parents=True, exist_ok=True)
    subsets: dict[tuple[Any, ...], dict[str, Any]] = {}
    listed = []
    for job in jobs:
        about = job.subset.about()
        known = about["pool"], about["method"], about["budget"], about["unit"], about["digest"]
        subsets.setdefault(known, {"about": about, "indices": job.subset.indices})
        listed.append({"subset": list(subsets).index(known), "seed": job.seed, "settings": asdict(job.settings)})
    used = sorted({index for found in subsets.values() for index in found["indices"]})
    place = {index: n for n, index in enumerate(used)}
    for found in subsets.values():
        found["indices"] = [place[index] for index in found["indices"]]
    shipped = tokens.only(used)
    plan = {
        "model": model.name,
        "expected": expected,
        "exam": asdict(exam),
        "subsets": list(subsets.values()),
        "jobs": listed,
    }
    with tempfile.TemporaryDirectory(dir=target) as place_of_archives:
        data = Path(place_of_archives, "data.tar.xz")
        with tarfile.open(data, "w:xz") as archive:
            _add(archive, "plan.json", json.dumps(plan).encode())
            narrow = np.uint16 if shipped.ids.size == 0 or shipped.ids.max() < 2**16 else np.uint32
            for name, array in (("ids", shipped.ids.astype(narrow)), ("ends", shipped.ends)):
                content = io.BytesIO()
                np.save(content, array)
                _add(archive, f"{name}.npy", content.getvalue())
            for name in _CODE:
                _add(archive, f"judge/{name}.py", (_HERE / f"{name}.py").read_bytes())
        weights = Path(place_of_archives, "model.tar")
        with tarfile.open(weights, "w") as archive:
            for path in sorted({path for pattern in _WEIGHTS for path in model.glob(pattern)}):
                _add(archive, f"{model.name}/{path.name}", path.read_bytes())
        files = [*parts.cut(weights, target), *parts.cut(data, target)]
    for name in ("parts.py", "gpu.sh"):
        shutil.copy(_HERE / name, target / name)
        files.append(target / name)
    return files


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))
