"""The largest and smallest of everything that an SDK may say: the server takes it or fails the attempt, and goes on."""

import asyncio
import random
import time

from EndToEnd.harness import World, check, equal, once
from EndToEnd.scenarios.life import SERVICES, ends, outcomes
from EndToEnd.scenarios.protocol import FAST, failing
from EndToEnd.wire import (
    ACK,
    END,
    TYPES,
    call,
    error,
    failure,
    fails,
    frame,
    future,
    output,
    proposal,
    run,
    send,
    signal,
    sleep,
    suspension,
    value,
)

U32, U64 = 2**32 - 1, 2**64 - 1


async def still_well(world: World, identifier: str) -> None:
    """Everything of it can be listed, and others are served."""
    await world.row(identifier)
    for table in ("sys_journal", "sys_journal_events"):
        await world.rows(f"SELECT * FROM {table} WHERE id = '{identifier}'")
    equal(await world.call(world.path("Calls", "echo"), "well"), "well")


@once
async def times_may_be_as_far_as_numbers_go(world: World) -> None:
    raw = await world.raw(SERVICES, versions=(5, 6))
    s = raw.name("S")
    identifier = await world.send(raw.path("S", "h"))
    attempt = await raw.attempt()
    await attempt.write(
        sleep(U64, 1), sleep(2**63, 2), sleep(0, 3), send(s, "g", "", 4, at=U64), send(s, "g", "", 5, at=2**63),
        send(s, "g", "", 6, at=1), sleep(253_402_300_800_000, 7),
    )  # fmt: skip
    ids = {}
    for _ in range(4):
        one = await attempt.read()
        ids[one.completion] = one.result
    equal(sorted(ids), [3, 4, 5, 6])
    there = await raw.attempt()
    equal(there.invocation, ids[6], "the one whose time is past")
    await there.finish(output(), END)
    await still_well(world, identifier)
    for far in (ids[4], ids[5]):
        equal((await world.row(far))["status"], "scheduled")
        await outcomes(world, far, kill=200)
    await attempt.finish(output(b"1"), END)
    await ends(world, identifier, 200, b"1")


@once
async def delays_and_codes_may_be_any_number(world: World) -> None:
    raw = await world.raw(SERVICES, versions=(5, 6))
    for delay in (U64, 2**63, 10**15):
        identifier = await world.send(raw.path("S", "h"))
        await (await raw.attempt()).finish(error(U32, "x", delay=delay, more={4: U32, 5: "", 6: U32}))
        await failing(world, identifier, "RT0007")
        await still_well(world, identifier)
        await outcomes(world, identifier, resume=200)
        await (await raw.attempt()).finish(error(0, "", delay=1))
        attempt = await raw.attempt()
        await attempt.refuse(503, {"retry-after": "99999999999999999999"})
        # What is no number of seconds is as if it were not there.
        await (await raw.attempt()).refuse(503, {"retry-after": "18446744073709551"})
        row = await world.status(identifier, "backing-off")
        equal(row["retry_count"], 4)
        await outcomes(world, identifier, kill=200)
    for code in (0, 99, 200, 599, 999, 1000, 65_535, 65_536, U32):
        identifier = await world.send(raw.path("S", "h"))
        await (await raw.attempt()).finish(fails(code, "", {"": "", "ä": "ö"}), END)
        status = code if 100 <= code < 1000 else 500
        equal((await world.attach(identifier)).status, status, f"the status of code {code}")
        row = await world.status(identifier, "completed")
        equal(row["completion_failure"], f"[{code if code < 65536 else 500}] ", "the failure in SQL")
    await still_well(world, identifier)


@once
async def policies_may_be_any_number(world: World) -> None:
    for factor in (0, 0.5, 1, 1e38):
        options = {
            "retryPolicyInitialInterval": 1, "retryPolicyExponentiationFactor": factor, "retryPolicyMaxInterval": 60,
            "inactivityTimeout": 2**62, "abortTimeout": 2**62, "journalRetention": 2**62, "idempotencyRetention": 2**62,
        }  # fmt: skip
        raw = await world.raw({"S": ("S", {"h": None}, options)}, versions=(5, 6))
        identifier = await world.send(raw.path("S", "h"))
        for number in range(8):
            await (await raw.attempt()).finish(error(500, f"{number}"))
        await (await raw.attempt()).finish(output(b"1"), END)
        await ends(world, identifier, 200, b"1")
        equal((await world.admin("GET", f"/services/{raw.name('S')}")).status, 200)
    await still_well(world, identifier)


