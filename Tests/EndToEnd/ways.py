"""The ways in which the same services are served: how the server talks to them, times the protocol version.

Each way is a deployment of its own, with a prefix before its service names; each scenario must come out the same in
every one of them.
"""

import json
from dataclasses import dataclass
from datetime import timedelta

import restate
from restate import InvocationRetryPolicy

QUICK = InvocationRetryPolicy(
    initial_interval=timedelta(milliseconds=30), exponentiation_factor=1.5, max_interval=timedelta(milliseconds=500)
)


@dataclass(frozen=True)
class Way:
    style: str
    version: int

    @property
    def name(self) -> str:
        return f"{self.style}-v{self.version}"

    @property
    def prefix(self) -> str:
        return f"{self.style.capitalize()}V{self.version}"

    @property
    def is_http11(self) -> bool:
        return self.style == "reqres"

    def metadata(self, **entries: str) -> dict | None:
        """Metadata of an error; before version 6 errors have none."""
        return entries if self.version >= 6 else None

    def _options(self) -> dict:
        options: dict = {"invocation_retry_policy": QUICK}
        if self.style == "suspending":
            options["inactivity_timeout"] = timedelta(0)
        return options

    def service(self, name: str) -> restate.Service:
        return restate.Service(self.prefix + name, **self._options())

    def _keyed_options(self) -> dict:
        return self._options() | ({"state_preload": False} if self.style == "lazy" else {})

    def object(self, name: str) -> restate.VirtualObject:
        return restate.VirtualObject(self.prefix + name, **self._keyed_options())

    def workflow(self, name: str) -> restate.Workflow:
        return restate.Workflow(self.prefix + name, **self._keyed_options())


STYLES = ("bidi", "suspending", "reqres", "lazy")
VERSIONS = (5, 6, 7)
WAYS = {way.name: way for way in (Way(style, version) for version in VERSIONS for style in STYLES)}


def capped(application, version: int):
    """The application with a manifest that announces protocol versions up to `version` only."""

    async def wrapped(scope, receive, send) -> None:
        if not scope["path"].endswith("/discover"):
            return await application(scope, receive, send)

        async def capped_send(event) -> None:
            if event["type"] == "http.response.body" and event.get("body", b"").startswith(b"{"):
                manifest = json.loads(event["body"])
                manifest["maxProtocolVersion"] = version
                manifest["minProtocolVersion"] = min(version, manifest["minProtocolVersion"])
                event = event | {"body": json.dumps(manifest).encode()}
            await send(event)

        await application(scope, receive, capped_send)

    return wrapped
