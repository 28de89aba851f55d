"""S54 to S64, T2, T11, T19: profiles by the operator's own tools."""

import re
import signal
import socket
import subprocess
import threading
import time

import httpx
import pytest

from acceptance.conftest import token
from services.polling import until
from services.ports import free_port


class Load:
    """Requests until the block ends."""

    def __init__(self, operator, path="/tickets"):
        self._url = operator.server.base_url + path
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(2)]
        self.failures = []

    def _run(self):
        while not self._done.is_set():
            with httpx.Client() as client:  # another now and then, so that all workers get some
                for _ in range(50):
                    answer = client.get(self._url, timeout=30)
                    if answer.status_code != 200:
                        self.failures.append(answer.status_code)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        for thread in self._threads:
            thread.join()


def test_s54_t11_go_reads_the_processor_profile_while_requests_go_on(operator):
    operator.shell('curl -sX POST localhost:8080/tickets -H "content-type: application/json" -d \'{"title": "a"}\'')
    with Load(operator) as load:
        top = operator.shell("go tool pprof -top http://localhost:8080/debug/pprof/profile?seconds=3 2>&1", timeout=120)
    assert "Type: cpu" in top
    assert "Duration: 3s" in top
    assert re.search(r"codeai\.http\.[a-z.]+\.[A-Z]\w+\.\w+", top)
    assert load.failures == []


def test_s54_the_request_takes_the_seconds_that_it_names(embedded):
    began = time.monotonic()
    answer = httpx.get(f"{embedded.server.base_url}/debug/pprof/profile?seconds=1")
    assert time.monotonic() - began >= 1.0
    assert answer.content[:2] == b"\x1f\x8b"
    assert "content-encoding" not in answer.headers


def test_s54_the_types_are_those_that_go_expects(embedded):
    raw = embedded.shell("go tool pprof -raw http://localhost:8080/debug/pprof/profile?seconds=1 2>/dev/null")
    assert "PeriodType: cpu nanoseconds\n" in raw
    assert "Period: 10000000\n" in raw  # a hundred times a second
    assert re.search(r"^Samples:\nsamples/count cpu/nanoseconds(\[dflt\])?$", raw, re.MULTILINE)


def test_t11_a_profile_outlives_the_time_limit_of_requests(launch):
    operator = launch(env={"CODEAI_REQUEST_TIMEOUT": "1s"})
    operator.shell("curl -sf -o cpu.pb.gz http://localhost:8080/debug/pprof/profile?seconds=2")
    assert "Duration: 2s" in operator.shell("go tool pprof -top cpu.pb.gz 2>&1")


@pytest.mark.parametrize("seconds", ["-1", "x", "601", "nan", "1e9"])
def test_s54_wrong_seconds_are_refused(embedded, seconds):
    assert httpx.get(f"{embedded.server.base_url}/debug/pprof/profile?seconds={seconds}").status_code == 400


def test_s55_the_browser_view_of_go_shows_the_same(embedded):
    port = free_port()
    with Load(embedded):
        embedded.shell("curl -s localhost:8080/debug/pprof/profile?seconds=1 > cpu.pb.gz")
    go = embedded.shell("which go").strip()
    viewer = subprocess.Popen(
        [go, "tool", "pprof", f"-http=127.0.0.1:{port}", "-no_browser", "cpu.pb.gz"], cwd=embedded.folder, stderr=subprocess.DEVNULL
    )
    try:
        page = until(lambda: _page(f"http://127.0.0.1:{port}/ui/flamegraph"))
        assert "codeai.http." in page
        source = httpx.get(f"http://127.0.0.1:{port}/ui/source?f=codeai.http.").text
        assert "src/codeai/http/" in source
    finally:
        viewer.send_signal(signal.SIGKILL)
        viewer.wait()


def _page(url: str) -> str | None:
    try:
        answer = httpx.get(url)
    except httpx.HTTPError:
        return None
    return answer.text if answer.status_code == 200 else None


def test_s56_the_heap_has_the_types_of_go_in_its_order(operator):
    raw = operator.shell("go tool pprof -raw http://localhost:8080/debug/pprof/heap 2>/dev/null")
    assert "alloc_objects/count alloc_space/bytes inuse_objects/count inuse_space/bytes[dflt]" in raw


def test_garbage_is_collected_first_where_that_is_asked_for(operator):
    for garbage in ("1", "full"):
        assert "Type: inuse_space" in operator.shell(f"go tool pprof -top 'http://localhost:8080/debug/pprof/heap?gc={garbage}' 2>&1")
    refused = httpx.get(f"{operator.server.base_url}/debug/pprof/heap?gc=yes")
    assert (refused.status_code, refused.json()["detail"]) == (400, "gc must be one of 0, 1, full")


