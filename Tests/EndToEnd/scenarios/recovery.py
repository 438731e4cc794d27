"""kill -9 of the server and of the services, in the middle of everything; and what must be there afterwards."""

import asyncio
import signal

from EndToEnd.harness import ABSENT, World, check, equal, once
from EndToEnd.ways import WAYS
from Support.processes import Server, Services

CRASH_WAYS = ("bidi-v6", "suspending-v6", "reqres-v6", "lazy-v5", "bidi-v7")


class Island:
    """A server and services of their own, which a scenario may kill as it likes."""

    def __init__(self, world: World, name: str, settings: str = Services.SETTINGS) -> None:
        work = world.server.data.parent
        self.server = Server(work, f"{name}-server", ["--set", "experimental-enable-protocol-v7=true"])
        environment = {"END_TO_END_LEDGER": str(world.ledger.folder)}
        self.services = Services(work, world.services.folder, "services:app", environment, f"{name}-services", settings)
        self.base = world

    async def __aenter__(self) -> "Island":
        await asyncio.to_thread(self.services.start, "/bidi-v6/health")
        await asyncio.to_thread(self.server.start)
        for name in CRASH_WAYS:
            body = {"uri": f"{self.services.url}/{name}", "use_http_11": WAYS[name].is_http11}
            answer = await self.base.request("POST", f"{self.server.admin}/deployments", body)
            equal(answer.status, 201, f"the registration of {name} ({answer.message[:200]})")
        return self

    async def __aexit__(self, *_) -> None:
        self.server.kill()
        self.services.kill()

    def world(self, way: str) -> World:
        base = self.base
        return World(WAYS[way], self.server, self.services, base.ledger, base.http, f"{base.label}-{way}", base.slow)

    async def crash(self) -> None:
        self.server.kill()
        await asyncio.to_thread(self.server.start)

    async def crash_services(self) -> None:
        self.services.kill()
        await asyncio.to_thread(self.services.start, "/bidi-v6/health")


@once(limit=120)
async def what_waits_goes_on_after_a_crash_of_the_server(world: World) -> None:
    async with Island(world, "waits") as island:
        pending = []
        for way in CRASH_WAYS:
            there = island.world(way)
            awake, naps, held, flow = (there.key("note") for _ in range(4))
            key = there.key()
            sent = {
                "awake": await there.send(there.path("Waiting", "awake"), awake),
                "nap": await there.send(there.path("Waiting", "nap"), 3000),
                "hold": await there.send(there.path("Counter", "hold", key), held),
                "run": await there.send(there.path("Approval", "run", key), flow),
                "late": await there.send(there.path("Calls", "record"), naps, delay="3s"),
            }
            awakeable, hold = (await there.noted(awake))[0], (await there.noted(held))[0]
            await there.noted(flow)
            queued = await there.send(there.path("Counter", "add", key), 1)
            pending.append((there, sent, awakeable, hold, key, queued, naps, flow))
        await island.crash()
        for there, sent, awakeable, hold, key, queued, naps, flow in pending:
            url = f"{there.server.ingress}/restate/awakeables"
            equal((await there.request("POST", f"{url}/{awakeable}/resolve", "a")).status, 202)
            equal((await there.request("POST", f"{url}/{hold}/resolve", "h")).status, 202)
            equal(await there.call(there.path("Approval", "answer", key), "p"), "taken")
            equal((await there.attach(sent["awake"])).json, "a", f"the awakeable in {there.way.name}")
            equal((await there.attach(sent["hold"])).json, "h", f"the holder in {there.way.name}")
            equal((await there.attach(queued)).json, [0, 1], f"the queued one in {there.way.name}")
            equal((await there.attach(sent["run"])).json, f"{key}: p", f"the workflow in {there.way.name}")
            equal((await there.attach(sent["nap"])).json, "rested", f"the sleeper in {there.way.name}")
            await there.noted(naps)
            equal((len(there.ledger.read(naps)), len(there.ledger.read(flow))), (1, 1), "how often they were done")


@once(limit=120)
async def what_is_acknowledged_is_kept_and_what_is_done_is_not_repeated(world: World) -> None:
    async with Island(world, "kept") as island:
        there = island.world("bidi-v6")
        notes = [there.key("note") for _ in range(40)]
        sent = [await there.send(there.path("Steps", "sequence"), note) for note in notes]
        done = await there.call(there.path("Counter", "add", "kept"), 5)
        await island.crash()
        equal(await there.call(there.path("Counter", "read", "kept")), done[1], "the state after the crash")
        for identifier, note in zip(sent, notes):
            equal((await there.attach(identifier)).status, 200)
            steps = there.ledger.read(note)
            equal(sorted(set(steps), key=int), [str(number) for number in range(10)], "the steps that were done")
            # The one step that was done, but not yet recorded when the server died, is done again.
            check(len(steps) <= 11, f"of ten steps {len(steps)} were done")


