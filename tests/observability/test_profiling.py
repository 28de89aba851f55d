"""Profiles: what the tool of Go reads in them, and what they say of known work."""

import asyncio
import gc
import gzip
import os
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

import pytest

from codeai.observability.profiling.cpu import sample_cpu
from codeai.observability.profiling.flamegraph import flame_graph
from codeai.observability.profiling.goroutines import Goroutine, Goroutines, as_samples, as_text
from codeai.observability.profiling.heap import HeapTracer, _frame, collect
from codeai.observability.profiling.pprof import profile
from codeai.observability.profiling.stacks import CPU, GOROUTINE, HEAP, Frame, Sample, encode, merged
from codeai.observability.profiling.symbols import Symbols
from services.polling import eventually

GO = Path(sys.executable).parent / "go"
WORK = Frame("shop.work", "/srv/shop.py", 10, 12)
MAIN = Frame("shop.main", "/srv/shop.py", 30, 31)


def pprof(tmp_path, content: bytes, *options: str) -> str:
    path = tmp_path / "profile.pb.gz"
    path.write_bytes(content)
    done = subprocess.run([GO, "tool", "pprof", *options, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_tool_reads_what_we_write(tmp_path):
    samples = [
        Sample((WORK, MAIN), (7, 70_000_000), {"process": "http-1"}),
        Sample((MAIN,), (3, 30_000_000), {"process": "http-2"}),
        Sample((Frame("naïve.<lambda>", "/srv/ü.py", 1, 2), MAIN), (1, 1_000_000)),
    ]
    content = profile(CPU, samples, began=1_700_000_000_000_000_000, duration=1_000_000_000)
    raw = pprof(tmp_path, content, "-raw")
    assert "PeriodType: cpu nanoseconds" in raw
    assert "Period: 10000000" in raw
    assert "samples/count cpu/nanoseconds" in raw
    assert "process:[http-1]" in raw
    top = pprof(tmp_path, content, "-top")
    assert "70ms" in top
    assert "shop.work" in top
    assert "naïve.<lambda>" in top
    assert "Duration: 1s" in top


def test_an_empty_profile_is_one():
    assert gzip.decompress(profile(CPU, [], began=1))


def test_large_and_negative_numbers_survive(tmp_path):
    content = profile(HEAP, [Sample((WORK,), (2**62, -5, 0, 1))], began=1)
    assert f"{2**62} -5 0 1" in " ".join(pprof(tmp_path, content, "-raw").split()).replace(": 1", "")


def _burn(until: threading.Event) -> None:
    while not until.is_set():
        sum(range(2000))


def here(work) -> bool:
    work()
    return True


@pytest.mark.parametrize("on_main", [here, lambda work: False], ids=["by interruptions", "by looking"])
def test_the_processor_is_charged_to_who_uses_it(on_main):
    done = threading.Event()
    busy = threading.Thread(target=_burn, args=(done,), name="busy")
    idle = threading.Thread(target=done.wait, name="idle")
    busy.start()
    idle.start()
    try:
        for _ in range(30):  # a machine that stands still between two looks shows less
            clock = time.pthread_getcpuclockid(busy.ident)
            used = time.clock_gettime_ns(clock)
            samples = sample_cpu(0.5, lambda: False, on_main)
            used = time.clock_gettime_ns(clock) - used
            burnt = sum(sample.values[1] for sample in samples if any("_burn" in frame.function for frame in sample.stack))
            assert burnt <= used
            if burnt > 0.5 * used > 0:
                break
    finally:
        done.set()
        busy.join()
        idle.join()
    assert burnt > 0.5 * used
    assert sum(sample.values[1] for sample in samples if sample.stack[0].function.endswith("Event.wait")) < 0.1 * burnt
    frame = next(frame for sample in samples for frame in sample.stack if frame.function == "test_profiling._burn")
    assert frame.file == __file__
    assert frame.begins == _burn.__code__.co_firstlineno


def test_a_profile_ends_when_the_server_does():
    began = time.monotonic()
    sample_cpu(60, lambda: True, here)
    assert time.monotonic() - began < 30


KEPT: list[bytes] = []


def _allocate() -> None:
    KEPT.extend(os.urandom(1000) for _ in range(1000))


def test_memory_is_charged_to_where_it_was_allocated(tmp_path):
    tracer = HeapTracer(60, lambda: 50_000_000.0)
    first = tracer.samples()
    _allocate()
    second = tracer.samples()
    KEPT.clear()
    third = tracer.samples()
    import tracemalloc

    tracemalloc.stop()

    before, during, after = (of(samples, "test_profiling._allocate") for samples in (first, second, third))
    assert before == (0, 0, 0, 0)
    assert during[0] >= 1000
    assert 1_000_000 < during[3] < 1_200_000
    assert during[3] == during[1]
    assert after[3] < 100_000
    assert after[1] >= during[1]
    assert first[0].stack[0].function == "[before tracing began]"
    assert first[0].values == second[0].values
    base = tmp_path / "base.pb.gz"
    base.write_bytes(profile(HEAP, first, began=1))
    top = pprof(tmp_path, profile(HEAP, second, began=2), "-top", "-base", str(base))
    assert "_allocate" in top
    assert "before tracing" not in top
    listing = pprof(tmp_path, profile(HEAP, second, began=2), "-list", "_allocate")
    assert "os.urandom(1000)" in listing


def of(samples, name: str) -> tuple[int, ...]:
    values = [sample.values for sample in samples if any(frame.function.endswith(name) for frame in sample.stack)]
    return tuple(map(sum, zip(*values, strict=True))) if values else (0, 0, 0, 0)


@pytest.mark.parametrize("asked", [True, False], ids=["when somebody asks", "by itself"])
def test_tracing_ends_when_too_much_is_in_use_and_the_next_answer_says_so_with_what_is_known(asked):
    """A look at all of it stops every thread: it must not become long."""
    import tracemalloc

    KEPT.clear()
    most = 600_000
    tracer = HeapTracer(None, lambda: 5.0, most)
    first = tracer.samples()
    while tracemalloc.is_tracing() and tracemalloc.get_tracemalloc_memory() <= most:
        _allocate()
    if not asked:
        deadline = time.monotonic() + 60
        while tracemalloc.is_tracing():
            assert time.monotonic() < deadline
            time.sleep(0.01)
    second = tracer.samples()
    known = len(KEPT)
    assert not tracemalloc.is_tracing()
    assert of(second, "[tracing ended here: too many allocations in use; the next question begins anew]")[0] == 1
    assert 0.9 * known < of(second, "_allocate")[2] < 1.1 * known
    assert first[0].values == second[0].values  # so that the two can be compared
    third = tracer.samples()
    assert tracemalloc.is_tracing()
    assert of(third, "_allocate") == (0, 0, 0, 0)
    tracemalloc.stop()
    KEPT.clear()
    for thread in threading.enumerate():  # or it would watch over the tracing of the next test
        if thread.name == "codeai-heap":
            thread.join(60)


def test_the_function_of_a_line_is_found_by_indentation(tmp_path):
    file = tmp_path / "shop.py"
    file.write_text(
        "import os\nclass Shop:\n    def sell(\n        self,\n    ):\n        # why\n        def inner():\n            return [\n"
        "                1,\n            ]\n\n        return inner()\n\nasync def main():\n    await x\n\nVALUE = 1\n"
    )
    found = {line: _frame(str(file), line) for line in (1, 8, 9, 12, 15, 17)}
    assert {line: frame.function for line, frame in found.items()} == {
        1: "shop.<module>",
        8: "shop.Shop.sell.<locals>.inner",
        9: "shop.Shop.sell.<locals>.inner",
        12: "shop.Shop.sell",
        15: "shop.main",
        17: "shop.<module>",
    }
    assert (found[9].begins, found[12].begins, found[15].begins) == (7, 3, 14)


class Circle:
    """Garbage that only a collection finds."""

    def __init__(self) -> None:
        self.itself = self


@pytest.mark.parametrize(("everything", "at_once", "old_is_gone"), [(False, 10**9, True), (False, 0, False), (True, 0, True)])
def test_a_collection_that_would_take_long_takes_what_is_young_and_says_so(tmp_path, everything, at_once, old_is_gone):
    old = Circle()
    gc.collect()  # it is in the oldest generation now
    young = Circle()
    gone = [weakref.ref(old), weakref.ref(young)]
    del old, young
    remark = collect(everything, at_once)
    assert [reference() is None for reference in gone] == [old_is_gone, True]
    assert bool(remark) != old_is_gone
    samples = HeapTracer(0.0, lambda: 1e6).samples(remark=remark)
    shown = pprof(tmp_path, profile(HEAP, samples, began=1), "-raw")
    assert ("gc=full collects it, and stops the process for some" in shown) != old_is_gone


def test_nothing_is_traced_where_that_is_off():
    import tracemalloc

    tracer = HeapTracer(0, lambda: 5.0)
    (sample,) = tracer.samples()
    assert sample.values[3] == 5
    assert not tracemalloc.is_tracing()


async def _waits_on_a_queue(queue: asyncio.Queue) -> None:
    await queue.get()


async def _sleeps() -> None:
    await asyncio.sleep(60)


async def _waits_for_a_lock(lock: asyncio.Lock) -> None:
    async with lock:
        pass


async def _reads() -> None:
    reader, _ = await asyncio.open_connection("127.0.0.1", READS.port)
    READS.begun = True
    await reader.read()


class READS:
    port = 0
    begun = False


async def test_every_thread_and_task_is_shown_with_its_state():
    lock, gate = asyncio.Lock(), threading.Event()
    await lock.acquire()
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    READS.port = server.sockets[0].getsockname()[1]
    tasks = [asyncio.ensure_future(work) for work in (_waits_on_a_queue(asyncio.Queue()), _sleeps(), _waits_for_a_lock(lock), _reads())]
    thread = threading.Thread(target=gate.wait, name="waiter")
    thread.start()
    await eventually(lambda: READS.begun)
    await asyncio.sleep(0)
    goroutines = Goroutines()
    goroutines.loop = asyncio.get_running_loop()
    found = goroutines.dump()
    again = goroutines.dump()
    text = as_text(found)
    gate.set()
    for task in tasks:
        task.cancel()
    server.close()
    thread.join()

    def state(name):
        return next(
            one.state for one in found if one.stack and any(frame.function.endswith(name) for frame in one.stack) and one.kind == "task"
        )

    assert state("_waits_on_a_queue") == "chan receive"
    assert state("_sleeps") == "sleep"
    assert state("_waits_for_a_lock") == "semacquire"
    assert state("_reads") == "IO wait"
    assert next(one.state for one in found if one.name == "waiter") == "chan receive"
    assert next(one.state for one in found if one.name == "MainThread") == "running"
    assert {(one.number, one.name) for one in found} == {(one.number, one.name) for one in again}
    block = next(part for part in text.split("\n\n") if "_waits_on_a_queue(" in part)
    assert block.startswith("goroutine ")
    assert "[chan receive]:" in block.splitlines()[0]
    assert f"{__file__}:" in block
    assert "created by test_profiling._waits_on_a_queue" in block


async def test_goroutines_as_a_profile_are_counted_by_stack(tmp_path):
    tasks = [asyncio.ensure_future(_sleeps()) for _ in range(3)]
    await asyncio.sleep(0)
    goroutines = Goroutines()
    goroutines.loop = asyncio.get_running_loop()
    samples = as_samples(goroutines.dump())
    for task in tasks:
        task.cancel()
    top = pprof(tmp_path, profile(GOROUTINE, samples, began=1), "-top")
    assert "Type: goroutine" in top
    assert any(line.split()[0] == "3" and line.endswith("tasks.sleep") for line in top.splitlines() if line.strip())


def test_what_has_just_ended_is_no_line_that_readers_stumble_over(tmp_path):
    running, ended = (Goroutine(at, "task", "t", "running", stack) for at, stack in enumerate(((WORK, MAIN), ())))
    text = Symbols().goroutine_text([running, ended], detailed=True)
    assert text.startswith("goroutine profile: total 1\n1 @ 0x")
    assert "Type: goroutine" in pprof(tmp_path, text.encode(), "-top")


def test_addresses_lead_back_to_functions():
    symbols = Symbols()
    address = symbols.address(WORK)
    assert symbols.address(WORK) == address == Symbols().address(WORK)
    assert symbols.address(MAIN) != address
    assert symbols.name(address) == symbols.name(address - 1) == "shop.work"
    assert symbols.name(address - 16) is None


def test_samples_of_processes_are_put_together_with_their_names():
    answers = {"http-1": encode([Sample((WORK,), (1, 2))]), "durable": encode([Sample((WORK,), (3, 4))])}
    assert [(sample.labels, sample.values) for sample in merged(answers)] == [
        ({"process": "http-1"}, (1, 2)),
        ({"process": "durable"}, (3, 4)),
    ]


@pytest.mark.parametrize("samples", [[], [Sample((WORK, MAIN), (1, 5)), Sample((Frame('<a&"b">', "", 0, 0),), (1, 9))]])
def test_a_flame_graph_is_well_formed(samples):
    from xml.etree.ElementTree import fromstring

    root = fromstring(flame_graph(samples, 1, "nanoseconds", "time & space"))
    titles = [found.text for found in root.iter("{http://www.w3.org/2000/svg}title")]
    assert len(titles) == (3 if samples else 0)
