"""An endpoint whose SDK is the scenario itself: it reads what the server sends and answers frame by frame.

    raw = await world.raw(S={"h": None})
    identifier = await world.send(raw.path("S", "h"), "hi")
    attempt = await raw.attempt()
    start = await attempt.replayed()
    await attempt.write(output("\"ho\""), END)
"""

import asyncio
import json
import struct
from dataclasses import dataclass, field

from EndToEnd.exchanges import Exchange, serve_http1, serve_http2
from EndToEnd.wire import Frame
from Support.processes import free_port

PATIENCE = 60.0


class Cut(Exception):
    """The server has cut the attempt off: RST_STREAM, or a closed connection."""


class Attempt:
    """One attempt: an HTTP exchange that the scenario answers."""

    def __init__(self, exchange: "Exchange") -> None:
        self.exchange = exchange
        self.path, self.headers, self.http = exchange.path, exchange.headers, exchange.http
        self._buffer = bytearray()
        self._events: asyncio.Queue = asyncio.Queue()
        self._has_head = False
        self.start: Frame | None = None
        self.entries: list[Frame] = []
        exchange.listener = self

    @property
    def invocation(self) -> str:
        return self.headers["x-restate-invocation-id"]

    # What the server sends.

    def data(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= 8:
            kind, flags, length = struct.unpack(">HHI", self._buffer[:8])
            if len(self._buffer) < 8 + length:
                break
            self._events.put_nowait(Frame(kind, bytes(self._buffer[8 : 8 + length]), flags))
            del self._buffer[: 8 + length]

    def ended(self) -> None:
        self._events.put_nowait(None)

    def cut(self) -> None:
        self._events.put_nowait(Cut())

    async def read(self, within: float = PATIENCE) -> Frame | None:
        """The next frame; None when the server has ended the request. Raises Cut."""
        event = await asyncio.wait_for(self._events.get(), within)
        if isinstance(event, Cut):
            raise event
        return event

    async def replayed(self) -> Frame:
        """Reads Start and the journal, and gives Start."""
        self.start = await self.read()
        assert self.start is not None and self.start.name == "Start", f"{self.start} is no Start"
        self.entries = [await self.read() for _ in range(self.start.get(3, 0))]
        return self.start

    @property
    def names(self) -> list[str]:
        return [entry.name for entry in self.entries]

    async def read_all(self, within: float = PATIENCE) -> list[Frame]:
        """All that comes until the server ends the request."""
        frames = []
        while (frame := await self.read(within)) is not None:
            frames.append(frame)
        return frames

    async def was_cut(self, within: float = PATIENCE) -> bool:
        """Whether the server cuts the attempt off; everything that comes before is skipped."""
        try:
            while True:
                await self.read(within)
        except Cut:
            return True
        except asyncio.TimeoutError:
            return False

    # What the scenario sends.

    async def head(self, status: int = 200, headers: dict | None = None) -> None:
        """The head of the response; `headers` None: the content type that was asked for."""
        if headers is None:
            headers = {"content-type": self.headers["content-type"], "x-restate-server": "scenario/1"}
        self._has_head = True
        await self.exchange.head(status, headers)

    async def raw(self, data: bytes) -> None:
        if not self._has_head:
            await self.head()
        await self.exchange.body(data)

    async def write(self, *frames: Frame) -> None:
        await self.raw(b"".join(bytes(frame) for frame in frames))

    async def end(self) -> None:
        """Ends the response."""
        if not self._has_head:
            await self.head()
        await self.exchange.end()

    async def finish(self, *frames: Frame) -> None:
        await self.write(*frames)
        await self.end()

    async def refuse(self, status: int, headers: dict | None = None, body: bytes = b"") -> None:
        await self.head(status, headers or {})
        if body:
            await self.raw(body)
        await self.end()

    def reset(self) -> None:
        """Breaks the exchange off: RST_STREAM, or a closed connection."""
        self.exchange.reset()


@dataclass
class Raw:
    """A deployment of a scenario's own."""

    url: str
    manifest: dict
    prefix: str
    deployment: str = ""
    attempts: asyncio.Queue = field(default_factory=asyncio.Queue)
    discoveries: int = 0
    discovered_over: list = field(default_factory=list)

    def path(self, service: str, handler: str, key: str | None = None) -> str:
        return "/".join(part for part in (self.prefix + service, key, handler) if part is not None)

    def name(self, service: str) -> str:
        return self.prefix + service

    async def attempt(self, within: float = PATIENCE) -> Attempt:
        """The next attempt, its journal read."""
        attempt = await self.request(within)
        await attempt.replayed()
        return attempt

    async def request(self, within: float = PATIENCE) -> Attempt:
        """The next attempt, as it comes."""
        return await asyncio.wait_for(self.attempts.get(), within)

    async def until_quiet(self, pause: float):
        """The attempts that come, until none has come for so many seconds."""
        while True:
            try:
                attempt = await self.attempt(pause)
            except asyncio.TimeoutError:
                return
            yield attempt

    async def nobody(self, within: float) -> bool:
        """Whether no attempt comes."""
        try:
            await self.request(within)
            return False
        except asyncio.TimeoutError:
            return True


class Endpoint:
    """Serves the deployments of all scenarios, in the process of the tests, over HTTP/2 and HTTP/1.1."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._deployments: dict[str, Raw] = {}
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task] = set()

    async def __aenter__(self) -> "Endpoint":
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_) -> None:
        self._server.close()
        for task in self._connections:
            task.cancel()

    def add(self, prefix: str, manifest: dict) -> Raw:
        name = f"d{len(self._deployments)}"
        self._deployments[name] = Raw(f"{self.url}/{name}", manifest, prefix)
        return self._deployments[name]

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._connections.add(task)
        try:
            first = await reader.read(65_536)
            await (serve_http2 if first.startswith(b"PRI") else serve_http1)(first, reader, writer, self._begins)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._connections.discard(task)
            writer.close()

    def _begins(self, exchange: Exchange) -> None:
        _, name, route, *_ = exchange.path.split("/")
        raw = self._deployments[name]
        if route == "discover":
            asyncio.ensure_future(self._discover(raw, exchange))
        else:
            raw.attempts.put_nowait(Attempt(exchange))

    async def _discover(self, raw: Raw, exchange: Exchange) -> None:
        raw.discoveries += 1
        raw.discovered_over.append(exchange.connection)
        await exchange.head(200, {"content-type": "application/vnd.restate.endpointmanifest.v4+json"})
        await exchange.body(json.dumps(raw.manifest).encode())
        await exchange.end()


def manifest(prefix: str, services: dict, *, versions=(5, 7), mode: str = "BIDI_STREAM", **options) -> dict:
    """`services`: by name, (type, {handler: type or (type, options)}[, options]); types S, O and W, handlers E, S, W."""
    kinds = {"S": "SERVICE", "O": "VIRTUAL_OBJECT", "W": "WORKFLOW"}
    handler_kinds = {"E": "EXCLUSIVE", "S": "SHARED", "W": "WORKFLOW"}
    listed = []
    for name, (kind, handlers, *more) in services.items():
        described = []
        for handler, given in handlers.items():
            handler_kind, extra = given if isinstance(given, tuple) else (given, {})
            entry = {"name": handler, "input": {"required": False, "contentType": "*/*"}} | extra
            if handler_kind:
                entry["ty"] = handler_kinds[handler_kind]
            described.append(entry)
        listed.append({"name": prefix + name, "ty": kinds[kind], "handlers": described} | (more[0] if more else {}))
    return {
        "protocolMode": mode, "minProtocolVersion": versions[0], "maxProtocolVersion": versions[1], "services": listed,
    } | options  # fmt: skip

