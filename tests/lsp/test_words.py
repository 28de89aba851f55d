"""Every word of the language has its line, and nothing else has."""

from codeai.analysis.builtins import BUILTINS
from codeai.analysis.types import _PARAMETRISED, _PLAIN
from codeai.language.parser import clauses, declarations, entities, events, statements, types, workflows
from codeai.language.spellings.words import TYPES
from codeai.lsp.words import words


def test_words_of_the_compiler_are_explained() -> None:
    table = words()
    assert set(table["declaration"]) == set(declarations._DECLARATIONS)
    assert set(table["modifier"]) == set(types.MODIFIERS)
    assert set(table["function"]) == set(BUILTINS)
    of_blocks = (
        *(clauses._RESOURCE, clauses._ENDPOINT, clauses._ACTION, entities._ENTITY, events._EVENT, events._WEBHOOK, events._INTEGRATION),
        *(events._OPERATION, events._BREAKER, workflows._STEP, workflows._WORKFLOW, workflows._JOB),
    )
    assert set(table["clause"]) == {word for block in of_blocks for word in block}
    assert set(statements.KEYWORDS) <= set(table["statement"])


def test_types_are_explained_in_their_canonical_names() -> None:
    known = {*_PLAIN, *_PARAMETRISED}
    assert set(words()["type"]) <= known
    assert known - set(words()["type"]) - set(TYPES) <= {"any", "Empty", "array", "varchar", "map"}, known - set(words()["type"])


def test_lines_are_sentences() -> None:
    for kind in words().values():
        for word, line in kind.items():
            assert line.endswith(".") and len(line) <= 140, word
