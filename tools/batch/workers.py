"""Spread shards over worker processes, which share files only: no semaphores, no shared memory."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue

from tools.batch.inputs import Told
from tools.batch.worker import BatchRun

COMMAND = (sys.executable, "-m", "tools.batch.worker")


class Lost(Exception):
    """A process ended without an answer, or said why it cannot go on."""


def rank_shards(desk: BatchRun, shards: Sequence[int], processes: int, told: Told) -> None:
    """Rank shards in so many processes; each takes the next one when it has done its last. Raises Lost."""
    waiting: SimpleQueue[int] = SimpleQueue()
    for index in shards:
        waiting.put(index)
    errors: list[Exception] = []
    with _start(desk, min(processes, len(shards))) as started:
        threads = [threading.Thread(target=_drive, args=(each, waiting, told, errors), daemon=True) for each in started]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if errors:
        raise errors[0]


@contextmanager
def _start(desk: BatchRun, count: int) -> Iterator[list["subprocess.Popen[str]"]]:
    """Start processes; end them with the block, whether they are done or not."""
    environment = {"POWERTOOLS_LOG_LEVEL": "ERROR", **os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    pipe = subprocess.PIPE
    processes: list[subprocess.Popen[str]] = []
    try:
        for _ in range(count):
            processes.append(subprocess.Popen(COMMAND, stdin=pipe, stdout=pipe, text=True, env=environment))
            _say(processes[-1], desk.to_json())
        yield processes
    finally:
        for process in processes:
            process.terminate()
            _close(process)
            process.wait()


def _drive(process: "subprocess.Popen[str]", waiting: "SimpleQueue[int]", told: Told, errors: list[Exception]) -> None:
    """Give a process shards until there are no more, or one failed anywhere."""
    try:
        while not errors:
            _one(process, waiting.get_nowait(), told)
    except Empty:
        return
    except Exception as error:
        errors.append(error)


def _one(process: "subprocess.Popen[str]", index: int, told: Told) -> None:
    _say(process, str(index))
    assert process.stdout is not None
    for line in process.stdout:
        said = json.loads(line)
        if "error" in said:
            raise Lost(said["message"])
        if "done" in said:
            return
        told(said["read"])
    raise Lost(f"a process ended with status {process.wait()} in shard {index + 1}; is there memory enough?")


def _say(process: "subprocess.Popen[str]", line: str) -> None:
    assert process.stdin is not None
    try:
        print(line, file=process.stdin, flush=True)
    except (BrokenPipeError, ValueError):  # its end is found, and told, where its answer is read
        _close(process)


def _close(process: "subprocess.Popen[str]") -> None:
    """Close the input of a process, so that Python does not complain at its exit."""
    assert process.stdin is not None
    with suppress(BrokenPipeError, ValueError):
        process.stdin.close()
