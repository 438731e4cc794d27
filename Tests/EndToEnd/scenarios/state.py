"""State of virtual objects: every state command, isolation, order."""

import asyncio

from EndToEnd.harness import World, equal, scenario


@scenario
async def a_handler_reads_what_it_wrote_and_the_next_one_too(world: World) -> None:
    key = world.key()
    equal(await world.call(world.path("Counter", "add", key), 5), [0, 5])
    equal(await world.call(world.path("Counter", "add", key), 2), [5, 7])
    equal(await world.call(world.path("Counter", "read", key)), 7)


@scenario
async def a_key_that_was_never_set_is_absent(world: World) -> None:
    equal(await world.call(world.path("Counter", "read", world.key())), None)


@scenario
async def keys_are_listed_cleared_and_cleared_all_at_once(world: World) -> None:
    key = world.key()
    values = {"a": 1, "b": "two", "c": [3], "dé 😀": {"x": None}}
    equal(await world.call(world.path("Counter", "fill", key), values), sorted(values))
    equal(await world.call(world.path("Counter", "dump", key)), values)
    equal(await world.call(world.path("Counter", "drop", key), ["a", "c"]), [None, None])
    equal(await world.call(world.path("Counter", "dump", key)), {name: values[name] for name in ("b", "dé 😀")})
    equal(await world.call(world.path("Counter", "dropAll", key)), [["after"], None])
    equal(await world.call(world.path("Counter", "dump", key)), {"after": 1})


@scenario
async def values_may_be_big_and_many(world: World) -> None:
    key = world.key()
    values = {f"key-{number}": "x" * 20_000 for number in range(40)} | {"big": "y" * 1_500_000}
    await world.call(world.path("Counter", "fill", key), values)
    equal(await world.call(world.path("Counter", "dump", key)), values, "the state")


@scenario
async def objects_do_not_share_state(world: World) -> None:
    one, two = world.key("one"), world.key("two")
    await asyncio.gather(
        world.call(world.path("Counter", "add", one), 1), world.call(world.path("Counter", "add", two), 2)
    )
    equal(await world.call(world.path("Counter", "read", one)), 1)
    equal(await world.call(world.path("Counter", "read", two)), 2)


@scenario
async def concurrent_writers_are_serialised(world: World) -> None:
    key = world.key()
    results = await asyncio.gather(*(world.call(world.path("Counter", "add", key), 1) for _ in range(20)))
    equal(sorted(before for before, _ in results), list(range(20)), "what the writers found")
    equal(await world.call(world.path("Counter", "read", key)), 20)


@scenario
async def calls_of_one_object_never_overlap(world: World) -> None:
    key, note = world.key(), world.key("note")
    await asyncio.gather(*(world.call(world.path("Counter", "overlap", key), note) for _ in range(6)))
    equal(world.ledger.read(note), ["begin", "end"] * 6, "the order of begins and ends")


@scenario
async def attempts_that_break_off_leave_no_state(world: World) -> None:
    key, note = world.key(), world.key("note")
    equal(await world.call(world.path("Counter", "addAndFail", key), note), 1)
    equal(await world.call(world.path("Counter", "read", key)), 1)
    equal(len(world.ledger.read(note)), 3, "the number of attempts")


@scenario
async def state_stays_when_the_handler_ends_in_an_error(world: World) -> None:
    key = world.key()
    answer = await world.try_call(world.path("Counter", "addAndEnd", key), 409)
    equal((answer.status, answer.message), (409, "ends here"))
    equal(answer.json.get("metadata"), world.way.metadata(why="on purpose"), "the metadata")
    equal(await world.call(world.path("Counter", "read", key)), 77)


@scenario
async def readers_do_not_wait_for_the_writer_and_writers_queue(world: World) -> None:
    key, note = world.key(), world.key("note")
    holder = await world.send(world.path("Counter", "hold", key), note)
    identifier = (await world.noted(note))[0]
    queued = await world.send(world.path("Counter", "add", key), 1)
    equal(await world.call(world.path("Counter", "read", key)), None, "what a reader sees")
    row = await world.status(queued, "pending")
    equal(row["target_service_key"], key)
    inbox = await world.rows(f"SELECT id FROM sys_inbox WHERE service_key = '{key}'")
    equal([found["id"] for found in inbox], [queued], "the inbox")
    await world.request("POST", f"{world.server.ingress}/restate/awakeables/{identifier}/resolve", "go on")
    equal((await world.attach(holder)).json, "go on")
    equal((await world.attach(queued)).json, [0, 1])
