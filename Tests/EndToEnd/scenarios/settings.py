"""Servers with settings of their own, and what they find again after kill -9: as an SDK sees it, frame by frame."""

import asyncio
import time

from EndToEnd.endpoint import Attempt
from EndToEnd.harness import World, check, equal, once, timed
from EndToEnd.scenarios.life import SERVICES, ends, fields_of, gone, outcomes
from EndToEnd.scenarios.protocol import FAST, awakeable_id
from EndToEnd.wire import END, call, error, frame, output, proposal, run, sleep, suspension, value
from Support.processes import Server


class OwnServer:
    """A server with options of its own; the scenario plays the SDK."""

    def __init__(self, world: World, name: str, **options) -> None:
        words = []
        for key, text in options.items():
            words += ["--set", f"{key.replace('__', '.').replace('_', '-')}={text}"]
        self.server = Server(world.server.data.parent, name, words)
        self.base = world

    async def __aenter__(self) -> World:
        await asyncio.to_thread(self.server.start)
        base = self.base
        return World(
            base.way, self.server, base.services, base.ledger, base.http, base.label, base.slow, base.endpoint
        )

    async def __aexit__(self, *_) -> None:
        self.server.kill()

    async def crash(self) -> None:
        self.server.kill()
        await asyncio.to_thread(self.server.start)


@once
async def state_is_sent_up_to_its_limit(world: World) -> None:
    async with OwnServer(world, "eager", worker__invoker__eager_state_size_limit=8) as there:
        raw = await there.raw(SERVICES, versions=(5, 7))
        target = raw.path("O", "e", "k")

        async def state(*writes) -> tuple:
            await there.send(target)
            attempt = await raw.attempt()
            equal(attempt.headers["content-type"], "application/vnd.restate.invocation.v6", "version 7 is off")
            found = [fields_of(entry) for entry in attempt.start.all(4)], attempt.start.get(5, 0)
            await attempt.finish(*writes, output(), END)
            return found

        put = lambda key, text: frame("SetState", {1: key, 3: value(text)})  # noqa: E731
        equal(await state(put("b", b"22"), put("a", b"1")), ([], 0), "no state is all the state")
        equal(await state(put("c", b"34")), ([(b"a", b"1"), (b"b", b"22")], 0))
        equal(await state(put("aa", b"")), ([(b"a", b"1"), (b"b", b"22"), (b"c", b"34")], 0), "just at the limit")
        # The next one that does not fit ends it, though a smaller one behind it would.
        equal(await state(put("aa", b"0123456")), ([(b"a", b"1"), (b"aa", b""), (b"b", b"22")], 1))
        equal(await state(frame("ClearAllState")), ([(b"a", b"1")], 1))
        equal(await state(), ([], 0))
        handlers = {"e": "E", "x": ("E", {"enableLazyState": False})}
        lazy = await there.raw({"O": ("O", handlers, {"enableLazyState": True})})
        for handler, partial in (("e", 1), ("x", 0)):
            await there.send(lazy.path("O", handler, "k"))
            attempt = await lazy.attempt()
            equal((attempt.start.all(4), attempt.start.get(5, 0)), ([], partial), f"the state of {handler}")
            await attempt.finish(output(), END)
    async with OwnServer(world, "never-eager", worker__invoker__eager_state_size_limit=0) as there:
        raw = await there.raw(SERVICES, versions=(5, 6))
        await there.send(raw.path("O", "e", "k"))
        attempt = await raw.attempt()
        equal(attempt.start.get(5, 0), 1, "whether the state is partial")
        await attempt.finish(output(), END)


