#!/usr/bin/env python3
"""Replays recorded conversations: plays the SDK's side of each, and compares what the program says with what an
existing server said to the same SDK.

One line per case that fails, and last `N passed, M failed`. The exit status is 0 if all passed, 1 if not, 2 if the
test itself could not run.
"""

import argparse
import asyncio
import pathlib
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import httpx  # noqa: E402

from Recorded.conversation import Conversation  # noqa: E402
from Recorded.endpoint import Endpoint, Stream  # noqa: E402
from Recorded.recording import Case, cases, manifest, sdks  # noqa: E402
from Support.processes import CannotRun, Server  # noqa: E402

# Servers, by the settings with which the cases were recorded: the beginning of their names, and options.
SERVERS = {
    "v7_": ["--set", "experimental-enable-protocol-v7=true"],
    "lazy_": ["--set", "worker.invoker.eager-state-size-limit=0"],
    "partial_": ["--set", "worker.invoker.eager-state-size-limit=8B"],
    "": [],
}
INACTIVITY = {"suspended_": "0s", "inactivity_": "1s"}


def setting(case: Case, table: dict):
    """What the table has for a part of the case's name."""
    return next((value for part, value in table.items() if part and part in case.name), table.get(""))


class Suite:
    """The cases of one SDK on one server, one after the other."""

    def __init__(self, sdk: str, server: Server, cases: list[Case], options: argparse.Namespace) -> None:
        self.sdk, self.server, self.cases, self.options = sdk, server, cases, options
        self.manifest = manifest(sdk)
        self.endpoint = Endpoint(sdk, self.manifest)
        self.passed, self.failed, self.early, self.late = 0, 0, 0, 0
        self.ended: set[str] = set()  # invocations of cases that have passed
        self.failures: set[str] = set()  # of those that have not: they may linger
        self.mode: tuple = (None, None)

    async def run(self) -> None:
        await self.endpoint.start()
        self.endpoint.invoke = self._no_attempt
        async with httpx.AsyncClient(trust_env=False, timeout=60.0) as self.http:
            for number, case in enumerate(self.cases):
                if self.failed >= self.options.failures:
                    self.failed += len(self.cases) - number
                    print(f"FAIL {self.sdk}: {len(self.cases) - number} more cases were not run", flush=True)
                    break
                begin = time.monotonic()
                await self._prepare(case)
                conversation = Conversation(case, self.server.ingress, self.server.admin, self.http)
                self.endpoint.invoke = lambda stream, conversation=conversation: self._attempt(stream, conversation)
                problems = await conversation.run() + self.endpoint.trouble
                self.endpoint.trouble = []
                (self.failures if problems else self.ended).update(conversation.identifiers)
                if problems:
                    await self._kill(conversation.identifiers)
                self.early, self.late = self.early + conversation.early, self.late + conversation.late
                self.failed += bool(problems)
                self.passed += not problems
                if problems or self.options.verbose:
                    lines = [f"{'FAIL' if problems else 'ok  '} {self.sdk}/{case.name} ({time.monotonic() - begin:.2f} s)"]
                    lines += [f"       {problem}" for problem in problems[: self.options.problems]]
                    print("\n".join(lines), flush=True)
        await self.endpoint.stop()

    async def _prepare(self, case: Case) -> None:
        mode = (case.name.startswith("http1_"), setting(case, INACTIVITY))
        if mode[0] != self.mode[0]:
            body = {"uri": self.endpoint.uri(is_http1=mode[0]), "use_http_11": mode[0], "force": True}
            answer = await self.http.post(f"{self.server.admin}/deployments", json=body)
            if answer.status_code not in (200, 201):
                raise CannotRun(f"cannot register {self.sdk}: {answer.status_code} {answer.text[:400]}")
            self.mode = (mode[0], None)
        if mode[1] != self.mode[1]:
            for service in self.manifest["services"]:
                answer = await self.http.patch(
                    f"{self.server.admin}/services/{service['name']}", json={"inactivity_timeout": mode[1] or "1m"}
                )
                if answer.status_code != 200:
                    raise CannotRun(f"cannot set a timeout: {answer.status_code} {answer.text[:400]}")
        self.mode = mode

    async def _attempt(self, stream: Stream, conversation: Conversation) -> None:
        identifier = stream.header("x-restate-invocation-id")
        if identifier in self.ended:
            self.endpoint.trouble.append(f"there was an attempt of {identifier}, which had ended")
        elif identifier not in self.failures:
            await conversation.attempt(stream, self.sdk)

    async def _kill(self, identifiers: set[str]) -> None:
        """So that a case that failed does not trouble the next ones."""
        for identifier in identifiers:
            await self.http.patch(f"{self.server.admin}/invocations/{identifier}/kill")

    async def _no_attempt(self, stream: Stream) -> None:
        self.endpoint.trouble.append(f"there was an attempt of {stream.header(':path')} before any request")


async def run_all(options: argparse.Namespace, work: pathlib.Path) -> int:
    begin = time.monotonic()
    groups: dict[tuple[str, str], list[Case]] = {}
    for sdk in sdks():
        for case in cases(sdk):
            if options.filter in f"{sdk}/{case.name}":
                groups.setdefault((sdk, next(part for part in SERVERS if part in case.name)), []).append(case)
    servers = {
        part: Server(work, name=f"server-{part or 'plain'}", options=SERVERS[part]) for part in {part for _, part in groups}
    }
    try:
        for server in servers.values():
            server.start()
        suites = [Suite(sdk, servers[part], cases, options) for (sdk, part), cases in groups.items()]
        await asyncio.gather(*(suite.run() for suite in suites))
        dead = [server.name for server in servers.values() if not server.is_running]
        for name in dead:
            print(f"FAIL {name} ended by itself: {servers[name].last_words()}")
    finally:
        for server in servers.values():
            server.kill()
    passed, failed = sum(suite.passed for suite in suites), sum(suite.failed for suite in suites) + len(dead)
    early, late = sum(suite.early for suite in suites), sum(suite.late for suite in suites)
    print(f"Notifications that came earlier than recorded: {early}, later: {late}")
    print(f"{passed} passed, {failed} failed in {time.monotonic() - begin:.1f} s")
    return 1 if failed else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--filter", default="", help="only what has this in its name, such as go-1.2.0/greet or v7_")
    parser.add_argument("--verbose", action="store_true", help="a line for each case")
    parser.add_argument("--failures", type=int, default=3, help="with how many an SDK's cases on a server are given up")
    parser.add_argument("--problems", type=int, default=5, help="how many problems of a case are printed")
    parser.add_argument("--keep", action="store_true", help="keep logs and data, and say where they are")
    options = parser.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-recorded-"))
    status = 2
    try:
        status = asyncio.run(run_all(options, work))
    except CannotRun as reason:
        print(f"Cannot run: {reason}")
    finally:
        if options.keep or status != 0:
            print(f"Logs and data: {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
