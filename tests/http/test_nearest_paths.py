"""What stands in the place of nothing: the path that a caller probably meant."""

import pytest

from codeai.http.routing import Router

PATHS = (
    *("/health", "/health/live", "/metrics", "/debug/pprof/", "/debug/pprof/heap", "/api/v1/workflows", "/api/v1/executions/{id}/retry"),
    *("/tickets", "/tickets/{id}", "/tickets/{id}/notes"),
)


@pytest.fixture(scope="module")
def router() -> Router[str]:
    made: Router[str] = Router()
    for path in PATHS:
        made.add("GET", tuple((part.strip("{}"), part.startswith("{")) for part in path[1:].split("/")), path)
    return made


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/health/", "/health"),
        ("/healthz", "/health"),
        ("/Health", "/health"),
        ("/metric", "/metrics"),
        ("//metrics", "/metrics"),
        ("/debug/pprof/heep", "/debug/pprof/heap"),
        ("/api/v1/workflow", "/api/v1/workflows"),
        ("/api/v1/execution/4711/retry", "/api/v1/executions/4711/retry"),
        ("/api/v1/executions/4711/retri/", "/api/v1/executions/4711/retry"),
        ("/tickets/7/note", "/tickets/7/notes"),
        ("/api/v2/workflow", None),  # two mistakes may mean anything
        ("/nothing", None),
        ("/", None),
        ("/tickets/7", None),  # which is there
        ("/" + "a" * 10_000, None),
        ("/" + "a/" * 5_000, None),
        ("/\x00\xff", None),
    ],
)
def test_the_path_that_was_meant(router: Router[str], path: str, meant: str | None) -> None:
    assert router.near(path) == meant
