"""Lists (stub while the plan is being written)."""

from typing import Any


class ListAction:
    def __init__(self, *a: Any) -> None: ...
    async def run(self, *a: Any) -> Any:
        raise NotImplementedError
