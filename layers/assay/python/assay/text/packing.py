"""Recognise a packed input by its first bytes and unpack it: one way for requests, files and commands."""

import codecs
import re
from collections.abc import Callable, Container, Iterable, Iterator
from itertools import chain
from typing import Final, NamedTuple

from assay.errors import UPLOADS_HINT, TooLarge, UnreadableInput
from assay.text.compression import MAX_RATIO, READERS, Read, judge_ratio

_CODECS: Final = ("utf-16-le", "utf-16-be")
_ENDINGS: Final = (".gz", ".gzip", ".bgz", ".bz2", ".xz", ".zst", ".zstd", ".zip")
PACKED_TYPES: Final = (
    "application/gzip",
    "application/x-gzip",
    "application/zip",
    "application/x-zip-compressed",
    "application/bzip2",
    "application/x-bzip2",
    "application/x-bzip",
    "application/x-xz",
    "application/zstd",
    "application/x-zstd",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)
"""Content types that say how something is packed, and nothing of what is inside."""
WORKBOOKS: Final = ("xlsx", "xls", "ods")
PACKED: Final = ("", *READERS, "zip", "workbook")
PACKINGS: Final = (*PACKED, *(f"{each}+{codec}".strip("+") for each in PACKED for codec in _CODECS))
"""The words for all that is unpacked: how, and then from which encoding, `gzip+utf-16-le`; empty for plain text."""


class Look(NamedTuple):
    """How input is packed (of `PACKINGS`), the first `HEAD` bytes of the text inside, and the name of that."""

    packing: str
    head: bytes
    name: str


def look(chunks: Iterable[bytes], name: str = "") -> Look:
    """Judge input by its beginning; as many chunks are taken as that needs. Raises UnreadableInput, RuntimeMissing."""
    first, rest = split_head(chunks)
    found = recognise(first)
    packed = "" if found is None else "workbook" if found.name in WORKBOOKS else found.name
    packed = packed if packed in PACKED else ""
    names: list[str] = []
    read = _reader(packed, names.append)
    head = split_head(judge_ratio(rest, read, packed))[0] if read else first
    codec = _codec(head)
    inner = names[0].rpartition("/")[2] if names else _stem(name) if packed else name
    inner = f"{inner}.csv" if packed == "workbook" else inner
    return Look(f"{packed}+{codec}".strip("+"), b"".join(_decode([head], codec)) if codec else head, inner)


def open_text(
    chunks: Iterable[bytes], packing: str, *, limit: int | None = None, max_ratio: int = MAX_RATIO
) -> Iterator[bytes]:
    """Yield the text inside, UTF-16 as UTF-8, in pieces of a few MiB at most.

    Raises UnreadableInput where it is corrupt, truncated, out of proportion, or not one file; TooLarge over `limit`
    bytes; RuntimeMissing where this deployment has no reader for it.
    """
    packed, _, codec = packing.rpartition("+") if "+" in packing else ("", "", packing)
    if codec not in _CODECS:
        packed, codec = codec, ""
    read = _reader(packed)
    whole = judge_ratio(chunks, read, packed, limit=limit, max_ratio=max_ratio) if read else iter(chunks)
    return _decode(whole, codec) if codec else whole


def _reader(packed: str, on_name: Callable[[str], None] | None = None) -> Read | None:
    """Return what reads input that is packed so, None for plain text; `on_name` is given what is in a zip."""
    if packed == "zip":
        from assay.text.zip_archive import unzip  # few inputs are packed, and no cold start waits for these

        return (lambda each: unzip(each, on_name)) if on_name else unzip
    if packed == "workbook":
        from assay.text.workbook import read_workbook

        return read_workbook
    return READERS.get(packed)


