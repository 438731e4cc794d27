#!/usr/bin/env python3
"""kill -9 of the server, over and over, in the middle of a load of mixed invocations.

Outside the server, a ledger holds what each step really did, and this driver what each client was told. After the last
cycle: everything that was acknowledged is there, and answers as it did; the state is what the handlers wrote, to the
unit; nothing was done twice that should be done once; no two calls of one object overlapped; no invocation is stuck.
`--seed` repeats the choices of a run (not its timing). `--fault` plants one, to show that its check sees it.

The exit status is 0 if all that held, 1 if not, 2 if the test itself could not run.
"""

import argparse
import asyncio
import collections
import contextlib
import json
import math
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import httpx  # noqa: E402

from Support.ledger import Ledger  # noqa: E402
from Support.processes import CannotRun, Server, Services  # noqa: E402

STEPS = 5
OBJECTS = 6


@dataclass(frozen=True)
class Add:
    """A call that adds to an object."""

    key: str
    amount: int
    begin: float


@dataclass(frozen=True)
class Note:
    """Steps that leave a line each in the ledger, and when they were asked for and known to be done."""

    name: str
    steps: int
    begin: float
    end: float


class Load:
    """Clients that call, are cut off by crashes, and call again; and what they were told."""

    def __init__(self, server: Server, ledger: Ledger, http: httpx.AsyncClient, seed: int) -> None:
        self.server, self.ledger, self.http = server, ledger, http
        self.random = random.Random(seed)
        self.kinds = [
            self.steps, self.tally, self.tally, self.careless, self.flow, self.delayed, self.awakeable, self.nap,
            self.move, self.spread,
        ]  # fmt: skip
        self.is_over = False
        self.counts: collections.Counter = collections.Counter()
        self.faults: list[str] = []
        self.invocations: dict[str, str] = {}
        # Adds by operation: those that must be there once, and those that may be there (the client was cut off).
        self.sure: dict[str, Add] = {}
        self.unsure: dict[str, Add] = {}
        self.told: dict[str, list[int]] = collections.defaultdict(list)
        self.answers: list[tuple[str, object, str, bytes]] = []
        self.notes: list[Note] = []
        self.kills: list[float] = []
        self.last_answer = time.monotonic()

    async def client(self, name: str) -> None:
        number = 0
        while not self.is_over:
            kind = self.random.choice(self.kinds)
            operation = f"{kind.__name__}-{name}-{number}"
            number += 1
            try:
                await kind(operation)
                self.counts[kind.__name__] += 1
            except AssertionError as fault:
                self.faults.append(f"{operation}: {fault}")
            except Exception as error:  # noqa: BLE001 - whatever it trips over, a client must not just go silent
                self.faults.append(f"{operation}: the client tripped over {error!r}")

    async def repeat(self, method: str, path: str, body=None, headers: dict | None = None, expected=(200,)) -> httpx.Response:
        """Asks until there is an answer, over as many crashes as it takes."""
        while True:
            try:
                answer = await self.http.request(
                    method, self.server.ingress + path, json=body, headers=headers, timeout=60.0
                )
                if answer.status_code in expected:
                    self.last_answer = time.monotonic()
                    return answer
                # 503 while it starts or stops; anything else is wrong.
                assert answer.status_code == 503, f"{path} gave {answer.status_code} {answer.text[:200]}"
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.03)

    async def call(self, operation: str, path: str, body):
        answer = await self.repeat("POST", path, body, {"idempotency-key": operation})
        self.invocations[answer.headers["x-restate-id"]] = operation
        self.answers.append((path, body, operation, answer.content))
        return answer.json() if answer.content else None

    async def send(self, operation: str, path: str, body, query: str = "") -> str:
        answer = await self.repeat(
            "POST", f"{path}/send{query}", body, {"idempotency-key": operation}, expected=(200, 202)
        )
        identifier = answer.json()["invocationId"]
        self.invocations[identifier] = operation
        return identifier

    async def attach(self, identifier: str):
        return (await self.repeat("GET", f"/restate/attach/{identifier}")).json()

    def add(self, operation: str, key: str, amount: int) -> None:
        self.sure[operation] = Add(key, amount, time.monotonic())

    @contextlib.contextmanager
    def noting(self, name: str, steps: int):
        """What is done meanwhile leaves a note with these steps, each once but for crashes."""
        begin = time.monotonic()
        yield
        self.notes.append(Note(name, steps, begin, time.monotonic()))

    def service(self) -> str:
        return self.random.choice(("Work", "Suspending"))

    def object(self) -> str:
        return f"o{self.random.randrange(OBJECTS)}"

    async def steps(self, operation: str) -> None:
        with self.noting(f"steps-{operation}", STEPS):
            result = await self.call(operation, f"/{self.service()}/inSteps", operation)
        assert result == sum(range(STEPS)), f"it was told {result}"

    async def tally(self, operation: str) -> None:
        key, amount = self.object(), self.random.randrange(1, 10)
        self.add(operation, key, amount)
        request = {"operation": operation, "amount": amount}
        self.told[key].append(await self.call(operation, f"/Tally/{key}/add", request))

    async def careless(self, operation: str) -> None:
        """One try without idempotency key: told of success it was done, otherwise perhaps."""
        key, amount = self.object(), self.random.randrange(1, 10)
        self.unsure[operation] = Add(key, amount, time.monotonic())
        try:
            answer = await self.http.post(
                f"{self.server.ingress}/Tally/{key}/add", json={"operation": operation, "amount": amount}, timeout=60.0
            )
        except httpx.TransportError:
            return
        if answer.status_code == 200:
            self.sure[operation] = self.unsure.pop(operation)
            self.told[key].append(answer.json())
        else:
            assert answer.status_code == 503, f"it gave {answer.status_code} {answer.text[:200]}"

    async def flow(self, operation: str) -> None:
        with self.noting(f"flow-{operation}", 2):
            answer = await self.repeat("POST", f"/Flow/{operation}/run/send", operation, expected=(200, 202))
            self.invocations[answer.json()["invocationId"]] = operation
            await asyncio.sleep(self.random.random() * 0.3)
            await self.call(operation, f"/Flow/{operation}/answer", f"yes, {operation}")
            result = (await self.repeat("GET", f"/restate/workflow/Flow/{operation}/attach")).json()
        assert result == f"yes, {operation}", f"it was told {result!r}"

    async def delayed(self, operation: str) -> None:
        key = self.object()
        self.add(operation, key, 1)
        delay = self.random.randrange(50, 1500)
        await self.send(operation, f"/Tally/{key}/add", {"operation": operation, "amount": 1}, f"?delay={delay}ms")

    async def awakeable(self, operation: str) -> None:
        identifier = await self.send(operation, f"/{self.service()}/awake", operation)
        while not (awakeables := self.ledger.read(f"awakeable-{operation}")):
            await asyncio.sleep(0.05)
        await self.repeat("POST", f"/restate/awakeables/{awakeables[0]}/resolve", operation, expected=(202,))
        result = await self.attach(identifier)
        assert result == operation, f"it was told {result!r}"
        assert len(set(awakeables)) == 1, f"one awakeable had the ids {awakeables}"

    async def nap(self, operation: str) -> None:
        duration, begin = self.random.randrange(10, 1500), time.monotonic()
        request = {"operation": operation, "duration": duration}
        with self.noting(f"nap-{operation}", 1):
            assert await self.attach(await self.send(operation, f"/{self.service()}/nap", request)) == "rested"
        assert time.monotonic() - begin >= duration / 1000, "it woke up too early"

    async def move(self, operation: str) -> None:
        giver, taker, amount = self.object(), self.object(), self.random.randrange(1, 10)
        self.add(operation + "-out", giver, -amount)
        self.add(operation + "-in", taker, amount)
        request = {"operation": operation, "from": giver, "to": taker, "amount": amount}
        assert await self.call(operation, f"/{self.service()}/move", request) == "moved"

    async def spread(self, operation: str) -> None:
        key = self.object()
        for number in range(3):
            self.add(f"{operation}-{number}", key, 1)
        await self.call(operation, f"/{self.service()}/spread", {"operation": operation, "key": key})