@once(limit=120)
async def a_client_that_repeats_its_call_gets_one_invocation(world: World) -> None:
    async with Island(world, "repeats") as island:
        there = island.world("bidi-v6")
        note, headers = there.key("note"), {"idempotency-key": there.key()}
        target = there.path("Waiting", "awake")
        first = asyncio.create_task(there.try_call(target, note, headers))
        awakeable = (await there.noted(note))[0]
        await island.crash()
        outcome = (await asyncio.gather(first, return_exceptions=True))[0]
        check(isinstance(outcome, Exception), f"a call ended with {outcome} though its server died")
        again = asyncio.create_task(there.try_call(target, note, headers))
        await there.request("POST", f"{there.server.ingress}/restate/awakeables/{awakeable}/resolve", "once")
        equal((await again).json, "once")
        rows = await there.rows(f"SELECT id FROM sys_invocation WHERE target = '{target}'")
        equal(len(rows), 1, "the number of invocations")


@once(limit=120)
async def the_code_goes_on_after_a_crash_of_the_services(world: World) -> None:
    async with Island(world, "services") as island:
        pending = []
        for way in CRASH_WAYS:
            there = island.world(way)
            note, awake = there.key("note"), there.key("note")
            running = await there.send(there.path("Waiting", "naps"), [1500, 2500])
            waiting = await there.send(there.path("Waiting", "awake"), awake)
            pending.append((there, running, waiting, (await there.noted(awake))[0], note))
        await island.crash_services()
        for there, running, waiting, awakeable, _ in pending:
            await there.request("POST", f"{there.server.ingress}/restate/awakeables/{awakeable}/resolve", "back")
            equal((await there.attach(waiting)).json, "back", f"the awakeable in {there.way.name}")
            equal((await there.attach(running)).json, ["1500", "2500"], f"the sleeps in {there.way.name}")


@once(limit=60)
async def a_server_stops_cleanly_and_comes_back(world: World) -> None:
    async with Island(world, "stops") as island:
        there = island.world("suspending-v6")
        note = there.key("note")
        identifier = await there.send(there.path("Waiting", "awake"), note)
        awakeable = (await there.noted(note))[0]
        equal(await asyncio.to_thread(island.server.stop), 0, "the status after SIGTERM")
        await asyncio.to_thread(island.server.start)
        await there.request("POST", f"{there.server.ingress}/restate/awakeables/{awakeable}/resolve", "again")
        equal((await there.attach(identifier)).json, "again")
        island.server.signal(signal.SIGUSR1)
        equal((await there.request("GET", f"{there.server.admin}/health", ABSENT)).status, 200, "after SIGUSR1")
        equal(await there.call(there.path("Calls", "echo"), "x"), "x")


@once(limit=60)
async def a_new_deployment_takes_new_invocations_and_leaves_the_old_ones(world: World) -> None:
    async with Island(world, "update") as island:
        there = island.world("bidi-v6")
        note = there.key("note")
        identifier = await there.send(there.path("Waiting", "awake"), note)
        awakeable = (await there.noted(note))[0]
        before = (await there.rows("SELECT id FROM sys_deployment"))
        body = {"uri": f"{island.services.url}/bidi-v6", "force": True}
        answer = await there.request("POST", f"{there.server.admin}/deployments", body)
        equal(answer.status, 200, f"the forced registration ({answer.message[:200]})")
        equal(len(await there.rows("SELECT id FROM sys_deployment")), len(before), "the number of deployments")
        await there.request("POST", f"{there.server.ingress}/restate/awakeables/{awakeable}/resolve", "still here")
        equal((await there.attach(identifier)).json, "still here")
        service = await there.admin("GET", f"/services/{there.way.prefix}Calls")
        equal(service.json["revision"], 2)


@once(limit=120)
async def a_hypercorn_without_settings_takes_thousands_of_calls(world: World) -> None:
    """It ends a connection with its 1001st request, and forgets those that it is at; they would be done again."""
    async with Island(world, "plain", settings="") as island:
        there = island.world("bidi-v6")
        note = there.key("note")

        async def calls() -> None:
            for _ in range(400):
                await there.call(there.path("Calls", "record"), note)

        await asyncio.gather(*(calls() for _ in range(8)))
        equal(len(there.ledger.read(note)), 3200, "how often it was done")
