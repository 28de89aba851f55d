"""An editor at the other end of a real ``codeai lsp`` process: plain JSON-RPC, so that malformed messages can be sent, too."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

_DEADLINE = 60


class Editor:
    """One session; ``published`` has the last findings of each document, by its address."""

    def __init__(self, root: Path, **capabilities: Any) -> None:
        self.root = root
        self.capabilities = capabilities
        self.published: dict[str, dict[str, Any]] = {}
        self.asked: list[dict[str, Any]] = []
        self.server: dict[str, Any] = {}
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._news = asyncio.Event()
        self._next = 0

    async def begin(self, *, initialize: bool = True, **how: Any) -> "Editor":
        command = [sys.executable, "-m", "codeai", "lsp", "--stdio"]
        pipe = asyncio.subprocess.PIPE
        self.process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe, limit=2**26, **how)
        self._reading = asyncio.create_task(self._read())
        self._errors = asyncio.create_task(self.process.stderr.read())  # type: ignore[union-attr]
        if initialize:
            self.server = (await self.ask("initialize", self.beginning()))["result"]
            self.tell("initialized", {})
        return self

    def beginning(self) -> dict[str, Any]:
        folder = {"uri": self.root.as_uri(), "name": self.root.name}
        return {"processId": os.getpid(), "rootUri": self.root.as_uri(), "workspaceFolders": [folder], "capabilities": self.capabilities}

    async def __aenter__(self) -> "Editor":
        return await self.begin()

    async def __aexit__(self, *_: object) -> None:
        if self.process.returncode is None:
            await self.ask("shutdown", None)
            self.tell("exit", None)
        assert await self.ended() == 0

    async def ended(self) -> int:
        code = await asyncio.wait_for(self.process.wait(), _DEADLINE)
        await self._reading
        self.errors = (await self._errors).decode()
        return code

    async def _read(self) -> None:
        reader = self.process.stdout
        assert reader is not None
        while header := await reader.readline():
            length = int(header.split(b":")[1])
            while (await reader.readline()).strip():
                pass
            self._take(json.loads(await reader.readexactly(length)))
        for waiting in self._waiting.values():
            waiting.set_exception(ConnectionError("the server is gone"))

    def _take(self, message: dict[str, Any]) -> None:
        if "method" not in message:
            self._waiting.pop(message["id"]).set_result(message)
        elif message["method"] == "textDocument/publishDiagnostics":
            self.published[message["params"]["uri"]] = message["params"]
        else:
            self.asked.append(message)
            if "id" in message:
                self.send({"id": message["id"], "result": None})
        self._news.set()

    def send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    def tell(self, method: str, params: Any) -> None:
        self.send({"method": method, "params": params})

    def asking(self, method: str, params: Any) -> tuple[int, "asyncio.Future[dict[str, Any]]"]:
        self._next += 1
        self._waiting[self._next] = asyncio.get_running_loop().create_future()
        future = self._waiting[self._next]
        self.send({"id": self._next, "method": method, "params": params})
        return self._next, future

    async def ask(self, method: str, params: Any) -> dict[str, Any]:
        """The whole answer, error or result."""
        return await asyncio.wait_for(self.asking(method, params)[1], _DEADLINE)

    async def result(self, method: str, params: Any) -> Any:
        answer = await self.ask(method, params)
        assert "error" not in answer, answer
        return answer["result"]

    # -- documents ------------------------------------------------------------------------------------------------------

    def open(self, path: Path | str, text: str, version: int = 1) -> str:
        uri = path if isinstance(path, str) else path.as_uri()
        item = {"uri": uri, "languageId": "codeai", "version": version, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": item})
        return uri

    def change(self, uri: str, version: int, *changes: dict[str, Any]) -> None:
        self.tell("textDocument/didChange", {"textDocument": {"uri": uri, "version": version}, "contentChanges": list(changes)})

    def close(self, uri: str) -> None:
        self.tell("textDocument/didClose", {"textDocument": {"uri": uri}})

    async def findings(self, uri: str, codes: list[str], version: int | None = None) -> list[dict[str, Any]]:
        """Waits until the findings of a document have these codes."""

        def there() -> bool:
            found = self.published.get(uri)
            return (
                found is not None
                and [one["code"] for one in found["diagnostics"]] == codes
                and (version is None or found.get("version") == version)
            )

        try:
            async with asyncio.timeout(_DEADLINE):
                while not there():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"expected {codes}, got {self.published.get(uri)}") from None
        return self.published[uri]["diagnostics"]


def span(first: int, begin: int, last: int, end: int) -> dict[str, Any]:
    return {"start": {"line": first, "character": begin}, "end": {"line": last, "character": end}}