class Verdict:
    """What must hold after the last cycle."""

    def __init__(self, load: Load) -> None:
        self.load, self.faults = load, list(load.faults)

    async def judge(self) -> list[str]:
        await self.nobody_is_stuck()
        await self.nothing_acknowledged_is_lost()
        await self.answers_stay_the_same()
        await self.state_is_what_was_written()
        self.steps_are_done_once()
        self.calls_do_not_overlap()
        return self.faults

    async def rows(self, query: str) -> list[dict]:
        answer = await self.load.http.post(
            f"{self.load.server.admin}/query", json={"query": query}, headers={"accept": "application/json"}
        )
        return answer.json()["rows"]

    async def nobody_is_stuck(self) -> None:
        deadline = time.monotonic() + 90
        query = "SELECT id, target, status, last_failure FROM sys_invocation WHERE status <> 'completed'"
        rows: list = []
        while time.monotonic() < deadline:
            rows = await self.rows(query)
            if not rows:
                return
            await asyncio.sleep(0.2)
        for row in rows[:10]:
            self.faults.append(f"stuck: {json.dumps(row)}")
        self.faults.append(f"{len(rows)} invocations have not ended after 90 s")

    async def nothing_acknowledged_is_lost(self) -> None:
        rows = await self.rows("SELECT id, completion_result, completion_failure FROM sys_invocation")
        ended = {row["id"]: row for row in rows}
        for identifier, operation in self.load.invocations.items():
            row = ended.get(identifier)
            if row is None:
                self.faults.append(f"{operation}: {identifier} was acknowledged, and is not known any more")
            elif row.get("completion_result") != "success":
                self.faults.append(f"{operation}: {identifier} ended with {row.get('completion_failure')}")

    async def answers_stay_the_same(self) -> None:
        """Whoever repeats a call gets the answer of before; that it is not done again is seen by the other checks."""
        load = self.load
        for path, body, operation, before in load.random.sample(load.answers, min(300, len(load.answers))):
            answer = await load.repeat("POST", path, body, {"idempotency-key": operation})
            if answer.content != before:
                self.faults.append(f"{operation}: it was told {before[:80]!r} and now {answer.content[:80]!r}")

    async def state_is_what_was_written(self) -> None:
        """An add is there once if its handler came to its end, which is seen in the ledger; and if it must be, it did."""
        load, known = self.load, self.load.sure | self.load.unsure
        for number in range(OBJECTS):
            key = f"o{number}"
            total, count = (await load.repeat("POST", f"/Tally/{key}/read")).json()
            lines = [line.split(" ", 1) for line in load.ledger.read(f"tally-{key}")]
            ended = {operation for verb, operation in lines if verb == "end"}
            for operation in ended - {name for name, add in known.items() if add.key == key}:
                self.faults.append(f"{key}: {operation} was added, which nobody asked for")
            missing = {name for name, add in load.sure.items() if add.key == key} - ended
            for operation in sorted(missing)[:5]:
                self.faults.append(f"{key}: {operation} was acknowledged and not done ({len(missing)} in all)")
            amount = sum(known[operation].amount for operation in ended if operation in known)
            if (count, total) != (len(ended), amount):
                self.faults.append(f"{key} holds {total} of {count} adds; {len(ended)} adds wrote {amount}")
            twice = [value for value, times in collections.Counter(load.told[key]).items() if times > 1]
            if twice:
                self.faults.append(f"{key}: two clients were told the same count {twice[:5]}")

    def steps_are_done_once(self) -> None:
        """A step is repeated only by a crash, and only until the next one begins, which proves that it was recorded."""
        load = self.load
        for note in load.notes:
            done = [line if line.isdecimal() else "0" for line in load.ledger.read(note.name)]
            numbers = [int(line) for line in done]
            if sorted(set(numbers)) != list(range(note.steps)):
                self.faults.append(f"{note.name}: of {note.steps} steps {numbers} were done")
            elif numbers != sorted(numbers):
                self.faults.append(f"{note.name}: a recorded step was done again: {numbers}")
            self.repeats_are_crashes(note.name, len(numbers) - note.steps, note.begin, note.end)
        for number in range(OBJECTS):
            times = collections.Counter(load.ledger.read(f"tally-o{number}"))
            for line, count in times.items():
                add = (load.sure | load.unsure).get(line.split(" ", 1)[1])
                if add is not None:
                    self.repeats_are_crashes(line, count - 1, add.begin, math.inf)

    def repeats_are_crashes(self, what: str, repeats: int, begin: float, end: float) -> None:
        crashes = sum(begin <= kill <= end for kill in self.load.kills)
        if repeats > crashes:
            self.faults.append(f"{what}: steps were repeated {repeats} times over {crashes} crashes")

    def calls_do_not_overlap(self) -> None:
        for number in range(OBJECTS):
            note, holder, ended = f"tally-o{number}", None, set()
            for line in self.load.ledger.read(note):
                verb, operation = line.split(" ", 1)
                if verb == "begin":
                    if holder not in (None, operation):
                        self.faults.append(f"{note}: {operation} began while {holder} held the key")
                    if operation in ended:
                        self.faults.append(f"{note}: {operation} began again after its end")
                    holder = operation
                else:
                    if holder not in (None, operation):
                        self.faults.append(f"{note}: {operation} ended while {holder} held the key")
                    ended.add(operation)
                    holder = None
            if holder is not None:
                self.faults.append(f"{note}: {holder} began and never ended")


