"""The byte code of all that a function imports, in one file: a cold start finds and opens one instead of 300.

    python -m assay.code_archive rank

writes it as the last step of an image's build, from every module of the package and all that those import. From its
start, `serve_archive`, a function imports from it. Whatever is not in it is imported as ever. The file holds no source:
tracebacks and `__file__` show the files that it was made of, which must not change after it was written.

It names the shared libraries that were loaded too: the system is told at once that they will be read, so that it
fetches them while other code is imported.
"""

import marshal
import os
import sys
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import MAGIC_NUMBER, spec_from_file_location

TYPE_CHECKING = False  # typing's own would import typing before the archive can serve it
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

ARCHIVE = os.path.join(os.path.dirname(__file__), "modules.code")
LATER = ("ai_edge_litert.interpreter", "tokenizers", "boto3", "pyarrow.parquet")
"""What functions import when they first need it, where it is installed."""
_NEVER_AT_START = ("pyarrow", "tensorflow")
"""Whose libraries no first answer needs."""
_LENGTH = 8
_HEAD = len(MAGIC_NUMBER) + _LENGTH
Entry = tuple[str, "list[str] | None", int, int]
"""A module's file, where a package's modules are, and the first byte and length of its code behind the index."""


class ArchiveFinder:
    """Finds modules in an open archive, whose code begins at a byte."""

    def __init__(self, index: dict[str, Entry], file: int, start: int) -> None:
        self._index, self._file, self._start = index, file, start

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Return how a module is loaded, None where the archive has it not."""
        entry = self._index.get(name)
        if entry is None:
            return None
        origin, places, start, size = entry
        loader = ArchiveLoader(name, origin, self._file, self._start + start, size)
        return spec_from_file_location(name, origin, loader=loader, submodule_search_locations=places)


class ArchiveLoader(SourceFileLoader):
    """Loads a module from its byte code; tracebacks find its source at the old path."""

    def __init__(self, name: str, path: str, file: int, start: int, size: int) -> None:
        super().__init__(name, path)
        self._place = file, size, start

    def get_code(self, fullname: str) -> "CodeType":
        """Return the module's code."""
        code: CodeType = marshal.loads(os.pread(*self._place))  # nosec B302: the image's own file
        return code


def serve_archive(file: str = ARCHIVE) -> bool:
    """Import from an archive from now on; say whether there is one of this Python's."""
    try:
        source = os.open(file, os.O_RDONLY)
    except OSError:
        return False
    head = os.pread(source, _HEAD, 0)
    if head[: len(MAGIC_NUMBER)] != MAGIC_NUMBER or len(head) < _HEAD:
        os.close(source)
        return False
    size = int.from_bytes(head[len(MAGIC_NUMBER) :], "little")
    index, libraries = marshal.loads(os.pread(source, size, _HEAD))  # nosec B302: the image's own file
    sys.meta_path.insert(0, ArchiveFinder(index, source, _HEAD + size))
    for library in (file, *libraries):
        _read_ahead(library)
    return True


def _read_ahead(file: str) -> None:
    """Tell the system that a file will be read soon; nothing waits for it."""
    try:
        opened = os.open(file, os.O_RDONLY)
        os.posix_fadvise(opened, 0, 0, os.POSIX_FADV_WILLNEED)
        os.close(opened)
    except (OSError, AttributeError):  # a file that went, a system without the call
        return


def write_archive(file: str = ARCHIVE) -> int:
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
    said = marshal.dumps((index, sorted(set(_list_libraries()))))
    with open(file, "wb") as target:
        target.write(b"".join([MAGIC_NUMBER, len(said).to_bytes(_LENGTH, "little"), said, *parts]))
    return len(index)


def _list_libraries() -> "Iterator[str]":
    """Yield the shared libraries that this process has loaded, where the system tells."""
    try:
        with open("/proc/self/maps", encoding="utf-8") as maps:
            paths = [line.split(maxsplit=5)[-1].strip() for line in maps]
    except OSError:
        return
    yield from (path for path in paths if ".so" in path and not any(each in path for each in _NEVER_AT_START))


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
    print(f"{ARCHIVE}: {write_archive()} modules, {os.path.getsize(ARCHIVE):,} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
