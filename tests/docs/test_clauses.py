"""Each clause that a declaration takes is said on a page of the reference; what the pages show is checked by their samples."""

import re
from pathlib import Path

import pytest

from codeai.analysis.unread import UNREAD
from codeai.language.parser import clauses, entities, events, workflows

PAGES = Path(__file__).parents[2] / "docs/language"
WHERE = {
    "endpoint": (clauses._ENDPOINT, "endpoints", "resources"),
    "resource": (clauses._RESOURCE | clauses._ACTION, "resources", "endpoints"),
    "entity": (entities._ENTITY, "entities", "policies"),
    "event": (events._EVENT, "events"),
    "webhook": (events._WEBHOOK, "webhooks"),
    "integration": (events._INTEGRATION, "integrations"),
    "operation": (events._OPERATION, "integrations"),
    "breaker": (events._BREAKER, "integrations"),
    "workflow": (workflows._WORKFLOW, "workflows"),
    "step": (workflows._STEP, "workflows"),
    "job": (workflows._JOB, "jobs", "workflows"),
}
OLDER = {"as_item"}  # 'for_each x in list' says it


@pytest.mark.parametrize("declaration", WHERE)
def test_each_clause_stands_in_the_reference(declaration: str) -> None:
    table, *pages = WHERE[declaration]
    text = "".join((PAGES / f"{page}.md").read_text() for page in pages)
    said = {word for part in re.findall(r"`[^`]+`|```.*?```", text, re.DOTALL) for word in re.findall(r"\w+", part)}
    unread = set(UNREAD.get(declaration, ()))
    assert sorted(set(table) - said - unread - OLDER) == []