async def run(options: argparse.Namespace, work: pathlib.Path) -> int:
    ledger = Ledger(work / "ledger")
    folder = pathlib.Path(__file__).parent
    environment = {"CRASH_LEDGER": str(ledger.folder), "CRASH_FAULT": options.fault or ""}
    services = Services(work, folder, "services:app", environment)
    server = Server(work, options=["--set", "worker.cleanup-interval=5s"])
    chance = random.Random(options.seed)
    try:
        services.start()
        server.start()
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=50)
        async with httpx.AsyncClient(limits=limits, trust_env=False, timeout=60.0) as http:
            answer = await http.post(f"{server.admin}/deployments", json={"uri": services.url})
            if answer.status_code != 201:
                raise CannotRun(f"cannot register the services: {answer.status_code} {answer.text[:300]}")
            load = Load(server, ledger, http, options.seed)
            clients = [asyncio.create_task(load.client(str(number))) for number in range(options.clients)]
            downtimes = []
            for cycle in range(1, options.cycles + 1):
                await asyncio.sleep(chance.uniform(0.1, 2.0))
                if not server.is_running:
                    load.faults.append(f"the server ended by itself: {server.last_words()}")
                    break
                load.kills.append(time.monotonic())
                server.kill()
                kills_services = chance.random() < 0.15
                if kills_services:
                    services.kill()
                await asyncio.to_thread(server.start)
                begin = time.monotonic()
                if kills_services:
                    await asyncio.to_thread(services.start)
                while load.last_answer < begin and time.monotonic() < begin + 30:
                    await asyncio.sleep(0.005)
                downtimes.append(time.monotonic() - begin)
                print(
                    f"cycle {cycle}: killed{' with its services' if kills_services else ''}; "
                    f"{sum(load.counts.values())} operations so far, {len(load.faults)} faults",
                    flush=True,
                )
            load.is_over = True
            done, pending = await asyncio.wait(clients, timeout=120)
            for task in pending:
                task.cancel()
            if pending:
                load.faults.append(f"{len(pending)} clients have waited 120 s for an answer")
            await plant(options.fault, load)
            if not server.is_running:
                load.faults.append(f"the server ended by itself: {server.last_words()}")
            faults = await Verdict(load).judge() if server.is_running else load.faults
            return report(options, load, faults, downtimes)
    finally:
        server.kill()
        services.kill()