@timed
async def the_servers_policy_is_for_whoever_has_none(world: World) -> None:
    options = {
        "default_retry_policy__initial_interval": "30ms", "default_retry_policy__exponentiation_factor": 1,
        "default_retry_policy__max_attempts": 9, "default_retry_policy__on_max_attempts": "kill",
        "max_retry_policy_max_attempts": 3, "worker__invoker__inactivity_timeout": "200ms",
        "worker__invoker__abort_timeout": "150ms",
    }  # fmt: skip
    async with OwnServer(world, "policy", **options) as there:
        raw = await there.raw({"S": ("S", {"h": None}), "P": ("S", {"h": None}, {"retryPolicyOnMaxAttempts": "PAUSE"})})
        identifier = await there.send(raw.path("S", "h"))
        for number in range(3):
            await (await raw.attempt()).finish(error(518, f"{number}"))
        await ends(there, identifier, 518, "2")
        identifier = await there.send(raw.path("P", "h"))
        for number in range(2):
            await (await raw.attempt()).finish(error(518, f"{number}"))
        begin = time.monotonic()
        attempt = await raw.attempt()
        equal(await attempt.read(), None)
        check(await attempt.was_cut(), "it was not cut off")
        check(5.3 <= time.monotonic() - begin < 5.8, f"it took {time.monotonic() - begin:.2f} s")
        await there.status(identifier, "paused")


@once
async def a_zero_inactivity_timeout_is_request_and_response(world: World) -> None:
    options = {"worker__invoker__inactivity_timeout": "0s", "worker__num_timers_in_memory_limit": 1}
    async with OwnServer(world, "zero", **options) as there:
        raw = await there.raw({"S": ("S", {"h": None}, FAST), "T": ("S", {"h": None}, {"inactivityTimeout": 60_000})})
        identifiers = [await there.send(raw.path("S", "h")) for _ in range(20)]
        due = int(time.time() * 1000) + 400
        for place in range(20):
            attempt = await raw.attempt()
            equal(await attempt.read(), None)
            times = [due + 7 * place, due, due - 300]
            await attempt.finish(*(sleep(t, n + 1) for n, t in enumerate(times)), suspension([1], [1]))
        for _ in range(20):
            attempt = await raw.attempt()
            check("SleepCompletion" in attempt.names, f"the journal is {attempt.names}")
            await attempt.finish(output(b"1"), END)
        for identifier in identifiers:
            await ends(there, identifier, 200, b"1")
        await there.send(raw.path("T", "h"))
        attempt = await raw.attempt()
        try:
            heard = await attempt.read(0.3)
        except asyncio.TimeoutError:
            heard = "nothing"
        equal(heard, "nothing", "the service says otherwise")
        await attempt.finish(output(), END)


@once
async def what_is_kept_is_forgotten_in_its_time(world: World) -> None:
    async with OwnServer(world, "kept", worker__cleanup_interval="200ms") as there:
        times = {"journalRetention": 700, "idempotencyRetention": 2500}
        raw = await there.raw(
            {
                "S": ("S", {"h": None}, FAST | times),
                "W": ("W", {"run": ("W", {"workflowCompletionRetention": 700}), "s": "S"}, FAST),
            },
            versions=(5, 6),
        )  # fmt: skip
        headers = {"idempotency-key": "k"}
        identifier = await there.send(raw.path("S", "h"), "x", headers)
        await (await raw.attempt()).finish(run(1), proposal(1, b"x"), output(b"1"), END)
        await ends(there, identifier, 200, b"1")
        equal((await there.operate(identifier, "restart-as-new")).status, 200)
        await (await raw.attempt()).finish(output(b"2"), END)

        async def has_no_journal() -> bool:
            return await there.rows(f"SELECT index FROM sys_journal WHERE id = '{identifier}'") == []

        await there.until("the end of the journal", has_no_journal, 3)
        equal((await there.operate(identifier, "restart-as-new")).status, 410)
        equal((await there.try_call(raw.path("S", "h"), "x", headers)).body, b"1", "the result stays")
        await there.until("the end of the result", lambda: _is_gone(there, identifier), 6)
        await gone(there, identifier)
        equal(await there.send(raw.path("S", "h"), "x", headers), identifier)
        await (await raw.attempt()).finish(output(b"3"), END)
        await ends(there, identifier, 200, b"3")
        # A workflow goes with its state and its promises, and its waiters are left alone.
        flow = await there.send(raw.path("W", "run", "k"), "x")
        await (await raw.attempt()).finish(frame("SetState", {1: "a", 3: value(b"1")}), output(b"1"), END)
        await ends(there, flow, 200, b"1")
        shared = await there.send(raw.path("W", "s", "k"), "x")
        waiter = await raw.attempt()
        equal(len(waiter.start.all(4)), 1)
        await waiter.finish(frame("GetPromise", {1: "p", 11: 1}), suspension([1], [1]))
        await there.until("the end of the run", lambda: _is_gone(there, flow), 6)
        equal(await there.rows(f"SELECT key FROM state WHERE service_name = '{raw.name('W')}'"), [])
        equal((await there.row(shared))["status"], "suspended")
        equal((await there.operate(shared, "cancel")).status, 202)
        await (await raw.attempt()).finish(output(b"cancelled"), END)
        await ends(there, shared, 200, b"cancelled")