@once
async def ids_of_completions_and_signals_may_be_any_number(world: World) -> None:
    raw = await world.raw(SERVICES, versions=(5, 6))
    s = raw.name("S")
    identifier = await world.send(raw.path("S", "h"))
    attempt = await raw.attempt()
    await attempt.write(
        sleep(1, U32), sleep(1, 0), sleep(1, 5), sleep(1, 5), call(s, "g", "", (7, 7)), run(U32), proposal(U32, b"x"),
        signal(identifier, 0, b"0"), signal(identifier, U32, b"1"), signal(identifier, "", b"2"),
        signal(identifier, "x" * 100_000, b"3"), signal(identifier, 2), signal(identifier, 16, failure(0, "")),
    )  # fmt: skip
    child = await raw.attempt()
    await child.finish(output(b"child"), END)
    frames = []
    while len(frames) < 12:
        frames.append(await attempt.read())
    equal(sum(f.name == "SleepCompletion" for f in frames), 3, "the sleeps; two of them are one")
    equal(sum(f.name == "Signal" for f in frames), 6)
    await attempt.finish(suspension([9, U32, 0], [0, U32], ["", "x" * 100_000]))
    attempt = await raw.attempt()
    await attempt.finish(output(b"1"), END)
    await ends(world, identifier, 200, b"1")
    equal((await world.operate(identifier, "restart-as-new", "?from=5")).status, 200)
    await (await raw.attempt()).finish(output(b"2"), END)
    await still_well(world, identifier)


@once
async def texts_may_be_empty_long_or_strange(world: World) -> None:
    raw = await world.raw(SERVICES, versions=(5, 6))
    strange = "\x00\u202e😀\ufffd\n" * 3
    identifier = await world.send(raw.path("W", "run", world.key()))
    attempt = await raw.attempt()
    await attempt.write(
        frame("SetState", {1: "", 3: value(b"")}), frame("SetState", {1: strange, 3: value(b"\xff\x00")}),
        frame("SetState", {1: "k" * 60_000, 3: {}}), frame("CompletePromise", {1: strange, 2: {}, 11: 1}),
        frame("PeekPromise", {1: strange, 11: 2}), frame("GetLazyStateKeys", {11: 3}), run(4, strange),
        proposal(4, failure(U32, strange, {strange: strange})), frame("ClearState", {1: ""}),
        frame("GetLazyState", {1: "", 11: 5}), frame("GetLazyState", {1: strange, 11: 6}),
    )  # fmt: skip
    heard = {(one := await attempt.read()).completion: one.result for _ in range(6)}
    equal((heard[1], heard[2], heard[5], heard[6]), (None, b"", None, b"\xff\x00"))
    equal(heard[3], [b"", strange.encode(), b"k" * 60_000])
    equal(heard[4], (U32, strange))
    await still_well(world, identifier)
    for table in ("state", "sys_promise"):
        await world.rows(f"SELECT * FROM {table} WHERE service_name = '{raw.name('W')}'")
    await attempt.finish(error(500, strange, more={3: strange, 5: strange}))
    attempt = await raw.attempt()
    equal(len(attempt.start.all(4)), 2)
    await still_well(world, identifier)
    await attempt.finish(output(b"1"), END)
    await ends(world, identifier, 200, b"1")


@once
async def one_chunk_may_hold_very_many_commands(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None, "g": None}, FAST), "O": ("O", {"e": "E"}, FAST)}, versions=(5, 6))
    identifier = await world.send(raw.path("S", "h"))
    attempt = await raw.attempt()
    count = 2000
    await attempt.write(*(send(raw.name("O"), "e", str(n), n + 1, key="k") for n in range(count)))
    seen = []
    for _ in range(count):
        one = await attempt.read()
        seen.append(one.completion)
    equal(seen, list(range(1, count + 1)), "the order of the ids")
    for number in range(count):
        there = await raw.attempt()
        equal(there.entries[0].get(14), b"\x0a" + bytes([len(str(number))]) + str(number).encode(), "who is next")
        await there.finish(output(), END)
    await attempt.finish(output(b"1"), END)
    await ends(world, identifier, 200, b"1")


@once
async def signals_may_come_in_very_large_numbers(world: World) -> None:
    raw = await world.raw(SERVICES, versions=(5, 6))
    identifier = await world.send(raw.path("S", "h"))
    attempt = await raw.attempt()
    await world.send(raw.path("S", "g"))
    teller = await raw.attempt()
    await teller.finish(*(signal(identifier, "n", str(n).encode()) for n in range(3000)), output(), END)
    for number in range(3000):
        equal((await attempt.read()).result, str(number).encode())
    await attempt.finish(error(500, "again"))
    attempt = await raw.attempt()
    equal(attempt.start.get(3), 3001)
    await attempt.finish(output(b"1"), END)
    await ends(world, identifier, 200, b"1")