# What `--fault` plants in the handlers (services.py), and here.
FAULTS = (
    "lost-write", "overlap", "doubled-step", "repeated-step", "stuck", "early", "failed", "forgotten", "lost", "dead",
)  # fmt: skip


async def plant(fault: str | None, load: Load) -> None:
    match fault:
        case "forgotten":
            for identifier in list(load.invocations)[:20]:
                await load.http.patch(f"{load.server.admin}/invocations/{identifier}/purge")
        case "lost":
            load.add("never-done", "o0", 1)
        case "dead":
            load.server.kill()


def report(options: argparse.Namespace, load: Load, faults: list[str], downtimes: list[float]) -> int:
    for fault in faults[:30]:
        print(f"FAULT {fault}")
    print(json.dumps({
        "cycles": options.cycles, "seed": options.seed, "operations": dict(sorted(load.counts.items())),
        "invocations": len(load.invocations), "faults": len(faults),
        "first_answer_after_start_ms": round(1000 * sorted(downtimes)[len(downtimes) // 2]) if downtimes else None,
    }))  # fmt: skip
    verdict = "nothing was lost, repeated, overlapped or stuck" if not faults else f"{len(faults)} faults"
    print(f"{options.cycles} cycles, {sum(load.counts.values())} operations: {verdict}")
    if faults:
        print(f"To repeat: make crash CYCLES={options.cycles} SEED={options.seed}")
    return 1 if faults else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None, help="default: a new one, which is printed")
    parser.add_argument("--clients", type=int, default=24)
    parser.add_argument("--fault", choices=FAULTS, help="plant this fault, which must be found")
    parser.add_argument("--keep", action="store_true", help="keep logs, ledger and data, and say where they are")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1_000_000)
    work = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-crash-"))
    status = 2
    try:
        status = asyncio.run(run(options, work))
    except CannotRun as reason:
        print(f"Cannot run: {reason}")
    finally:
        if options.keep or status != 0:
            print(f"Logs, ledger and data: {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
