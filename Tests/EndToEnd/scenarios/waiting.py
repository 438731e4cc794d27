"""Sleeps, awakeables, signals, durable promises, and combinations of them."""

import asyncio
import time

from EndToEnd.harness import ABSENT, World, check, equal, scenario


async def complete(world: World, awakeable: str, verb: str, body) -> None:
    answer = await world.request("POST", f"{world.server.ingress}/restate/awakeables/{awakeable}/{verb}", body)
    equal(answer.status, 202, f"the status of {verb}")


@scenario
async def a_sleep_is_not_too_short(world: World) -> None:
    begin = time.monotonic()
    equal(await world.call(world.path("Waiting", "nap"), 300), "rested")
    check(time.monotonic() - begin >= 0.3, "it woke up too early")
    equal(await world.call(world.path("Waiting", "nap"), 0), "rested")


@scenario
async def sleeps_end_in_the_order_of_their_times(world: World) -> None:
    equal(await world.call(world.path("Waiting", "naps"), [450, 50, 250]), ["50", "250", "450"])


@scenario
async def an_awakeable_is_resolved_by_a_client(world: World) -> None:
    note = world.key("note")
    identifier = await world.send(world.path("Waiting", "awake"), note)
    awakeable = (await world.noted(note))[0]
    check(awakeable.startswith("sign_1"), f"the id is {awakeable!r}")
    await complete(world, awakeable, "resolve", "hello")
    equal((await world.attach(identifier)).json, "hello")


@scenario
async def an_awakeable_takes_any_bytes(world: World) -> None:
    note = world.key("note")
    identifier = await world.send(world.path("Waiting", "awakeBytes"), note)
    await complete(world, (await world.noted(note))[0], "resolve", b"\xff" * 300_000)
    equal((await world.attach(identifier)).json, 300_000)


@scenario
async def an_awakeable_is_rejected_by_a_client(world: World) -> None:
    note = world.key("note")
    identifier = await world.send(world.path("Waiting", "awake"), note)
    await complete(world, (await world.noted(note))[0], "reject", b"no thanks")
    answer = await world.attach(identifier)
    equal((answer.status, answer.message), (500, "no thanks"))


@scenario
async def handlers_complete_awakeables_of_others(world: World) -> None:
    for verb, expected in (("resolve", (200, "by a handler")), ("reject", (417, "by a handler"))):
        note = world.key("note")
        identifier = await world.send(world.path("Waiting", "awake"), note)
        await world.call(world.path("Waiting", verb), [(await world.noted(note))[0], "by a handler"])
        answer = await world.attach(identifier)
        equal((answer.status, answer.json if answer.status == 200 else answer.message), expected)


@scenario
async def an_awakeable_may_time_out(world: World) -> None:
    note = world.key("note")
    equal(
        await world.call(world.path("Waiting", "awakeOrTimeout"), {"note": note, "timeout": 200}), ["timeout", None]
    )
    note = world.key("note")
    identifier = await world.send(world.path("Waiting", "awakeOrTimeout"), {"note": note, "timeout": 60_000})
    await complete(world, (await world.noted(note))[0], "resolve", "in time")
    equal((await world.attach(identifier)).json, ["awake", "in time"])


@scenario
async def several_awakeables_are_awaited_together(world: World) -> None:
    note = world.key("note")
    identifier = await world.send(world.path("Waiting", "awakeAll"), note)
    awakeables = await world.noted(note, 3)
    for number in (2, 0, 1):
        await complete(world, awakeables[-3:][number], "resolve", str(number))
    equal((await world.attach(identifier)).json, ["0", "1", "2"])


@scenario
async def a_signal_reaches_the_one_that_listens(world: World) -> None:
    note = world.key("note")
    identifier = await world.send(world.path("Waiting", "hear"), note)
    await world.noted(note)
    await world.call(world.path("Waiting", "tell"), [identifier, "good news"])
    equal((await world.attach(identifier)).json, "good news")


@scenario
async def a_signal_may_come_before_anybody_listens(world: World) -> None:
    note = world.key("note")
    identifier = await world.send(world.path("Waiting", "hearLate"), note)
    await world.noted(note)
    await world.call(world.path("Waiting", "tell"), [identifier, "early"])
    equal((await world.attach(identifier)).json, "early")


@scenario
async def a_signal_may_be_a_failure(world: World) -> None:
    note = world.key("note")
    identifier = await world.send(world.path("Waiting", "hear"), note)
    await world.noted(note)
    await world.call(world.path("Waiting", "scold"), [identifier, "bad news"])
    answer = await world.attach(identifier)
    equal((answer.status, answer.message), (418, "bad news"))


@scenario
async def a_promise_is_kept_once(world: World) -> None:
    key, note = world.key(), world.key("note")
    identifier = await world.send(world.path("Approval", "run", key), note)
    await world.noted(note)
    equal(await world.call(world.path("Approval", "peek", key)), None)
    listener = asyncio.create_task(world.call(world.path("Approval", "listen", key)))
    await world.until("the status", lambda: world.call(world.path("Approval", "status", key)))
    equal(await world.call(world.path("Approval", "answer", key), "yes"), "taken")
    equal(await world.call(world.path("Approval", "answer", key), "no"), "409", "the second answer")
    equal((await world.attach(identifier)).json, f"{key}: yes")
    equal(await listener, "yes")
    equal(await world.call(world.path("Approval", "peek", key)), "yes")
    equal(await world.call(world.path("Approval", "status", key)), "answered")


@scenario
async def a_promise_may_be_kept_in_advance(world: World) -> None:
    key, note = world.key(), world.key("note")
    equal(await world.call(world.path("Approval", "answer", key), "early"), "taken")
    equal(await world.call(world.path("Approval", "run", key), note), f"{key}: early")


@scenario
async def a_promise_may_be_broken(world: World) -> None:
    key, note = world.key(), world.key("note")
    identifier = await world.send(world.path("Approval", "run", key), note)
    await world.call(world.path("Approval", "refuse", key), "never")
    answer = await world.attach(identifier)
    equal((answer.status, answer.message), (403, "never"))


@scenario
async def a_workflow_runs_once_per_key(world: World) -> None:
    key, note = world.key(), world.key("note")
    first = await world.send(world.path("Approval", "run", key), note)
    equal(await world.send(world.path("Approval", "run", key), note), first, "the id of the second send")
    answer = await world.try_call(world.path("Approval", "run", key), note)
    equal(answer.status, 409)
    await world.call(world.path("Approval", "answer", key), "once")
    path = f"/restate/workflow/{world.way.prefix}Approval/{key}/attach"
    answer = await world.request("GET", world.server.ingress + path, ABSENT)
    equal((answer.status, answer.json), (200, f"{key}: once"))
    equal(len(world.ledger.read(note)), 1, "how often it ran")
