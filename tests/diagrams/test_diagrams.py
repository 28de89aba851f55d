"""Pictures of workflows: what they say, and that they can be read."""

import itertools
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from codeai.diagrams.layout import layout
from codeai.diagrams.mermaid import mermaid
from codeai.diagrams.structure import Box, Chain, Diagram, Fork, Part, diagram
from codeai.diagrams.svg import svg
from codeai.diagrams.texts import clause_texts
from codeai.server.loading import Loaded, load_program

SAGA = Path(__file__).parent.parent / "corpus" / "valid" / "saga.cai"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def saga() -> Loaded:
    return load_program(SAGA)


def picture(program: Loaded, name: str) -> Diagram:
    runs = {run.name: run for run in (*program.application.workflows, *program.application.jobs)}
    symbol = program.symbols.workflows.get(name) or program.symbols.jobs[name]
    return diagram(runs[name], clause_texts(symbol.declaration, program.sources))


def test_a_step_that_waits_for_its_child_says_so(tmp_path: Path) -> None:
    (tmp_path / "app.cai").write_text("""
workflow Child { steps { one { do { return 1 } } } }
workflow Parent { steps { waits { start: Child { }  await: true }  goes { start: Child { } } } }
""")
    boxes = {box.id: box.lines for box in picture(load_program(tmp_path / "app.cai"), "Parent").boxes()}
    assert (boxes["waits"], boxes["goes"]) == (("start Child", "wait for its end"), ("start Child",))


def test_a_box_says_what_a_step_does_and_under_which_rules(saga: Loaded) -> None:
    boxes = {box.id: box for box in picture(saga, "OrderFulfillment").boxes()}
    assert boxes["reserve"].lines == ("update Stock", "check a condition")
    assert boxes["reserve"].notes == ("for each item in trigger.items, 10 at a time",)
    assert boxes["reserve"].undo == "update Stock"
    assert boxes["charge"].lines == ("call Payments.charge",)
    assert boxes["charge"].notes == ("timeout 30s", "tried again 5 times", "a failure rolls back")
    assert boxes["charge"].undo == "call Payments.refund"
    assert boxes["approve"].lines == ("wait for order.approved that matches",)
    assert boxes["approve"].notes == ("when trigger.total > 1000", "timeout 2d, then rollback")
    assert boxes["pause"].lines == ("sleep 1h",)
    assert boxes["mail"].notes == ("when steps.label.ok and not (steps.approve.ok == false)", "a failure is passed over")


STARTS = {
    "OrderFulfillment": ("on order.placed", ()),
    "Notify": ("when started", ("with email, tries",)),
    "Nightly": ("0 3 * * *", ("Europe/Berlin",)),
    "Tick": ("every 15m", ("UTC",)),
    "Tidy": ("@daily", ("UTC",)),
    "OnDemand": ("when asked for", ()),
}


@pytest.mark.parametrize(("name", "expected"), STARTS.items(), ids=STARTS)
def test_the_first_box_says_what_starts_it(saga: Loaded, name: str, expected: tuple[str, tuple[str, ...]]) -> None:
    start = picture(saga, name).start
    assert (start.title, start.lines) == expected


def test_mermaid_draws_branches_and_their_join(saga: Loaded) -> None:
    text = mermaid(picture(saga, "OrderFulfillment"))
    lines = [line.strip() for line in text.splitlines()]
    assert lines[0] == "flowchart TD"
    for arrow in ("charge --> step_label", "charge --> step_record", "label --> step_approve", "record --> step_approve"):
        assert f"step_{arrow}" in lines
    assert "step_mail --> flow_completed" in lines
    assert "flow_body -. fails .-> flow_failed" in lines


def test_mermaid_escapes_what_means_something_to_it() -> None:
    hostile = Box(id="end", kind="step", title='end"]; click x "javascript:alert(1)" <b>`#')
    text = mermaid(single(hostile))
    line = next(line for line in text.splitlines() if "step_end[" in line)
    label = line.split('["')[1].removesuffix('"]')
    assert not set('"<>`') & set(label)
    assert label.startswith("end#34;]#59; click")


def test_svg_is_one_well_formed_file_that_refers_to_nothing_outside(saga: Loaded) -> None:
    root = ET.fromstring(svg(picture(saga, "OrderFulfillment")))
    assert root.tag == f"{SVG}svg"
    assert root.find(f"{SVG}title").text == "OrderFulfillment: 12 steps"
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert {"reserve", "call Payments.charge", "undo: call Payments.refund", "completed", "failed"} <= set(texts)
    assert not any("href" in name for element in root.iter() for name in element.attrib)
    assert len(list(root.iter(f"{SVG}g"))) == 12 + 3


def test_svg_keeps_hostile_texts_as_text() -> None:
    hostile = Box(id="a", kind="step", title="</text><script>alert(1)</script>\x01\x0b\ufffe&amp;", lines=("x" * 500,))
    root = ET.fromstring(svg(single(hostile)))
    assert not list(root.iter(f"{SVG}script"))
    shown = [element.text for element in root.iter(f"{SVG}text")]
    assert "</text><script>alert(1)</script>   &amp;" in shown
    assert "x" * 45 + "…" in shown


def single(box: Box) -> Diagram:
    return Diagram(
        "D",
        Box(id="start", kind="start", title="start"),
        Chain((box,)),
        Box(id="completed", kind="done", title="completed"),
        Box(id="failed", kind="failed", title="failed"),
    )


names = some.integers(0, 10**6).map(str)
boxes = some.builds(
    lambda name, title, lines: Box(id=name, kind="step", title=title, lines=tuple(lines)),
    names,
    some.text(max_size=60),
    some.lists(some.text(max_size=60), max_size=3),
)
parts: some.SearchStrategy[Part] = some.recursive(
    boxes,
    lambda inner: some.one_of(
        some.lists(inner, min_size=1, max_size=4).map(lambda found: Chain(tuple(found))),
        some.lists(inner, min_size=2, max_size=4).map(lambda found: Fork(tuple(found))),
    ),
    max_leaves=12,
)


@given(parts)
def test_no_two_boxes_overlap_and_all_lie_inside(part: Part) -> None:
    whole = single(Box(id="x", kind="step", title="x"))
    plan = layout(Diagram("D", whole.start, Chain((part,)), whole.done, whole.failed))
    for one, other in itertools.combinations(plan.boxes, 2):
        apart = one.x + one.width <= other.x + 0.1 or other.x + other.width <= one.x + 0.1
        assert apart or one.y + one.height <= other.y or other.y + other.height <= one.y
    for placed in plan.boxes:
        assert placed.x >= 0 and placed.x + placed.width <= plan.width
        assert placed.y >= 0 and placed.y + placed.height <= plan.height


@given(parts)
def test_every_diagram_is_well_formed(part: Part) -> None:
    whole = single(Box(id="x", kind="step", title="x"))
    ET.fromstring(svg(Diagram("D", whole.start, Chain((part,)), whole.done, whole.failed)))