def babble(chance: random.Random, raw, invocations: list[str]):
    """A frame of any type with any fields, more likely than not one that makes sense."""
    number, text = chance.choice([0, 1, 2, 3, 17, 18, U32]), chance.choice(["", "k", "news", "ä"])
    result = chance.choice([value(b"x"), value(b""), {}])
    target = chance.choice(invocations + ["inv_1" + "0" * 33, "foo"])
    callees = [("S", "g", {}), ("O", "f", {"key": text}), ("W", "s", {"key": text}), ("X", "y", {})]
    service, handler, key = chance.choice(callees)
    match chance.randrange(20):
        case 0:
            return frame(chance.randrange(0x10000), {chance.randrange(1, 20): number, chance.randrange(20, 40): text})
        case 1:
            content, flags = chance.randbytes(chance.randrange(40)), chance.choice([0, ACK, 0xFFFF])
            return frame(chance.choice(list(TYPES)), content, flags)
        case 2:
            return frame("SetState", {1: text, 3: result})
        case 3:
            return frame("GetLazyState", {1: text, 11: number}, chance.choice([0, ACK]))
        case 4:
            return frame(chance.choice(["ClearAllState", "GetLazyStateKeys"]), {11: number})
        case 5:
            return frame(chance.choice(["GetPromise", "PeekPromise"]), {1: text, 11: number})
        case 6:
            return frame("CompletePromise", {1: text, chance.choice([2, 3]): result, 11: number})
        case 7:
            return sleep(chance.choice([0, 1, int(time.time() * 1000) + 50, U64]), number)
        case 8 | 9:
            return call(raw.name(service), handler, text, (number, number + 1), **key)
        case 10:
            at = chance.choice([0, 1, int(time.time() * 1000) + 50, U64])
            return send(raw.name(service), handler, text, number, at=at, idempotency=chance.choice(["i", "j"]), **key)
        case 11:
            return signal(target, chance.choice([1, 17, "news", U32]), chance.choice([None, b"x", failure(1, "x")]))
        case 12 | 13:
            return chance.choice([run(number, text), proposal(number, b"x", chance.choice([0, ACK]))])
        case 14:
            return frame(chance.choice(["AttachInvocation", "GetInvocationOutput"]), {1: target, 11: number})
        case 15:
            return suspension([number], [1, 17], ["news"])
        case 16:
            tree = future(chance.randrange(7), [number], [17], ["news"], [future(1, [2]), {}])
            return frame("Suspension", {4: tree})
        case 17:
            code, delay = chance.choice([0, 500, 570, U32]), chance.choice([None, 0, 5])
            return error(code, text, behavior=chance.randrange(4), delay=delay)
        case 18:
            return chance.choice([output(b"x"), fails(number, text)])
        case _:
            return END


@once(limit=120)
async def whatever_an_sdk_says_harms_nobody(world: World) -> None:
    chance = random.Random(20_261_125)
    for versions in ((5, 5), (5, 6), (7, 7)):
        raw = await world.raw(SERVICES, versions=versions)
        places = [("S", "h", None), ("O", "e", "k"), ("O", "s", "k"), ("W", "run", "k"), ("W", "s", "k")]
        targets = [raw.path(*place) for place in places]
        invocations = [await world.send(chance.choice(targets), "x") for _ in range(20)]
        for _ in range(300):
            try:
                attempt = await raw.request(0.05)
            except asyncio.TimeoutError:
                invocations.append(await world.send(chance.choice(targets), "x"))
                continue
            invocations.append(attempt.invocation)
            await attempt.write(*(babble(chance, raw, invocations) for _ in range(chance.randrange(1, 12))))
            match chance.randrange(4):
                case 0:
                    attempt.reset()
                case 1 | 2:
                    await attempt.end()
            if chance.random() < 0.2:
                which = chance.choice(invocations)
                operation = chance.choice(["cancel", "pause", "resume", "restart-as-new"])
                status = (await world.operate(which, operation)).status
                check(status in (200, 202, 400, 404, 409, 410, 422, 425), f"{operation} gave {status}")
        await world.until("the end of them all", lambda: _all_killed(world, raw))
        invocation = await world.send(raw.path("O", "e", "k"), "x")
        while (attempt := await raw.request()).invocation != invocation:
            pass
        await attempt.finish(output(b"1"), END)
        await ends(world, invocation, 200, b"1")
        await still_well(world, invocation)


async def _all_killed(world: World, raw) -> bool:
    names = ", ".join(f"'{raw.name(name)}'" for name in SERVICES)
    query = f"SELECT id FROM sys_invocation WHERE status <> 'completed' AND target_service_name IN ({names})"
    rows = await world.rows(query)
    for row in rows:
        await world.operate(row["id"], "kill")
    return not rows
