"""Results, and who gets them: handlers that attach, idempotency keys, workflows and their promises."""

import asyncio

from EndToEnd.harness import ABSENT, World, check, equal, once
from EndToEnd.scenarios.life import SERVICES, ends, fields_of, gone, json_error, outcomes
from EndToEnd.scenarios.protocol import FAST
from EndToEnd.wire import END, call, fails, frame, output, send, value


@once
async def handlers_wait_for_the_results_of_others(world: World) -> None:
    raw = await world.raw(SERVICES, versions=(5, 6))
    headers = {"idempotency-key": "mine"}
    keyed = await world.send(raw.path("O", "e", "ok"), "x", headers)
    flow = await world.send(raw.path("W", "run", "wk"), "x")
    plain = await world.send(raw.path("S", "g"), "x")
    held = {}
    for _ in range(3):
        attempt = await raw.attempt()
        held[attempt.invocation] = attempt
    asker = await world.send(raw.path("S", "h"), "x")
    attempt = await raw.attempt()
    targets = [
        {3: {1: raw.name("O"), 2: "ok", 3: "e", 4: "mine"}}, {4: {1: raw.name("W"), 2: "wk"}}, {1: plain}, {1: asker},
        {1: "inv_1" + "0" * 33}, {3: {1: raw.name("O"), 2: "ok", 3: "e", 4: "another"}},
        {4: {1: raw.name("W"), 2: "none"}},
    ]  # fmt: skip
    number = 1
    for target in targets:
        await attempt.write(frame("GetInvocationOutput", target | {11: number}))
        number += 1
    heard = {}
    for _ in targets:
        one = await attempt.read()
        heard[one.completion] = (one.name, one.result)
    equal([heard[n + 1][1] for n in range(7)], [None] * 4 + [(404, "not found")] * 3, "the outputs before the end")
    for target in targets:
        await attempt.write(frame("AttachInvocation", target | {11: number}))
        number += 1
    heard = {}
    for _ in range(3):
        one = await attempt.read()
        heard[one.completion] = (one.name, one.result)
    equal(heard, {n: ("AttachInvocationCompletion", (404, "not found")) for n in (12, 13, 14)})
    await held[keyed].finish(output(b"keyed"), END)
    await held[flow].finish(fails(418, "flow", {"k": "v"}), END)
    await held[plain].finish(output(b""), END)
    heard = {}
    for _ in range(3):
        one = await attempt.read()
        heard[one.completion] = one.result
        if one.completion == 9:
            check(b"v" in one.payload, "the metadata is missing")
    equal(heard, {8: b"keyed", 9: (418, "flow"), 10: b""}, "what attaching gave")
    for target in targets[:3]:
        await attempt.write(
            frame("GetInvocationOutput", target | {11: number}), frame("AttachInvocation", target | {11: number + 1})
        )
        number += 2
    results = {(one := await attempt.read()).completion: one.result for _ in range(6)}
    expected = [b"keyed"] * 2 + [(418, "flow")] * 2 + [b""] * 2
    equal([results[n] for n in range(15, 21)], expected, "the results after the end")
    await attempt.finish(output(b"1"), END)
    await ends(world, asker, 200, b"1")


@once
async def a_result_that_is_not_kept_reaches_who_waits(world: World) -> None:
    nothing = FAST | {"journalRetention": 0, "idempotencyRetention": 0}
    raw = await world.raw({"S": ("S", {"h": None, "g": None}, nothing)}, versions=(5, 6))
    identifier = await world.send(raw.path("S", "h"), "x")
    attempt = await raw.attempt()
    asker = await world.send(raw.path("S", "g"), "x")
    asking = await raw.attempt()
    await asking.write(frame("AttachInvocation", {1: identifier, 11: 1}))
    waiting = asyncio.create_task(world.attach(identifier))
    await asyncio.sleep(1)
    await attempt.finish(output(b'"told"'), END)
    equal((await waiting).json, "told")
    equal((await asking.read()).result, b'"told"')
    await asking.write(frame("GetInvocationOutput", {1: identifier, 11: 2}))
    equal((await asking.read()).result, (404, "not found"))
    await gone(world, identifier)
    await asking.finish(output(b"1"), END)


@once
async def an_idempotency_key_of_a_handler_is_the_clients_too(world: World) -> None:
    raw = await world.raw(SERVICES, versions=(5, 6))
    identifier = await world.send(raw.path("S", "h"), "x")
    attempt = await raw.attempt()
    s, o, key = raw.name("S"), raw.name("O"), world.key()
    await attempt.write(
        call(s, "g", "one", (1, 2), idempotency=key), call(s, "g", "two", (3, 4), idempotency=key),
        send(s, "g", "three", 5, idempotency=key), call(o, "e", "x", (6, 7), key="", idempotency=key),
    )  # fmt: skip
    first, second = await raw.attempt(), await raw.attempt()
    keyed, obj = (first, second) if first.path.endswith("/g") else (second, first)
    ids = {}
    for _ in range(4):
        one = await attempt.read()
        ids[one.completion] = one.result
    equal({ids[1], ids[3], ids[5]}, {keyed.invocation}, "the ids of one key")
    equal(obj.headers["x-restate-service-key"], "", "the header of an empty key")
    waiting = asyncio.create_task(world.try_call(raw.path("S", "g"), "four", {"idempotency-key": key}))
    await asyncio.sleep(0.2)
    await keyed.finish(fails(451, "once", {"k": "v"}), END)
    answer = await waiting
    equal((answer.status, answer.message, answer.headers["x-restate-id"]), (451, "once", keyed.invocation))
    equal(sorted([(await attempt.read()).result for _ in range(2)]), [(451, "once")] * 2)
    again = await world.try_call(raw.path("S", "g"), "five", {"idempotency-key": key})
    equal((again.status, again.json), (451, answer.json), "the failure is kept")
    check("idempotency-expires" in again.headers, "when it expires is not told")
    await obj.finish(output(b"1"), END)
    await attempt.finish(output(b"1"), END)
    await ends(world, identifier, 200, b"1")
    check(await raw.nobody(0.2), "it ran twice")


