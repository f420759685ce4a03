"""The images' build steps run on a base that has a shell, coreutils and Python, and nothing else: AWS's has no find."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.templates import ROOT

DOCKERFILES = sorted(ROOT.glob("functions/**/Dockerfile"))
KEYWORD_LIST = "if then else elif fi do done while until for in case esac ! { } time"
BUILTIN_LIST = """
: . [ alias break cd command continue echo eval exec exit export false getopts hash printf pwd read readonly return
set shift test times trap true type ulimit umask unalias unset wait
"""
COREUTILS_LIST = """
base64 basename cat chgrp chmod chown cksum comm cp csplit cut date dd df dirname du env expand expr factor fmt fold
head id install join link ln ls md5sum mkdir mkfifo mknod mktemp mv nice nl nohup nproc numfmt od paste pr printenv
readlink realpath rm rmdir seq sha1sum sha256sum sha512sum shuf sleep sort split stat stdbuf stty sum sync tac tail
tee timeout touch tr truncate tsort tty uname unexpand uniq unlink wc whoami yes
"""
ABSENT_LIST = "awk curl dnf file find gawk grep gzip less make patch perl ps sed tar unzip which xargs xz zip"
KEYWORDS = frozenset(KEYWORD_LIST.split())
ABSENT = ABSENT_LIST.split()
ALLOWED = KEYWORDS.union(BUILTIN_LIST.split(), COREUTILS_LIST.split(), ("python3", "pip"))
WRAPPERS = frozenset({"command", "env", "exec", "nice", "nohup", "time", "timeout", "stdbuf"})
_OPENS = KEYWORDS - {"fi", "done", "for", "in", "case", "esac", "}"}
_SUBSTITUTION = re.compile(r"\$\(((?:[^()]|\([^()]*\))*)\)|`([^`]*)`")


def steps(text: str) -> list[str]:
    """Return the RUN steps of a Dockerfile, each as one line, without comments."""
    lines = re.sub(r"(?m)^\s*#.*\n", "", text).replace("\\\n", " ").splitlines()
    return [line.strip()[4:].strip() for line in lines if re.match(r"\s*RUN\s", line, re.IGNORECASE)]


def commands(step: str) -> Iterator[str]:
    """Yield every command that a step runs, inside $(...) and behind env, exec and the like too."""
    if step.startswith("["):
        yield json.loads(step)[0]
        return
    plain = re.sub(r"'[^']*'", "''", step)  # what stands between those is read by no shell
    for pair in _SUBSTITUTION.findall(plain):
        yield from (each for part in pair if part for each in commands(part))
    yield from _in_order(_SUBSTITUTION.sub("x", plain))


def _in_order(line: str) -> Iterator[str]:
    lexer = shlex.shlex(line, posix=False, punctuation_chars=True)
    lexer.whitespace_split = True
    first = True
    for token in lexer:
        if set(token) <= set(";&|()"):
            first = True
        elif first and not re.match(r"\w+=|-", token):
            name = token.strip("\"'")
            yield name
            first = name in _OPENS | WRAPPERS


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.parent.name)
def test_steps_run_only_what_awss_base_image_has(path: Path) -> None:
    text = path.read_text("utf-8")
    run = [name for step in steps(text) for name in commands(step)]
    assert {"python3", "rm", "chmod"} <= set(run)
    assert set(run) - ALLOWED == set()


def test_every_image_is_looked_at() -> None:
    template = (ROOT / "template.yaml").read_text("utf-8")
    assert {str(path.relative_to(ROOT)) for path in DOCKERFILES} == set(re.findall(r"Dockerfile: (\S+)", template))


OPENED = ["", "rm x && ", "rm x || ", "cd y; ", "cat z | ", "if ", "if true; then ", "! ", "A=1 ", "env A=1 ", "exec "]
OPENED += ["while true; do ", "python3 -c 'import x' && ", "timeout -s9 "]
CLOSED = {'cd "$(': ')"', "cd `": "`", 'echo "a $(': ')"', "( ": " )"}
WORDS = ["python3 -c 'import {}'", "rm {}", 'echo "{}"', "cd /x/{}", "cat <{}"]


@given(
    before=st.sampled_from([*OPENED, *CLOSED]),
    name=st.sampled_from(ABSENT),
    after=st.sampled_from(["", " -name x", " . -exec rm {} +"]),
)
@example(before="", name="find", after="")
def test_a_command_that_is_not_there_is_found_wherever_it_stands(before: str, name: str, after: str) -> None:
    closing = CLOSED.get(before, "")
    [step] = steps(f"FROM base\nRUN rm a \\\n # a comment\n && {before}{name}{after}{closing}\n")
    assert name in set(commands(step)) - ALLOWED


@given(st.sampled_from(ABSENT), st.sampled_from(WORDS))
def test_a_word_that_is_no_command_is_none(name: str, step: str) -> None:
    assert name not in set(commands(step.format(name)))


def test_the_other_form_of_a_step_is_read_too() -> None:
    assert list(commands('["find", "."]')) == ["find"]
