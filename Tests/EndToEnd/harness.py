"""What scenarios see of the world, and the registry of scenarios."""

import asyncio
import itertools
import json
import time
from dataclasses import dataclass, field

import httpx

from EndToEnd.endpoint import Endpoint, Raw, manifest
from EndToEnd.ways import Way
from Support.ledger import Ledger
from Support.processes import Server, Services

SCENARIOS: list["Scenario"] = []


@dataclass(frozen=True)
class Scenario:
    name: str
    body: object
    in_all_ways: bool
    limit: float
    is_timed: bool


def scenario(body=None, *, limit: float = 30.0):
    """A scenario that must come out the same in every way of serving."""
    return _register(body, limit, in_all_ways=True)


def once(body=None, *, limit: float = 60.0):
    """A scenario that does not depend on the way; it gets the first one."""
    return _register(body, limit)


def timed(body=None, *, limit: float = 60.0):
    """A scenario of the first way that says how long something takes at most.

    A busy machine delays everything: such scenarios run when the others are done, and have three tries.
    """
    return _register(body, limit, is_timed=True)


def _register(body, limit: float, *, in_all_ways: bool = False, is_timed: bool = False):
    def add(function):
        group = function.__module__.rsplit(".", 1)[-1]
        name = f"{group}/{function.__name__.replace('_', '-')}"
        SCENARIOS.append(Scenario(name, function, in_all_ways, limit, is_timed))
        return function

    return add if body is None else add(body)


class Failed(AssertionError):
    """The scenario's sentence is not true; the text says what was seen."""


def check(is_true: bool, what: str) -> None:
    if not is_true:
        raise Failed(what)


def equal(found, expected, what: str = "the value") -> None:
    check(found == expected, f"{what} is {short(found)}, expected {short(expected)}")


def short(value, limit: int = 300) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[:limit] + "…"


@dataclass
class Answer:
    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body) if self.body else None

    @property
    def message(self) -> str:
        try:
            return self.json["message"]
        except (ValueError, KeyError, TypeError):
            return self.body.decode(errors="replace")


@dataclass
class World:
    """One scenario in one way: unique names, and short words for what clients and operators do."""

    way: Way
    server: Server
    services: Services
    ledger: Ledger
    http: httpx.AsyncClient
    label: str
    slow: float = 1.0
    endpoint: Endpoint | None = None
    _numbers: itertools.count = field(default_factory=itertools.count)

    def key(self, hint: str = "k") -> str:
        """A name that no other scenario uses."""
        return f"{hint}-{self.label}-{next(self._numbers)}"

    async def raw(self, services: dict, **options) -> Raw:
        """Registers a deployment whose SDK is the scenario; `services` and options as in `endpoint.manifest`."""
        use_http11 = options.pop("http11", False)
        prefix = options.pop("prefix", None) or f"R{self.label.replace('-', '_')}n{next(self._numbers)}_"
        raw = self.endpoint.add(prefix, manifest(prefix, services, **options))
        body = {"uri": raw.url, "use_http_11": use_http11}
        answer = await self.request("POST", f"{self.server.admin}/deployments", body)
        equal(answer.status, 201, f"the registration ({answer.message[:300]})")
        raw.deployment = answer.json["id"]
        return raw

    async def operate(self, invocation: str, operation: str, query: str = "") -> Answer:
        return await self.admin("PATCH", f"/invocations/{invocation}/{operation}{query}")

    def path(self, service: str, handler: str, key: str | None = None) -> str:
        return "/".join(part for part in (self.way.prefix + service, key, handler) if part is not None)

    async def request(self, method: str, url: str, body=None, headers: dict | None = None, within: float = 30.0) -> Answer:
        """`body` as JSON, or as it is when it is bytes; a header None is left out."""
        content = body if isinstance(body, bytes) else None if body is ABSENT else json.dumps(body).encode()
        all_headers = {} if body is ABSENT else {"content-type": "application/json"}
        answer = await self.http.request(
            method, url, content=content, headers=all_headers | (headers or {}), timeout=within * self.slow
        )
        return Answer(answer.status_code, dict(answer.headers), answer.content)

    async def call(self, target: str, body=None, headers: dict | None = None, within: float = 30.0):
        """Calls a handler and gives its result; anything but 200 fails the scenario."""
        answer = await self.try_call(target, body, headers, within)
        equal(answer.status, 200, f"the status of {target} ({answer.message[:200]})")
        return answer.json

    async def try_call(self, target: str, body=None, headers: dict | None = None, within: float = 30.0) -> Answer:
        body = ABSENT if body is None else body
        return await self.request("POST", f"{self.server.ingress}/{target}", body, headers, within)

    async def send(self, target: str, body=None, headers: dict | None = None, delay: str | None = None) -> str:
        """One-way; gives the invocation's id."""
        query = f"?delay={delay}" if delay else ""
        answer = await self.request(
            "POST", f"{self.server.ingress}/{target}/send{query}", ABSENT if body is None else body, headers
        )
        equal(answer.status, 202, f"the status of the send to {target} ({answer.message[:200]})")
        return answer.json["invocationId"]

    async def attach(self, invocation: str, within: float = 30.0) -> Answer:
        return await self.request("GET", f"{self.server.ingress}/restate/attach/{invocation}", ABSENT, within=within)

    async def admin(self, method: str, path: str, body=None) -> Answer:
        return await self.request(
            method, self.server.admin + path, ABSENT if body is None else body, {"accept": "application/json"}
        )

    async def rows(self, query: str) -> list[dict]:
        answer = await self.admin("POST", "/query", {"query": query})
        equal(answer.status, 200, f"the status of {query!r} ({answer.message[:200]})")
        return answer.json["rows"]

    async def row(self, invocation: str) -> dict:
        rows = await self.rows(f"SELECT * FROM sys_invocation WHERE id = '{invocation}'")
        return rows[0] if rows else {}

    async def until(self, what: str, happens, within: float = 15.0):
        """Polls `happens` (sync or async) until it gives something true, and gives that."""
        deadline = time.monotonic() + within * self.slow
        while time.monotonic() < deadline:
            result = happens()
            if asyncio.iscoroutine(result):
                result = await result
            if result:
                return result
            await asyncio.sleep(0.02)
        raise Failed(f"waited in vain for {what}")

    async def noted(self, key: str, count: int = 1) -> list[str]:
        return await self.until(
            f"{count} notes under {key}", lambda: len(self.ledger.read(key)) >= count and self.ledger.read(key)
        )

    async def status(self, invocation: str, *statuses: str, within: float = 15.0) -> dict:
        """Waits until the invocation has one of the statuses."""

        async def look():
            row = await self.row(invocation)
            return row if row.get("status") in statuses else None

        return await self.until(f"{invocation} to be {' or '.join(statuses)}", look, within)


ABSENT = object()
