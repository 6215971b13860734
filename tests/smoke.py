"""What an installed wheel must do, without the project's sources or test tools. Run by `.ci/wheel`."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import entropylaw

sizer = entropylaw.Sizer()
sizer.append(b"one sample after the other, ")
assert sizer.probe([b"another"]).tolist() == [38], "zlib 1.3 makes 38 bytes of it"

with tempfile.TemporaryDirectory() as directory:
    subprocess.run([sys.executable, "-m", "entropylaw.demo", "--dir", directory], check=True)
    for preset in ("paper", "reference"):
        manifest = json.loads(Path(directory, f"{preset}.jsonl.manifest.json").read_text())
        records = Path(directory, f"{preset}.jsonl").read_bytes().splitlines()
        with np.load(Path(directory, f"{preset}.jsonl.picks.npz")) as picks:
            assert len(records) == len(set(picks["indices"].tolist())) == manifest["pool"]["samples"] // 10
        assert manifest["selection"]["ratio"] < manifest["pool"]["ratio"]
    command = Path(sys.executable).with_name("entropylaw")
    output = subprocess.run([command, "ratio", f"{directory}/pool.jsonl", "--json"], check=True, capture_output=True)
    assert json.loads(output.stdout)["ratio"] > 1
print(f"entropylaw {entropylaw.__version__}: works")