def test_s57_top_list_and_web_work_on_it(embedded):
    """``web`` draws with graphviz what ``dot`` prints."""
    with Load(embedded):
        embedded.shell("curl -s http://localhost:8080/debug/pprof/heap?seconds=2 > heap.pb.gz")
    assert "Showing nodes" in embedded.shell("echo 'top 20' | go tool pprof heap.pb.gz 2>&1")
    largest = embedded.shell("go tool pprof -top -flat -ignore 'before tracing' heap.pb.gz 2>/dev/null | grep -m1 -o 'codeai[.].*'").strip()
    listing = embedded.shell(f"go tool pprof -list '^{re.escape(largest)}$' heap.pb.gz 2>&1")
    assert re.search(r"ROUTINE =+ .+ in /.+\.py\n", listing), listing
    assert re.search(r"^ +\d[\d.]*(B|kB|MB) .*\d: *\S", listing, re.MULTILINE), listing
    drawing = embedded.shell("go tool pprof -dot heap.pb.gz 2>/dev/null")
    assert drawing.startswith("digraph ")
    assert "->" in drawing


def test_s57_list_shows_the_source(embedded):
    with Load(embedded):
        listing = embedded.shell("go tool pprof -list 'Application.respond$' 'http://localhost:8080/debug/pprof/profile?seconds=2' 2>&1")
    assert "CURRENT.set(request)" in listing


def test_s58_two_heaps_are_compared(embedded):
    embedded.shell("curl -s http://localhost:8080/debug/pprof/heap > heap1.pb.gz")
    with Load(embedded):
        embedded.shell("curl -s http://localhost:8080/debug/pprof/heap?seconds=1 > heap2.pb.gz")
    compared = embedded.shell("go tool pprof -top -base heap1.pb.gz heap2.pb.gz 2>&1")
    assert "Type: inuse_space" in compared
    assert "before tracing" not in compared
    assert embedded.shell("gzip -t heap1.pb.gz heap2.pb.gz && echo good") == "good\n"


def totals(operator, name: str) -> list[int]:
    """The sums of a profile's four values over all samples."""
    raw = operator.shell(f"go tool pprof -raw {name} 2>/dev/null")
    rows = re.findall(r"^ +(\d+) +(\d+) +(\d+) +(\d+): ", raw, re.MULTILINE)
    return [sum(int(row[at]) for row in rows) for at in range(4)]


def test_s59_what_was_allocated_is_a_running_total(embedded):
    """It never shrinks, and is at least what is in use."""
    embedded.shell("curl -s http://localhost:8080/debug/pprof/heap > before.pb.gz")
    with Load(embedded):
        embedded.shell("curl -s http://localhost:8080/debug/pprof/heap?seconds=1 > after.pb.gz")
    assert "Type: alloc_space" in embedded.shell("go tool pprof -alloc_space -top after.pb.gz 2>&1")
    before, after = totals(embedded, "before.pb.gz"), totals(embedded, "after.pb.gz")
    for objects, space, objects_in_use, space_in_use in (before, after):
        assert objects >= objects_in_use > 0
        assert space >= space_in_use > 0
    assert after[0] >= before[0]
    assert after[1] > before[1]


def test_s60_s62_every_thread_and_task_is_a_block(operator):
    text = operator.shell("curl -s http://localhost:8080/debug/pprof/goroutine?debug=2 > goroutines.txt; cat goroutines.txt")
    count = int(operator.shell('cat goroutines.txt | grep "^goroutine" | wc -l'))
    assert count >= 3
    assert count == len(re.findall(r"^goroutine \d+ \[[^\]]+\]:$", text, re.MULTILINE))
    assert "MainThread" in text


def test_s61_t2_the_first_line_of_debug_0_is_the_count(operator):
    first = operator.shell("curl -s http://localhost:8080/debug/pprof/goroutine?debug=0 | head -1")
    assert re.fullmatch(r"goroutine profile: total \d+\n", first)
    assert httpx.get(f"{operator.server.base_url}/debug/pprof/goroutine").content[:2] == b"\x1f\x8b"


@pytest.mark.parametrize("debug", ["", "?debug=1"])
def test_s61_go_reads_both_forms(operator, debug):
    top = operator.shell(f"go tool pprof -top 'http://localhost:8080/debug/pprof/goroutine{debug}' 2>&1")
    assert "Type: goroutine" in top
    assert "watch_loop" in top


