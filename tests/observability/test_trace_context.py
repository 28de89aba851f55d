"""The rules of the W3C's recommendation Trace Context, one by one."""

import pytest

from codeai.observability.tracing.context import TraceContext, read_context, read_state, written

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
VALID = f"00-{TRACE}-{PARENT}-01"


def read(*parents: str, state: tuple[str, ...] = ()) -> TraceContext | None:
    headers = [(b"traceparent", parent.encode("latin-1")) for parent in parents]
    return read_context([*headers, *((b"tracestate", text.encode("latin-1")) for text in state)])


def test_a_valid_parent_is_taken():
    assert read(VALID) == TraceContext(TRACE, PARENT, True)


def test_the_name_of_the_header_has_no_case():
    assert read_context([(b"TraceParent", VALID.encode())]) is not None


def test_optional_space_around_it_is_ignored():
    assert read(f" {VALID}\t") is not None


@pytest.mark.parametrize(("flags", "sampled"), [("00", False), ("01", True), ("02", False), ("03", True), ("ff", True)])
def test_only_the_last_bit_of_the_flags_says_sampled(flags, sampled):
    assert read(f"00-{TRACE}-{PARENT}-{flags}").sampled is sampled


@pytest.mark.parametrize(
    "parent",
    [
        "",
        "00",
        f"00-{TRACE}-{PARENT}",
        f"00-{TRACE}-{PARENT}-0",
        f"00-{TRACE}-{PARENT}-01-more",
        f"00-{TRACE}-{PARENT}-01-",
        f"00-{TRACE}-{PARENT}-01.",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{TRACE}-{PARENT.upper()}-01",
        f"00-{TRACE[:-1]}-{PARENT}-01",
        f"00-{TRACE}f-{PARENT}-01",
        f"00-{TRACE}-{PARENT[:-1]}-01",
        f"00-{TRACE[:-1]}g-{PARENT}-01",
        f"0-{TRACE}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-x1",
        f"00 {TRACE} {PARENT} 01",
    ],
)
def test_an_invalid_parent_begins_a_new_trace(parent):
    assert read(parent) is None


def test_two_parents_are_none():
    assert read(VALID, VALID) is None


@pytest.mark.parametrize("more", ["", "-", "-anything-else"])
def test_a_higher_version_is_read_by_what_is_known_of_it(more):
    assert read(f"cc-{TRACE}-{PARENT}-01{more}") == TraceContext(TRACE, PARENT, True)


def test_a_higher_version_must_end_or_go_on_with_a_dash():
    assert read(f"cc-{TRACE}-{PARENT}-01x") is None


def test_without_a_parent_the_state_counts_nothing():
    assert read(state=("a=1",)) is None


def test_several_state_headers_are_one_in_their_order():
    assert read(VALID, state=("a=1,b=2", "c=3")).state == (("a", "1"), ("b", "2"), ("c", "3"))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a=1", (("a", "1"),)),
        (" a=1 , b=2\t", (("a", "1"), ("b", "2"))),
        ("a=1,,b=2", (("a", "1"), ("b", "2"))),
        ("", ()),
        ("fw529a3039@dt=FfAnyValue!", (("fw529a3039@dt", "FfAnyValue!"),)),
        ("1@v=x", (("1@v", "x"),)),
        ("a= x", (("a", " x"),)),
        (f"{'a' * 256}=1", (("a" * 256, "1"),)),
        (f"a={'x' * 256}", (("a", "x" * 256),)),
    ],
)
def test_states_that_are_valid(text, wanted):
    assert read_state(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "=1",
        "a=",
        "A=1",
        "1a=1",
        "a=1=2",
        "a=\x01",
        "a=ü",
        "a@=1",
        "a@1x=1",
        "a@b@c=1",
        f"{'a' * 257}=1",
        f"a@{'b' * 15}=1",
        f"a={'x' * 257}",
        "a=1,a=2",
        ",".join(f"k{number}=1" for number in range(33)),
        "a=1,b",
    ],
)
def test_a_malformed_member_makes_the_state_void_and_leaves_the_parent(text):
    assert read_state(text) == ()
    assert read(VALID, state=(text,)) == TraceContext(TRACE, PARENT, True)


def test_thirty_two_members_are_the_most():
    assert len(read_state(",".join(f"k{number}=1" for number in range(32)))) == 32


def test_what_is_written_is_version_00():
    assert written(TraceContext(TRACE, PARENT, False)) == (("traceparent", f"00-{TRACE}-{PARENT}-00"),)
    assert written(TraceContext(TRACE, PARENT, True, (("a", "1"), ("b", "2")))) == (("traceparent", VALID), ("tracestate", "a=1,b=2"))
