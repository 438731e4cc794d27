"""What wakes a suspended invocation up: lists of versions 5 and 6, trees of version 7, signals that come again."""

import asyncio
import time

from EndToEnd.endpoint import Attempt, Raw
from EndToEnd.harness import World, check, equal, once
from EndToEnd.scenarios.protocol import FAST, awakeable_id
from EndToEnd.wire import END, frame, future, message, output, proposal, run, signal, sleep, suspension

ANY, FIRST, ALL, FIRST_SUCCESS, FIRST_FAILURE = range(5)
A, B, C = 17, 18, 19


async def tell(world: World, attempt: Attempt, index: int, good: bool = True) -> None:
    verb = "resolve" if good else "reject"
    url = f"{world.server.ingress}/restate/awakeables/sign_1{awakeable_id(attempt, index)}/{verb}"
    answer = await world.request("POST", url, b"x", {"content-type": "text/plain"})
    equal(answer.status, 202)


async def waits(world: World, raw: Raw, tree: dict, *steps: tuple[int, bool, bool]) -> None:
    """Suspends on the tree; each step is (signal, whether it is a success, whether it wakes the invocation up)."""
    identifier = await world.send(raw.path("S", "h"))
    attempt = await raw.attempt()
    await attempt.finish(frame("Suspension", {4: tree}))
    await world.status(identifier, "suspended")
    for index, good, wakes in steps:
        await tell(world, attempt, index, good)
        if not wakes:
            await asyncio.sleep(0.1)
            equal((await world.row(identifier))["status"], "suspended", f"after signal {index} of {tree}")
    attempt = await raw.attempt()
    equal(len(attempt.entries), 1 + len(steps), f"the entries when {tree} is resolved")
    await attempt.finish(output(b"1"), END)
    equal((await world.attach(identifier)).body, b"1")


def over(combinator: int, *signals: int, nested=()) -> dict:
    """As SDKs do, beside the cancel signal."""
    return future(FIRST, signals=[1], nested=[future(combinator, signals=signals, nested=nested)])


@once
async def trees_are_resolved_as_they_say(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None}, FAST)}, versions=(7, 7))
    yes, no = True, False
    cases = [
        (over(FIRST, A, B), (B, no, yes)),
        (over(ANY, A, B), (A, yes, yes)),
        (over(ALL, A, B, C), (A, yes, no), (C, no, no), (B, yes, yes)),
        (over(FIRST_SUCCESS, A, B, C), (A, no, no), (B, yes, yes)),
        (over(FIRST_SUCCESS, A, B), (A, no, no), (B, no, yes)),
        (over(FIRST_FAILURE, A, B, C), (A, yes, no), (B, no, yes)),
        (over(FIRST_FAILURE, A, B), (A, yes, no), (B, yes, yes)),
        (over(ALL, A, nested=[future(FIRST, signals=[B, C])]), (C, yes, no), (A, no, yes)),
        (over(FIRST_SUCCESS, A, nested=[future(ALL, signals=[B, C])]), (B, no, no), (C, no, yes)),
        (over(FIRST_FAILURE, A, nested=[future(ANY, signals=[B, C])]), (B, yes, yes)),
        (future(99, signals=[A]), (A, yes, yes)),
        (over(ALL, A, B), (A, yes, no), (1, yes, yes)),
    ]  # fmt: skip
    for tree, *steps in cases:
        await waits(world, raw, tree, *steps)


@once
async def what_came_before_the_suspension_counts(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None}, FAST)}, versions=(7, 7))
    identifier = await world.send(raw.path("S", "h"))
    attempt = await raw.attempt()
    await tell(world, attempt, A)
    equal((await attempt.read()).get(2), A)
    # Half of the tree is resolved already; only the rest is waited for.
    await attempt.finish(frame("Suspension", {4: over(ALL, A, B)}))
    await world.status(identifier, "suspended")
    await tell(world, attempt, B)
    attempt = await raw.attempt()
    # Everything is there: it is not even suspended.
    await attempt.finish(frame("Suspension", {4: over(ALL, A, B)}))
    attempt = await raw.attempt()
    await attempt.finish(output(b"1"), END)
    equal((await world.attach(identifier)).body, b"1")
    events = await world.rows(f"SELECT event_type FROM sys_journal_events WHERE id = '{identifier}'")
    equal([e["event_type"] for e in events], ["Suspended"], "the events")