def test_s61_symbols_answer_get_and_post(operator):
    text = operator.shell("curl -s 'localhost:8080/debug/pprof/goroutine?debug=1'")
    address = re.search(r"@ (0x[0-9a-f]+)", text).group(1)
    name = re.search(rf"#\t{address}\t(.+)\+0x0", text).group(1)
    answer = operator.shell(f"curl -s -d '{address}+0x1+nonsense' localhost:8080/debug/pprof/symbol")
    assert answer == f"num_symbols: 1\n{address} {name}\n"
    assert operator.shell("curl -s localhost:8080/debug/pprof/symbol") == "num_symbols: 1\n"


def test_s63_what_is_blocked_is_found(operator):
    operator.shell("curl -s http://localhost:8080/debug/pprof/goroutine?debug=2 > goroutines.txt")
    found = operator.shell('grep -A 10 "chan receive" goroutines.txt | head -50')
    assert re.search(r"^goroutine \d+ \[chan receive(, \d+ minutes)?\]:", found, re.MULTILINE)


def test_s64_what_hangs_is_found_by_comparing_dumps(embedded):
    """Three requests whose bodies never come: three blocks that stand in every dump under the same number."""

    def blocks() -> dict[str, str]:
        text = embedded.shell("curl -s http://localhost:8080/debug/pprof/goroutine?debug=2")
        return dict(re.findall(r"^goroutine (\d+) (\[.*?(?=\n\n|\Z))", text, re.MULTILINE | re.DOTALL))

    before = blocks()
    lazy = [socket.create_connection(("127.0.0.1", embedded.server.port)) for _ in range(3)]
    try:
        for connection in lazy:
            connection.sendall(b"POST /tickets HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{")
        first = until(lambda: hanging if len(hanging := hangs(blocks(), before)) == 3 else None)
        second = blocks()
        assert all(number in second and "created by" in second[number] for number in first)
        assert all("messages.py" in second[number] for number in first)  # where the body is waited for
    finally:
        for connection in lazy:
            connection.close()
    until(lambda: not first & set(blocks()))


def hangs(now: dict[str, str], before: dict[str, str]) -> set[str]:
    """The numbers of blocks that are new and wait for a body."""
    return {number for number, block in now.items() if number not in before and ".body" in block}


def test_t19_all_processes_are_in_a_profile_or_one(fleet):
    raw = fleet.shell("go tool pprof -raw http://localhost:8080/debug/pprof/goroutine 2>/dev/null")
    assert "process:[http-1]" in raw
    assert "process:[http-2]" in raw
    alone = fleet.shell("go tool pprof -raw 'http://localhost:8080/debug/pprof/goroutine?process=http-2' 2>/dev/null")
    assert "process:[http-1]" not in alone
    assert "process:[http-2]" in alone
    heap = fleet.shell("go tool pprof -raw http://localhost:8080/debug/pprof/heap 2>/dev/null")
    assert "process:[http-1]" in heap
    assert "process:[http-2]" in heap


def test_a_flame_graph_is_a_picture(embedded):
    with Load(embedded):
        answer = httpx.get(f"{embedded.server.base_url}/debug/pprof/flamegraph?seconds=1")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert "<rect" in answer.text
    assert "Application" in answer.text


def test_there_is_a_page_that_lists_them(embedded):
    page = httpx.get(f"{embedded.server.base_url}/debug/pprof/")
    assert "goroutine?debug=2" in page.text
    assert httpx.get(f"{embedded.server.base_url}/debug/pprof").headers["location"] == "/debug/pprof/"


@pytest.mark.parametrize("path", ["profile", "heap", "goroutine", "symbol", "cmdline", "flamegraph", "allocs", ""])
def test_t9_profiles_are_for_operators(embedded, path):
    url = f"{embedded.server.base_url}/debug/pprof/{path}"
    assert httpx.get(url, headers={"X-Forwarded-For": "10.0.0.7"}).status_code == 401
    clerk = {"X-Forwarded-For": "10.0.0.7", "Authorization": f"Bearer {token('clerk')}"}
    assert httpx.get(url, headers=clerk).status_code == 403


def test_s54_one_profile_at_a_time_which_does_not_keep_the_server_from_ending(launch):
    operator = launch()
    thread = threading.Thread(target=operator.shell, args=("curl -s localhost:8080/debug/pprof/profile?seconds=120 -o cpu.pb.gz",))
    thread.start()
    until(lambda: "sample_cpu" in operator.shell("curl -s localhost:8080/debug/pprof/goroutine?debug=2"))
    refused = httpx.get(f"{operator.server.base_url}/debug/pprof/profile?seconds=2")
    assert (refused.status_code, refused.json()["code"]) == (409, "profiling_busy")
    began = time.monotonic()
    assert operator.server.terminate() == 0
    thread.join()
    assert time.monotonic() - began < 30
    assert "Type: cpu" in operator.shell("go tool pprof -raw cpu.pb.gz >/dev/null && go tool pprof -top cpu.pb.gz 2>&1")
