"""What several tests need."""

import signal
import zlib
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples in every run; `--hypothesis-profile thorough` looks further.
settings.register_profile("fixed", derandomize=True, deadline=None, max_examples=60, database=None)
settings.register_profile("thorough", deadline=None, max_examples=3000)
settings.load_profile("fixed")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background of a shell: what is tested, processes too, is to be interrupted all the same.
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real data and the reference's selections of it, which are not part of the project."""
    if not (SHARED / "golden").is_dir():
        pytest.skip(f"no real data in {SHARED.name}/ beside the project")
    return SHARED


@pytest.fixture(scope="session", autouse=True)
def classic_zlib() -> None:
    """Tests compare with Python's zlib, which must be the classic one."""
    if "ng" in zlib.ZLIB_RUNTIME_VERSION:
        pytest.exit(f"this Python compresses with zlib {zlib.ZLIB_RUNTIME_VERSION}, not classic zlib: sizes differ")
