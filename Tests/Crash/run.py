#!/usr/bin/env python3
"""kill -9 of the server, over and over, in the middle of a load of mixed invocations.

Outside the server, a ledger holds what each step really did, and this driver what each client was told. After the last
cycle: everything that was acknowledged is there; nothing was done twice that should be done once; no two calls of one
object overlapped; no invocation is stuck. `--seed` repeats the choices of a run (not its timing).

The exit status is 0 if all that held, 1 if not, 2 if the test itself could not run.
"""

import argparse
import asyncio
import collections
import json
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import httpx  # noqa: E402

from Support.ledger import Ledger  # noqa: E402
from Support.processes import CannotRun, Server, Services  # noqa: E402

STEPS = 5
OBJECTS = 6


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
        # Per object: adds that must be there once; adds that may be there (the client was cut off and did not repeat).
        self.sure: collections.Counter = collections.Counter()
        self.unsure: collections.Counter = collections.Counter()
        self.amounts: collections.Counter = collections.Counter()
        self.unsure_amounts: collections.Counter = collections.Counter()
        self.told: dict[str, list[int]] = collections.defaultdict(list)
        self.step_notes: dict[str, int] = {}
        self.once_notes: list[str] = []
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

    def service(self) -> str:
        return self.random.choice(("Work", "Suspending"))

    def object(self) -> str:
        return f"o{self.random.randrange(OBJECTS)}"

    async def steps(self, operation: str) -> None:
        self.step_notes[f"steps-{operation}"] = STEPS
        result = await self.call(operation, f"/{self.service()}/inSteps", operation)
        assert result == sum(range(STEPS)), f"it was told {result}"

    async def tally(self, operation: str) -> None:
        key, amount = self.object(), self.random.randrange(1, 10)
        self.sure[key] += 1
        self.amounts[key] += amount
        self.told[key].append(await self.call(operation, f"/Tally/{key}/add", {"operation": operation, "amount": amount}))

    async def careless(self, operation: str) -> None:
        """One try without idempotency key: told of success it was done, otherwise perhaps."""
        key, amount = self.object(), self.random.randrange(1, 10)
        self.unsure[key] += 1
        self.unsure_amounts[key] += amount
        try:
            answer = await self.http.post(
                f"{self.server.ingress}/Tally/{key}/add", json={"operation": operation, "amount": amount}, timeout=60.0
            )
        except httpx.TransportError:
            return
        if answer.status_code == 200:
            self.unsure[key] -= 1
            self.unsure_amounts[key] -= amount
            self.sure[key] += 1
            self.amounts[key] += amount
            self.told[key].append(answer.json())
        else:
            assert answer.status_code == 503, f"it gave {answer.status_code} {answer.text[:200]}"

    async def flow(self, operation: str) -> None:
        self.step_notes[f"flow-{operation}"] = 2
        answer = await self.repeat("POST", f"/Flow/{operation}/run/send", operation, expected=(200, 202))
        self.invocations[answer.json()["invocationId"]] = operation
        await asyncio.sleep(self.random.random() * 0.3)
        await self.call(operation, f"/Flow/{operation}/answer", f"yes, {operation}")
        result = (await self.repeat("GET", f"/restate/workflow/Flow/{operation}/attach")).json()
        assert result == f"yes, {operation}", f"it was told {result!r}"

    async def delayed(self, operation: str) -> None:
        key = self.object()
        self.sure[key] += 1
        self.amounts[key] += 1
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
        self.once_notes.append(f"nap-{operation}")
        duration, begin = self.random.randrange(10, 1500), time.monotonic()
        request = {"operation": operation, "duration": duration}
        assert await self.attach(await self.send(operation, f"/{self.service()}/nap", request)) == "rested"
        assert time.monotonic() - begin >= duration / 1000, "it woke up too early"

    async def move(self, operation: str) -> None:
        giver, taker, amount = self.object(), self.object(), self.random.randrange(1, 10)
        self.sure.update([giver, taker])
        self.amounts[giver] -= amount
        self.amounts[taker] += amount
        request = {"operation": operation, "from": giver, "to": taker, "amount": amount}
        assert await self.call(operation, f"/{self.service()}/move", request) == "moved"

    async def spread(self, operation: str) -> None:
        key = self.object()
        self.sure[key] += 3
        self.amounts[key] += 3
        await self.call(operation, f"/{self.service()}/spread", {"operation": operation, "key": key})


class Verdict:
    """What must hold after the last cycle."""

    def __init__(self, load: Load) -> None:
        self.load, self.faults = load, list(load.faults)

    async def judge(self) -> list[str]:
        await self.nobody_is_stuck()
        await self.totals_are_right()
        self.steps_are_done_once()
        self.calls_do_not_overlap()
        return self.faults

    async def nobody_is_stuck(self) -> None:
        load, deadline = self.load, time.monotonic() + 90
        query = "SELECT id, target, status, last_failure FROM sys_invocation WHERE status <> 'completed'"
        rows: list = []
        while time.monotonic() < deadline:
            answer = await load.http.post(
                f"{load.server.admin}/query", json={"query": query}, headers={"accept": "application/json"}
            )
            rows = answer.json()["rows"]
            if not rows:
                return
            await asyncio.sleep(0.2)
        for row in rows[:10]:
            self.faults.append(f"stuck: {json.dumps(row)}")
        self.faults.append(f"{len(rows)} invocations have not ended after 90 s")

    async def totals_are_right(self) -> None:
        load = self.load
        for number in range(OBJECTS):
            key = f"o{number}"
            total, count = (await load.repeat("POST", f"/Tally/{key}/read")).json()
            sure, unsure = load.sure[key], load.unsure[key]
            if not sure <= count <= sure + unsure:
                self.faults.append(f"{key} was added to {count} times, expected {sure} to {sure + unsure}")
            elif unsure == 0 and total != load.amounts[key]:
                self.faults.append(f"{key} holds {total}, expected {load.amounts[key]}")
            elif not load.amounts[key] <= total <= load.amounts[key] + load.unsure_amounts[key]:
                self.faults.append(f"{key} holds {total}, expected {load.amounts[key]} or a little more")
            twice = [value for value, times in collections.Counter(load.told[key]).items() if times > 1]
            if twice:
                self.faults.append(f"{key}: two clients were told the same count {twice[:5]}")

    def steps_are_done_once(self) -> None:
        """A step may be repeated only until the next one begins: that is the proof that it had been recorded."""
        for note, expected in self.load.step_notes.items():
            done = [int(line) for line in self.load.ledger.read(note)]
            if sorted(set(done)) != list(range(expected)):
                self.faults.append(f"{note}: of {expected} steps {done} were done")
            elif done != sorted(done):
                self.faults.append(f"{note}: a recorded step was done again: {done}")
        for note in self.load.once_notes:
            if not self.load.ledger.read(note):
                self.faults.append(f"{note}: it was never done")

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
    services = Services(work, folder, "services:app", {"CRASH_LEDGER": str(ledger.folder)})
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
            faults = await Verdict(load).judge() if server.is_running else load.faults
            return report(options, load, faults, downtimes)
    finally:
        server.kill()
        services.kill()


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
