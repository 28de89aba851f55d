"""Cells, their files, and the text made of them."""

import multiprocessing

import pytest
from prometheus_client.parser import text_string_to_metric_families

from codeai.observability.metrics.cells import CellFile, read_file
from codeai.observability.metrics.exposition import exposition
from codeai.observability.metrics.instruments import Metrics


def text_of(*metrics: Metrics) -> dict[str, float]:
    text = exposition([found.file.read() for found in metrics], [found.readings() for found in metrics]).decode()
    return {
        f"{sample.name}{sorted(sample.labels.values())}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_cell_is_the_same_for_the_same_key():
    file = CellFile(None)
    file.cell("a", 2)[1] += 3.5
    assert list(file.cell("a", 2)) == [0.0, 3.5]
    assert dict(file.read()) == {"a": [0.0, 3.5]}


def _dies(path):
    import os
    import signal

    file = CellFile(path)
    file.cell("requests", 1)[0] += 7
    os.kill(os.getpid(), signal.SIGKILL)


def test_figures_outlive_a_killed_process_and_its_successor_counts_on(tmp_path):
    path = tmp_path / "http-1.cells"
    process = multiprocessing.get_context("spawn").Process(target=_dies, args=(path,))
    process.start()
    process.join()
    assert read_file(path) == [("requests", [7.0])]
    successor = CellFile(path)
    successor.cell("requests", 1)[0] += 1
    successor.cell("naïve key", 3)[2] = 2.0
    assert read_file(path) == [("requests", [8.0]), ("naïve key", [0.0, 0.0, 2.0])]


def test_a_record_of_which_the_length_was_not_written_yet_does_not_exist(tmp_path):
    path = tmp_path / "cells"
    CellFile(path).cell("a", 1)[0] = 1.0
    content = bytearray(path.read_bytes())
    end = 8 + 8 + 8
    content[end + 4 : end + 16] = b"\x01\x00\x00\x00unfinish"
    path.write_bytes(content)
    assert read_file(path) == [("a", [1.0])]
    file = CellFile(path)
    assert list(file.cell("b", 1)) == [0.0]


def test_a_full_file_counts_no_further_and_breaks_nothing():
    file = CellFile(None, size=256)
    for number in range(100):
        file.cell(f"key {number}", 1)[0] += 1
    assert len(dict(file.read())) == 10


def test_a_missing_file_has_no_figures(tmp_path):
    assert read_file(tmp_path / "gone") == []


def test_counters_and_histograms_of_processes_are_added():
    one, two = Metrics(), Metrics()
    for metrics, values in ((one, (0.5, 3.0)), (two, (0.5, 100.0))):
        metrics.counter("jobs_total", "Jobs.", ("queue",)).add("mail", by=2)
        histogram = metrics.histogram("wait_seconds", "Waits.", buckets=(1.0, 10.0))
        for value in values:
            histogram.observe(value)
    found = text_of(one, two)
    assert found["jobs_total['mail']"] == 4
    assert found["wait_seconds_bucket['1.0']"] == 2
    assert found["wait_seconds_bucket['10.0']"] == 3
    assert found["wait_seconds_bucket['+Inf']"] == found["wait_seconds_count[]"] == 4
    assert found["wait_seconds_sum[]"] == 104


def test_a_value_on_a_bound_belongs_to_its_bucket():
    metrics = Metrics()
    metrics.histogram("wait_seconds", "Waits.", buckets=(1.0, 10.0)).observe(1.0)
    assert text_of(metrics)["wait_seconds_bucket['1.0']"] == 1


def test_gauges_are_added_or_the_largest_counts():
    one, two = Metrics(), Metrics()
    for metrics, value in ((one, 3.0), (two, 5.0)):
        metrics.gauge("open", "Open.", lambda value=value: [((), value)])
        metrics.gauge("state", "State.", lambda value=value: [(("pay",), value)], ("integration",), merge="max")
    found = text_of(one, two)
    assert (found["open[]"], found["state['pay']"]) == (8, 5)


def test_a_metric_without_labels_shows_zero_from_the_start():
    metrics = Metrics()
    metrics.counter("starts_total", "Starts.")
    assert text_of(metrics)["starts_total[]"] == 0


def test_labels_are_escaped():
    metrics = Metrics()
    metrics.counter("hits_total", "Hits.", ("name",)).add('a"b\\c\nd')
    assert text_of(metrics)["hits_total['a\"b\\\\c\\nd']"] == 1


def test_too_many_series_are_counted_together():
    metrics = Metrics()
    counter = metrics.counter("hits_total", "Hits.", ("name",))
    for number in range(2100):
        counter.add(str(number))
    assert text_of(metrics)["hits_total['other']"] == 100


def test_wrong_labels_are_an_error():
    with pytest.raises(ValueError, match="has the labels"):
        Metrics().counter("hits_total", "Hits.", ("name",)).add("a", "b")