async def _is_gone(world: World, identifier: str) -> bool:
    return await world.row(identifier) == {}


@once
async def few_attempts_at_a_time_are_enough_for_all(world: World) -> None:
    async with OwnServer(world, "few", worker__invoker__concurrent_invocations_limit=1) as there:
        raw = await there.raw({"S": ("S", {"h": None}, FAST)}, versions=(5, 6))
        identifiers = [await there.send(raw.path("S", "h"), str(n)) for n in range(12)]
        running = [await raw.attempt(5)]
        async for attempt in raw.until_quiet(0.3):
            running.append(attempt)
        check(len(running) <= 4, f"{len(running)} attempts run at a time")
        waiting = [i for i in identifiers if i not in {attempt.invocation for attempt in running}]
        # All that can be done to those that wait for their turn.
        equal((await there.operate(waiting[0], "cancel")).status, 202)
        equal((await there.operate(waiting[1], "kill")).status, 200)
        equal((await there.operate(waiting[2], "pause")).status, 202)
        await ends(there, waiting[1], 409, "killed")
        left = set(identifiers) - {waiting[1], waiting[2]}
        queue = list(running)
        while left:
            attempt = queue.pop() if queue else await raw.attempt()
            if attempt.invocation == waiting[0]:
                equal(attempt.names, ["Input", "Signal"])
            await attempt.finish(output(b"1"), END)
            left.discard(attempt.invocation)
        equal((await there.row(waiting[2]))["status"], "paused")
        equal((await there.operate(waiting[2], "resume")).status, 200)
        await (await raw.attempt()).finish(output(b"1"), END)
        for identifier in identifiers:
            if identifier != waiting[1]:
                await ends(there, identifier, 200, b"1")