@once
async def promises_are_completed_once(world: World) -> None:
    raw = await world.raw(SERVICES, versions=(5, 6))
    key = world.key()
    flow = await world.send(raw.path("W", "run", key), "x")
    attempt = await raw.attempt()
    await attempt.write(
        frame("PeekPromise", {1: "p", 11: 1}), frame("GetPromise", {1: "p", 11: 2}), frame("GetPromise", {1: "p", 11: 3}),
        frame("PeekPromise", {1: "p", 11: 4}),
    )  # fmt: skip
    equal([((await attempt.read()).result) for _ in range(2)], [None, None], "peeking at an open one")
    shared = await world.send(raw.path("W", "s", key), "x")
    other = await raw.attempt()
    await other.write(
        frame("CompletePromise", {1: "p", 3: {1: 417, 2: "no"}, 11: 1}),
        frame("CompletePromise", {1: "p", 2: value(b"x"), 11: 2}),
        frame("CompletePromise", {1: "p", 3: {1: 417, 2: "no"}, 11: 3}), frame("PeekPromise", {1: "p", 11: 4}),
        frame("GetPromise", {1: "p", 11: 5}), frame("CompletePromise", {1: "", 2: value(), 11: 6}),
        frame("GetPromise", {1: "", 11: 7}),
    )  # fmt: skip
    heard = {(one := await other.read()).completion: one.result for _ in range(7)}
    already = (409, "promise was already completed")
    equal(heard, {1: None, 2: already, 3: already, 4: (417, "no"), 5: (417, "no"), 6: None, 7: b""})
    heard = [((one := await attempt.read()).completion, one.result) for _ in range(2)]
    equal(heard, [(2, (417, "no")), (3, (417, "no"))], "the listeners in order")
    await other.finish(output(), END)
    await attempt.finish(frame("SetState", {1: "a", 3: value(b"1")}), output(b"1"), END)
    await ends(world, flow, 200, b"1")
    await ends(world, shared, 200, b"")
    # State and promises live as long as the run is kept.
    await world.send(raw.path("W", "s", key), "x")
    other = await raw.attempt()
    equal([fields_of(entry) for entry in other.start.all(4)], [(b"a", b"1")])
    await other.write(frame("PeekPromise", {1: "p", 11: 1}))
    equal((await other.read()).result, (417, "no"))
    await outcomes(world, flow, purge=200)
    await other.write(frame("PeekPromise", {1: "p", 11: 2}), frame("GetLazyState", {1: "a", 11: 3}))
    equal([(await other.read()).result for _ in range(2)], [None, None], "after the purge")
    await other.finish(output(), END)
    again = await world.send(raw.path("W", "run", key), "x")
    equal(again, flow)
    attempt = await raw.attempt()
    equal(attempt.start.all(4), [])
    await attempt.finish(output(b"2"), END)
    await ends(world, flow, 200, b"2")


@once
async def a_run_that_is_ended_before_it_starts_leaves_nothing(world: World) -> None:
    raw = await world.raw(SERVICES, versions=(5, 6))
    key = world.key()
    await world.send(raw.path("W", "s", key), "x")
    shared = await raw.attempt()
    await shared.finish(frame("CompletePromise", {1: "p", 2: value(b"1"), 11: 1}), output(), END)
    flow = await world.send(raw.path("W", "run", key), "x", delay="1h")
    answer = await world.try_call(raw.path("W", "run", key), "x")
    equal(json_error(answer), (409, 409, "the workflow method was already invoked", "invocation"))
    attach = f"{world.server.ingress}/restate/workflow/{raw.name('W')}/{key}"
    equal((await world.request("GET", attach + "/output", ABSENT)).status, 470)
    await outcomes(world, flow, cancel=200)
    await gone(world, flow)
    equal((await world.request("GET", attach + "/attach", ABSENT)).status, 404)
    equal(await world.send(raw.path("W", "run", key), "x"), flow, "the id of the next run")
    attempt = await raw.attempt()
    await attempt.write(frame("PeekPromise", {1: "p", 11: 1}))
    equal((await attempt.read()).result, None, "a promise of before")
    await attempt.finish(output(b"1"), END)
    await ends(world, flow, 200, b"1")


@once
async def a_call_to_a_run_that_exists_is_refused(world: World) -> None:
    raw = await world.raw(SERVICES, versions=(5, 6))
    key, w = world.key(), raw.name("W")
    flow = await world.send(raw.path("W", "run", key), "x")
    running = await raw.attempt()
    identifier = await world.send(raw.path("S", "h"), "x")
    attempt = await raw.attempt()
    await attempt.write(call(w, "run", "", (1, 2), key=key), send(w, "run", "", 3, key=key))
    heard = {(one := await attempt.read()).completion: one.result for _ in range(3)}
    equal(heard, {1: flow, 3: flow, 2: (409, "the workflow method was already invoked")})
    # Its kill does not reach a run that it never waited for.
    await outcomes(world, identifier, kill=200)
    equal((await world.row(flow))["status"], "running")
    await running.finish(output(b"1"), END)
    await ends(world, flow, 200, b"1")