def split_head(chunks: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Return the first `HEAD` bytes, and all chunks; no more are taken than that needs."""
    rest, taken, size = iter(chunks), [], 0
    while size < HEAD and (chunk := next(rest, None)) is not None:
        taken.append(chunk)
        size += len(chunk)
    return b"".join(taken)[:HEAD], chain(taken, rest)


def _stem(name: str) -> str:
    """Return a file's name without the ending that says how it is packed."""
    return next((name[: -len(ending)] for ending in _ENDINGS if name.lower().endswith(ending)), name)


def _codec(head: bytes) -> str:
    """Return which UTF-16 this is, empty for none: by its mark, or by a NUL beside nearly every letter."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _CODECS[0] if head.startswith(codecs.BOM_UTF16_LE) else _CODECS[1]
    if len(head) < 8 or 0 not in head:
        return ""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    most = len(head) // 2 * 9 // 10
    if even and odd:
        return ""
    return _CODECS[0] if odd > most else _CODECS[1] if even > most else ""


def _decode(chunks: Iterable[bytes], codec: str) -> Iterator[bytes]:
    """Yield UTF-16 as UTF-8; invalid characters become U+FFFD, and a byte order mark stays."""
    decoder = codecs.getincrementaldecoder(codec)("replace")
    for chunk in chunks:
        yield decoder.decode(chunk).encode("utf-8")
    yield decoder.decode(b"", True).encode("utf-8")


def unpack(body: bytes, name: str, limit: int) -> tuple[bytes, str]:
    """Return a body as unpacked text, and the name of the file inside.

    Raises UnreadableInput, TooLarge over `limit` bytes, RuntimeMissing.
    """
    found = look([body], name)
    if not found.packing:
        return body, name
    try:
        return b"".join(open_text([body], found.packing, limit=limit)), found.name
    except TooLarge as error:
        raise TooLarge(f"{error.message}; {UPLOADS_HINT}", limit=limit) from None


HEAD: Final = 1 << 16
"""Bytes of the beginning, unpacked, by which the format of any input is judged, however it came."""


class FileSignature(NamedTuple):
    """A kind of file: its short name, what people call it, how it begins, what to send instead of it."""

    name: str
    called: str
    begins: re.Pattern[bytes]
    instead: str


_TEXT: Final = "send plain text, FASTA or CSV"
_UNPACK: Final = "unpack it and send what is inside, or pack it as gzip"
_ONE: Final = "unpack it and send one file that was in it"
_SAVE: Final = "save the sheet as CSV and send that, or send the workbook by itself"
_COPY: Final = "send its text: copy it, or save it as plain text"
_EXPORT: Final = "export the column as CSV and send that"
_FASTA: Final = "write it as FASTA and send that"
_TRANSLATE: Final = "send the proteins that it codes for as FASTA"
_LIST: Final = "export the abstracts as CSV or JSON lines and send that"


def _starts(name: str, called: str, pattern: bytes, instead: str) -> FileSignature:
    return FileSignature(name, called, re.compile(pattern, re.DOTALL), instead)


CONTAINERS: Final = (
    _starts("gzip", "gzip", rb"\x1f\x8b", _UNPACK),
    _starts("bz2", "bzip2", rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)", _UNPACK),
    _starts("xz", "xz", rb"\xfd7zXZ\x00", _UNPACK),
    _starts("zstd", "Zstandard", rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18", _UNPACK),
    _starts("compress", "a file of Unix compress (.Z)", rb"\x1f[\x9d\xa0]", _UNPACK),
    _starts("lzip", "an lzip file", rb"LZIP\x01", _UNPACK),
    _starts("lz4", "an LZ4 file", rb"\x04\x22\x4d\x18", _UNPACK),
    _starts("snappy", "a Snappy file", rb"\xff\x06\x00\x00sNaPpY", _UNPACK),
    _starts("lzma", "an LZMA file", rb"\x5d\x00\x00.{2}(?:\xff{8}|.{5}\x00\x00\x00)", _UNPACK),
    _starts("7z", "a 7-Zip archive", rb"7z\xbc\xaf\x27\x1c", _ONE),
    _starts("rar", "a RAR archive", rb"Rar!\x1a\x07", _ONE),
    _starts("tar", "a tar archive", rb".{257}ustar", _ONE),
    _starts(
        "xlsx",
        "an Excel workbook",
        rb"PK\x03\x04.{26}.{0,32768}?xl/(?:workbook|worksheets|_rels|sharedS|styles|theme|drawings|media)",
        _SAVE,
    ),
    _starts("docx", "a Word document", rb"PK\x03\x04.{26}.{0,32768}?word/[a-z_]{4}", _COPY),
    _starts("pptx", "a PowerPoint file", rb"PK\x03\x04.{26}.{0,32768}?ppt/[a-z_]{4}", _COPY),
    _starts(
        "ods", "an OpenDocument sheet", rb"PK\x03\x04.{26}mimetypeapplication/vnd\.oasis\.opendocument\.spread", _SAVE
    ),
    _starts("odt", "an OpenDocument text", rb"PK\x03\x04.{26}mimetypeapplication/vnd\.oasis\.opendocument", _COPY),
    _starts("epub", "an e-book", rb"PK\x03\x04.{26}mimetypeapplication/epub", _COPY),
    _starts("office", "an Office document", rb"PK\x03\x04.{26}(?:\[Content_Types\]\.xml|_rels/|docProps/)", _COPY),
    _starts("zip", "a zip archive", rb"PK(?:\x03\x04|\x05\x06|\x07\x08|00PK)", _ONE),
)
"""What holds other files or documents, the narrower kind first."""

BINARY: Final = (
    _starts("xls", "an old Excel, Word or other Office file", rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _SAVE),
    _starts("pdf", "a PDF", rb"%PDF-", "send the text in it"),
    _starts("sqlite", "an SQLite database", rb"SQLite format 3\x00", _EXPORT),
    _starts("parquet", "a Parquet file", rb"PAR1[\x00-\x1f]", _EXPORT),
    _starts("arrow", "an Arrow or Feather file", rb"ARROW1\x00\x00|FEA1[\x00-\x1f]", _EXPORT),
    _starts("orc", "an ORC file", rb"ORC[\x08\x0a][\x00-\x08\x0e-\x1f]", _EXPORT),
    _starts("avro", "an Avro file", rb"Obj\x01", _EXPORT),
    _starts("hdf5", "an HDF5 file", rb"\x89HDF\r\n\x1a\n", _EXPORT),
    _starts("netcdf", "a NetCDF file", rb"CDF[\x01\x02\x05]", _EXPORT),
    _starts("numpy", "a NumPy file", rb"\x93NUMPY", _EXPORT),
    _starts("pickle", "a Python pickle", rb"\x80[\x02-\x05](?:\x95|\}|\]|c|\()", _EXPORT),
    _starts("rdata", "an R data file", rb"RD[AX][23]\n|[XA]\n\x00\x00\x00[\x02\x03]\x00", _EXPORT),
    _starts("stata", "a Stata file", rb"<stata_dta>|[\x71-\x73][\x01\x02]\x01\x00", _EXPORT),
    _starts("spss", "an SPSS file", rb"\$FL[23]@\(#\)", _EXPORT),
    _starts("bam", "a BAM file", rb"BAM\x01", _FASTA),
    _starts("cram", "a CRAM file", rb"CRAM[\x02\x03]", _FASTA),
    _starts("bcf", "a BCF file", rb"BCF\x02", _FASTA),
    _starts("2bit", "a 2bit file of nucleotides", rb"\x43\x27\x41\x1a|\x1a\x41\x27\x43", _FASTA),
    _starts("abi", "a trace of a sequencer (.ab1)", rb"ABIF\x00", _FASTA),
    _starts("snapgene", "a SnapGene file", rb"\t\x00\x00\x00\x0eSnapGene", _FASTA),
    _starts("png", "a picture (PNG)", rb"\x89PNG\r\n\x1a\n", _COPY),
    _starts("jpeg", "a picture (JPEG)", rb"\xff\xd8\xff", _COPY),
    _starts("gif", "a picture (GIF)", rb"GIF8[79]a", _COPY),
    _starts("tiff", "a picture (TIFF)", rb"II\*\x00|MM\x00\*", _COPY),
    _starts("webp", "a picture (WebP)", rb"RIFF.{4}WEBP", _COPY),
    _starts("heic", "a picture (HEIC)", rb".{4}ftyp(?:hei|mif|avif)", _COPY),
    _starts("executable", "a program", rb"\x7fELF|MZ\x90\x00|\xcf\xfa\xed\xfe|\xca\xfe\xba\xbe", _TEXT),
    _starts("utf-32", "text in UTF-32", rb"\xff\xfe\x00\x00|\x00\x00\xfe\xff", "save it as UTF-8"),
)
"""What is no text at all."""

DOCUMENTS: Final = (
    _starts(
        "html",
        "an HTML page",
        rb"(?i:<!doctype html|<html[\s>]|<head[\s>]|<body[\s>])",
        f"{_COPY}; it may be an error page instead of the file",
    ),
    _starts("xml", "an XML document", rb"<\?xml[\s]", "export it as plain text, CSV or JSON lines and send that"),
    _starts("rtf", "a rich text document (RTF)", rb"\{\\rtf", _COPY),
    _starts("postscript", "a PostScript file", rb"%!PS", "print it to a PDF, or send its text"),
)
"""Texts that are marked up."""

OF_SEQUENCES: Final = (
    _starts("fastq", "FASTQ", rb"@[^\n]*\n(?:[A-Za-z*.-]+\n)+\+[^\n]*\n", _FASTA),
    _starts("sam", "a SAM file", rb"@(?:HD|SQ|RG|PG|CO)\t\S", _FASTA),
    _starts("genbank", "GenBank", rb"LOCUS[ \t]+\S+[ \t]+\d+ aa\b", _FASTA),
    _starts("nucleotides", "a GenBank record of nucleotides", rb"LOCUS[ \t]+\S+[ \t]+\d+ bp\b", _TRANSLATE),
    _starts("embl", "Swiss-Prot or EMBL", rb"ID   \S[^\n]*\bAA\.[ \t]*\n", _FASTA),
    _starts("nucleotides", "an EMBL record of nucleotides", rb"ID   \S[^\n]*\bBP\.[ \t]*\n", _TRANSLATE),
    _starts("stockholm", "Stockholm", rb"# ?STOCKHOLM[ \t]+1\.", _FASTA),
    _starts("clustal", "a Clustal alignment", rb"(?:CLUSTAL|MUSCLE|PROBCONS|MSAPROBS)[ \t(][^\n]*\n", _FASTA),
    _starts("nexus", "a NEXUS file", rb"(?i:#NEXUS\b)", _FASTA),
    _starts("msf", "an MSF alignment", rb"!!(?:AA|NA)_|PileUp\b", _FASTA),
    _starts("phylip", "a PHYLIP alignment", rb"[ \t]*[1-9]\d{0,6}[ \t]+[1-9]\d{0,6}[ \t]*\n\S", _FASTA),
    _starts(
        "pdb",
        "a PDB structure",
        rb"HEADER    [A-Z]|(?:ATOM  |HETATM|CRYST1|MODEL )[ \d]{5}",
        "send the FASTA of its chains",
    ),
    _starts(
        "mmcif",
        "an mmCIF structure",
        rb"data_\S*\s+(?:#\s*)*(?:_entry|loop_|_audit|_struct|_entity)",
        "send the FASTA of its chains",
    ),
    _starts("gff", "a GFF file", rb"##gff-version", _FASTA),
    _starts("vcf", "a VCF file", rb"##fileformat=VCF", _FASTA),
    _starts("hmm", "a profile of HMMER", rb"HMMER[23]", _FASTA),
    _starts("blast", "a report of BLAST", rb"T?BLAST[NPX] \d", _FASTA),
)
"""Texts that biologists have and that are neither FASTA nor a sequence a line."""

OF_ABSTRACTS: Final = (
    _starts(
        "bibtex",
        "a BibTeX file",
        rb"(?i:@(?:article|inproceedings|book|misc|comment|string|phdthesis|techreport)\s*[{(])",
        _LIST,
    ),
    _starts("ris", "a RIS file", rb"TY  - [A-Z]", _LIST),
    _starts("nbib", "a PubMed file", rb"PMID ?- *\d", _LIST),
    _starts(
        "latex",
        "a LaTeX source",
        rb"\\documentclass\b|\\documentstyle\b",
        "send the text between \\begin{abstract} and \\end{abstract}",
    ),
)
"""Texts that hold references or papers."""

_MARK: Final = b"\xef\xbb\xbf"
_CONTROL: Final = bytes({*range(32)} - {*b"\t\n\v\f\r\x1a\x1b"} | {127})
_LEAST: Final = 64
_SHARE: Final = 20
_UNKNOWN: Final = _starts("binary", "binary data, not text", rb"", "send text")


def recognise(head: bytes, *, abstracts: bool = False) -> FileSignature | None:
    """Return what foreign kind of file begins so, None for what may be text of ours.

    `abstracts` asks for those kinds that hold abstracts, not for those that hold sequences.
    """
    known: tuple[FileSignature, ...] = (*CONTAINERS, *BINARY)
    for found in known:
        if found.begins.match(head):
            return found
    text = head[:HEAD].removeprefix(_MARK)
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    text = text.lstrip(b" \t\n")
    known = (*DOCUMENTS, *(OF_ABSTRACTS if abstracts else OF_SEQUENCES))
    for found in known:
        if found.begins.match(text):
            return found
    return _UNKNOWN if _is_binary(head[:HEAD]) else None


def refuse_file(head: bytes, *, abstracts: bool = False, but: Container[str] = ()) -> None:
    """Raise UnreadableInput where input begins as a foreign kind does, unless its name is one of `but`.

    The sentence says what it is, and what to send instead.
    """
    found = recognise(head, abstracts=abstracts)
    if found is not None and found.name not in but:
        raise unreadable(found)


def unreadable(found: FileSignature) -> UnreadableInput:
    """Return the error for a foreign kind of file: what it is, and what to send instead."""
    return UnreadableInput(f"this is {found.called}, which is not supported here: {found.instead}", found=found.name)


def _is_binary(head: bytes) -> bool:
    """Say whether one byte in twenty is a control character, which no text has."""
    odd = len(head) - len(head.translate(None, _CONTROL))
    return len(head) >= _LEAST and odd * _SHARE > len(head)