@once(limit=120)
async def after_a_crash_everything_is_as_it_was(world: World) -> None:
    own = OwnServer(world, "crash")
    async with own as there:
        slow = {"retryPolicyInitialInterval": 3_600_000, "retryPolicyMaxInterval": 3_600_000}
        services = SERVICES | {"S": ("S", {"h": None, "g": None}, slow)}
        raw = await there.raw(services, versions=(5, 6))
        h = raw.path("S", "h")
        running = await there.send(h)
        attempt = await raw.attempt()
        await attempt.write(run(1), proposal(1, b"x"), call(raw.name("S"), "g", "", (2, 3)), run(4))
        equal([(await attempt.read()).name for _ in range(2)], ["RunCompletion", "CallInvocationIdCompletion"])
        child = await raw.attempt()
        backing_off = await there.send(h)
        await (await raw.attempt()).finish(run(1), error(500, "x"))
        await there.status(backing_off, "backing-off")
        paused = await there.send(h)
        await raw.attempt()
        await outcomes(there, paused, pause=202)
        suspended = await there.send(h)
        waiter = await raw.attempt()
        await waiter.finish(suspension([], [17, 1]))
        await there.status(suspended, "suspended")
        holder = await there.send(raw.path("O", "e", "k"))
        hold = await raw.attempt()
        queued = [await there.send(raw.path("O", "f", "k")) for _ in range(3)]
        await outcomes(there, queued[1], cancel=200)
        flow = await there.send(raw.path("W", "run", "k"))
        await (await raw.attempt()).finish(frame("GetPromise", {1: "p", 11: 1}), suspension([1], [1]))
        await there.status(flow, "suspended")
        late = await there.send(h, delay="1h")
        done = await there.send(raw.path("O", "s", "k"), "x", {"idempotency-key": "k"})
        await (await raw.attempt()).finish(output(b"done"), END)
        await ends(there, done, 200, b"done")

        await own.crash()
        check(await attempt.was_cut() and await child.was_cut() and await hold.was_cut(), "an attempt lives on")
        again: dict[str, Attempt] = {}
        for _ in range(4):
            one = await raw.attempt()
            again[one.invocation] = one
            equal(one.start.get(7, 0), 0, "the retry count")
        equal(set(again), {running, child.invocation, backing_off, holder}, "who runs again at once")
        check(await raw.nobody(0.3), "more run")
        equal(again[running].names, ["Input", "Run", "RunCompletion", "Call", "CallInvocationIdCompletion", "Run"])
        statuses = {
            paused: "paused", suspended: "suspended", queued[0]: "pending", queued[2]: "pending", flow: "suspended",
            late: "scheduled", done: "completed", running: "running",
        }  # fmt: skip
        for identifier, status in statuses.items():
            equal((await there.row(identifier)).get("status"), status)
        equal(await there.row(queued[1]), {})
        await again[child.invocation].finish(output(b"c"), END)
        equal((await again[running].read()).result, b"c", "what the caller gets")
        await again[running].finish(output(b"1"), END)
        await again[backing_off].finish(output(b"2"), END)
        await again[holder].finish(frame("SetState", {1: "a", 3: value(b"1")}), output(b"3"), END)
        for place in (0, 2):
            one = await raw.attempt()
            equal((one.invocation, len(one.start.all(4))), (queued[place], 1))
            await one.finish(output(b"4"), END)
        url = f"{there.server.ingress}/restate/awakeables/sign_1{awakeable_id(waiter, 17)}/resolve"
        equal((await there.request("POST", url, "x")).status, 202)
        await (await raw.attempt()).finish(output(b"5"), END)
        await there.send(raw.path("W", "s", "k"))
        await (await raw.attempt()).finish(frame("CompletePromise", {1: "p", 2: value(b"p"), 11: 1}), output(), END)
        one = await raw.attempt()
        equal((one.invocation, one.entries[-1].result), (flow, b"p"))
        await one.finish(output(b"6"), END)
        await outcomes(there, paused, resume=200)
        await (await raw.attempt()).finish(output(b"7"), END)
        for identifier, result in (
            (running, b"1"), (backing_off, b"2"), (holder, b"3"), (queued[0], b"4"), (queued[2], b"4"),
            (suspended, b"5"), (flow, b"6"), (paused, b"7"), (done, b"done"),
        ):  # fmt: skip
            await ends(there, identifier, 200, result)
        equal((await there.try_call(raw.path("O", "s", "k"), "x", {"idempotency-key": "k"})).body, b"done")


@once
async def back_offs_beyond_the_memory_outlive_a_crash_with_their_counts(world: World) -> None:
    own = OwnServer(world, "stored", worker__invoker__in_memory_queue_length_limit=1)
    async with own as there:
        policy = {
            "retryPolicyInitialInterval": 3_600_000, "retryPolicyMaxInterval": 3_600_000, "retryPolicyMaxAttempts": 2,
        }  # fmt: skip
        raw = await there.raw({"S": ("S", {"h": None}, policy)}, versions=(5, 6))
        identifiers = {await there.send(raw.path("S", "h")) for _ in range(12)}
        for _ in identifiers:
            await (await raw.attempt()).finish(error(518, "first"))
        for identifier in identifiers:
            await there.status(identifier, "backing-off")

        await own.crash()
        # Each event loop had room for one in its memory; it begins anew.
        anew = set()
        async for attempt in raw.until_quiet(0.5):
            anew.add(attempt.invocation)
            await attempt.finish(error(518, "first"))
        check(1 <= len(anew) <= 4, f"{len(anew)} of {len(identifiers)} were in memory")
        for identifier in identifiers:
            row = await there.status(identifier, "backing-off")
            equal((row["retry_count"], row["last_failure"]), (1, "[518] first"), f"the tries of {identifier}")
        for identifier in identifiers:
            equal((await there.operate(identifier, "resume")).status, 200)
            attempt = await raw.attempt()
            equal((attempt.invocation, attempt.start.get(7, 0)), (identifier, 1), "the retry and its count")
            await attempt.finish(error(518, "second"))
            await there.status(identifier, "paused")
