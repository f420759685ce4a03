"""The byte code of all that a function imports, in one file: a cold start finds and opens one instead of 300.

    python -m assay.code_archive rank

writes it as the last step of an image's build, from every module of the package and all that those import. From its
start, `serve_archive`, a function imports from it. Whatever is not in it is imported as ever. The file holds no source:
tracebacks and `__file__` show the files that it was made of, which must not change after it was written.
"""

import marshal
import mmap
import os
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import MAGIC_NUMBER, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Final

ARCHIVE: Final = Path(__file__).with_name("modules.code")
LATER: Final = ("ai_edge_litert.interpreter", "tokenizers", "boto3", "pyarrow.parquet")
"""What functions import when they first need it, where it is installed."""
_LENGTH: Final = 8
Entry = tuple[str, list[str] | None, int, int]
"""A module's file, where a package's modules are, and the first byte and length of its code behind the index."""


class ArchiveFinder(MetaPathFinder):
    """Finds modules in an archive."""

    def __init__(self, index: dict[str, Entry], code: memoryview) -> None:
        self._index, self._code = index, code

    def find_spec(self, name: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return how a module is loaded, None where the archive has it not."""
        entry = self._index.get(name)
        if entry is None:
            return None
        origin, places, start, size = entry
        loader = ArchiveLoader(name, origin, self._code[start : start + size])
        return spec_from_file_location(name, origin, loader=loader, submodule_search_locations=places)


class ArchiveLoader(SourceFileLoader):
    """Loads a module from its byte code in memory; its source, for those who ask, is where it was."""

    def __init__(self, name: str, path: str, code: memoryview) -> None:
        super().__init__(name, path)
        self._held = code

    def get_code(self, fullname: str) -> CodeType:
        """Return the module's code."""
        code: CodeType = marshal.loads(self._held)  # nosec B302: the image's own file, written at its build
        return code


def serve_archive(file: Path = ARCHIVE) -> bool:
    """Import from an archive from now on; say whether there is one of this Python's."""
    try:
        with file.open("rb") as source:
            held = memoryview(mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError):
        return False
    if bytes(held[: len(MAGIC_NUMBER)]) != MAGIC_NUMBER:
        return False
    start = len(MAGIC_NUMBER) + _LENGTH
    size = int.from_bytes(held[len(MAGIC_NUMBER) : start], "little")
    index = marshal.loads(held[start : start + size])  # nosec B302: as above
    sys.meta_path.insert(0, ArchiveFinder(index, held[start + size :]))
    return True


def write_archive(file: Path = ARCHIVE) -> int:
    """Write the code of every module that this process has imported from source; return how many there are."""
    index: dict[str, Entry] = {}
    parts: list[bytes] = []
    at = 0
    for name, module in sorted(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        if spec is None or spec.name != name or not isinstance(spec.loader, SourceFileLoader) or name == __name__:
            continue  # what was not imported, or stands under two names, as a process's main module does
        places = spec.submodule_search_locations
        parts.append(marshal.dumps(spec.loader.get_code(name)))
        index[name] = (str(spec.origin), None if places is None else list(places), at, len(parts[-1]))
        at += len(parts[-1])
    said = marshal.dumps(index)
    file.write_bytes(b"".join([MAGIC_NUMBER, len(said).to_bytes(_LENGTH, "little"), said, *parts]))
    return len(index)


def import_package(name: str) -> None:
    """Import every module of a package, and of what it needs later all that is installed."""
    from importlib import import_module
    from importlib.util import find_spec
    from pkgutil import iter_modules

    package = import_module(name)
    for module in iter_modules(package.__path__):
        import_module(f"{name}.{module.name}")
    import_module("assay.lambda_runtime")
    for later in LATER:
        if find_spec(later.partition(".")[0]):
            import_module(later)


def main(arguments: list[str]) -> None:
    """Write the archive of a function's package."""
    [name] = arguments
    import_package(name)
    print(f"{ARCHIVE.name}: {write_archive()} modules, {os.path.getsize(ARCHIVE):,} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
