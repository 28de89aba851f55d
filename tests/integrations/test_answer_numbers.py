"""Numbers of peers that are short to write and long to compute with."""

import pytest

from codeai.integrations.answers import AnswerReader
from codeai.integrations.errors import AnswerInvalid
from codeai.integrations.outbound import Answer
from codeai.language import types as t

HUGE = ["1e999999999", "-1e999999999", "1e-999999999", "1e99999999999999999999", '"1e999999999"', '"NaN"', '"Infinity"']


def read(type_: t.Type, text: str) -> object:
    return AnswerReader(type_).read(Answer(200, (("content-type", "application/json"),), text.encode()))


@pytest.mark.parametrize("text", HUGE)
@pytest.mark.parametrize("type_", [t.Int(), t.Decimal(), t.Float()], ids=str)
def test_a_number_that_nobody_can_write_out_is_no_answer(type_: t.Type, text: str) -> None:
    with pytest.raises(AnswerInvalid):
        read(type_, text)


@pytest.mark.parametrize("text", ["1e999999999", '{"deep": [1e999999999]}'])
def test_nor_is_one_in_an_open_document(text: str) -> None:
    with pytest.raises(AnswerInvalid):
        read(t.Json(), text)


@pytest.mark.parametrize(
    ("type_", "text", "wanted"), [(t.Int(), "3.0", 3), (t.Int(), "1e3", 1000), (t.Float(), "2.5e10", 2.5e10), (t.Int(), "0", 0)]
)
def test_others_are(type_: t.Type, text: str, wanted: object) -> None:
    assert read(type_, text) == wanted