@once
async def a_name_may_be_listened_to_again(world: World) -> None:
    for versions in ((5, 6), (7, 7)):
        raw = await world.raw({"S": ("S", {"h": None, "g": None}, FAST | {"inactivityTimeout": 0})}, versions=versions)
        suspended = (
            suspension([], [1], ["n"]) if versions == (5, 6)
            else frame("Suspension", {4: future(FIRST, signals=[1], names=["n"])})
        )  # fmt: skip
        identifier = await world.send(raw.path("S", "h"))
        await (await raw.attempt()).finish(suspended)
        await world.status(identifier, "suspended")
        for number in range(3):
            await world.send(raw.path("S", "g"))
            teller = await raw.attempt()
            mine = signal(identifier, "n", str(number).encode())
            await teller.finish(signal(identifier, "other", b"o"), mine, output(), END)
            attempt = await raw.attempt()
            equal(attempt.invocation, identifier)
            equal([e.result for e in attempt.entries if e.get(3) == b"n"], [str(n).encode() for n in range(number + 1)])
            await attempt.finish(suspended)
            await world.status(identifier, "suspended")
            check(await raw.nobody(0.2), "a signal that it knows woke it up")
        equal((await world.operate(identifier, "kill")).status, 200)


@once
async def a_signal_beside_the_suspension_is_not_lost(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None}, FAST | {"inactivityTimeout": 0})}, versions=(5, 6))
    for _ in range(20):
        identifier = await world.send(raw.path("S", "h"))
        attempt = await raw.attempt()
        await asyncio.gather(tell(world, attempt, A), attempt.finish(suspension([], [A, 1])))
        attempt = await raw.attempt()
        equal(attempt.names, ["Input", "Signal"])
        await attempt.finish(output(b"1"), END)
        equal((await world.attach(identifier)).body, b"1")


@once
async def who_waits_only_for_its_own_step_is_run_again(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None}, FAST)}, versions=(5, 6))
    identifier = await world.send(raw.path("S", "h"))
    await (await raw.attempt()).finish(run(1), suspension([1], [1]))
    attempt = await raw.attempt()
    equal(attempt.names, ["Input", "Run"])
    await attempt.finish(proposal(1, b"x"), suspension([1], [1]))
    await (await raw.attempt()).finish(output(b"1"), END)
    equal((await world.attach(identifier)).body, b"1")


@once
async def too_deep_a_tree_pauses(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None}, FAST)}, versions=(7, 7))

    def nest(depth: int) -> bytes:
        tree = message(future(FIRST, signals=[A]))
        for _ in range(depth - 1):
            tree = message({4: tree, 5: FIRST})
        return tree

    for name in ("Suspension", "AwaitingOn"):
        number = 4 if name == "Suspension" else 1
        identifier = await world.send(raw.path("S", "h"))
        attempt = await raw.attempt()
        if name == "Suspension":
            await attempt.finish(frame(name, {number: nest(1000)}))
            await world.status(identifier, "suspended")
            await tell(world, attempt, A)
            attempt = await raw.attempt()
        await attempt.write(frame(name, {number: nest(1001)}))
        await world.status(identifier, "paused")
        events = await world.rows(f"SELECT event_type, event_json FROM sys_journal_events WHERE id = '{identifier}'")
        check("RT0025" in events[-1]["event_json"], f"the events are {events}")
        equal((await world.operate(identifier, "kill")).status, 200)


@once
async def what_a_running_handler_waits_for_is_told(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None}, FAST)}, versions=(7, 7))
    identifier = await world.send(raw.path("S", "h"))
    attempt = await raw.attempt()
    for _ in range(3):
        await attempt.write(frame("AwaitingOn", {1: over(ALL, A, B), 2: 1}))
    await tell(world, attempt, A)
    equal((await attempt.read()).get(2), A)
    equal((await world.row(identifier))["status"], "running")
    await attempt.finish(output(b"1"), END)
    equal((await world.attach(identifier)).body, b"1")


@once
async def lists_wake_up_with_any_of_their_parts(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None}, FAST)}, versions=(5, 6))
    identifier = await world.send(raw.path("S", "h"))
    attempt = await raw.attempt()
    due = int(time.time() * 1000) + 3_600_000
    # Not packed, which protobuf allows as well, and in any order.
    await attempt.finish(sleep(due, 1), sleep(due, 2), frame("Suspension", {2: [B, 1, A], 1: [2, 1], 3: ["x", "y"]}))
    await world.status(identifier, "suspended")
    await tell(world, attempt, C)
    await asyncio.sleep(0.1)
    equal((await world.row(identifier))["status"], "suspended")
    await tell(world, attempt, A, good=False)
    attempt = await raw.attempt()
    equal([e.name for e in attempt.entries], ["Input", "Sleep", "Sleep", "Signal", "Signal"])
    equal(attempt.entries[-1].result, (500, "x"), "what a rejection gives")
    await attempt.finish(output(b"1"), END)
    equal((await world.attach(identifier)).body, b"1")
