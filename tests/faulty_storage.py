"""A storage in memory that fails where it is told to: ``faulty://``, to be registered with fsspec."""

from typing import Any, ClassVar

import pytest

pytest.importorskip("fsspec", reason="URLs are read by fsspec, the extra entropylaw[storage]")
import fsspec
from fsspec.implementations.memory import MemoryFile, MemoryFileSystem


class FaultyFile(MemoryFile):
    """A file whose reads and writes are steps that may fail; half of what is written is there then."""

    def read(self, *args: Any) -> bytes:
        self.fs.step("read", self.path)
        return super().read(*args)

    def write(self, data: Any) -> int:
        try:
            self.fs.step("write", self.path)
        except BaseException:
            super().write(bytes(data)[: len(data) // 2])
            raise
        return super().write(data)


class FaultyFileSystem(MemoryFileSystem):
    """Counts what is asked of it; the step of number ``fail_at`` raises ``error`` instead."""

    protocol = "faulty"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    steps: ClassVar[list[tuple[str, str]]] = []
    fail_at: ClassVar[int | None] = None
    error: ClassVar[BaseException] = OSError()

    @classmethod
    def reset(cls, fail_at: int | None = None, error: BaseException | None = None) -> None:
        """Begins to count anew; what is stored stays."""
        cls.steps.clear()
        cls.fail_at, cls.error = fail_at, error or OSError()

    def step(self, what: str, path: str) -> None:
        self.steps.append((what, path))
        if len(self.steps) - 1 == self.fail_at:
            raise self.error

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(part) for part in path]
        return super()._strip_protocol("memory://" + path.removeprefix("faulty://").lstrip("/"))

    def info(self, path: str, **kwargs: Any) -> Any:
        self.step("info", path)
        return super().info(path, **kwargs)

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> Any:
        self.step("ls", path)
        return super().ls(path, detail, **kwargs)

    def cp_file(self, path1: str, path2: str, **kwargs: Any) -> None:
        self.step("copy", path2)
        # With what was written, not with a file at its end.
        super().cp_file(path1, path2, **kwargs)

    def _rm(self, path: str) -> None:
        self.step("remove", path)
        super()._rm(path)

    def _open(self, path: str, mode: str = "rb", **kwargs: Any) -> Any:
        self.step("open", path)
        if "w" in mode:
            file = FaultyFile(self, self._strip_protocol(path), kwargs.get("data"))
            file.commit()
            return file
        found = super()._open(path, mode, **kwargs)
        return FaultyFile(self, found.path, found.getvalue())


def register() -> None:
    """Makes ``faulty://`` known to fsspec."""
    fsspec.register_implementation("faulty", FaultyFileSystem, clobber=True)


def stored() -> dict[str, bytes]:
    """All that is stored, by path."""
    return {path: file.getvalue() for path, file in FaultyFileSystem.store.items()}
