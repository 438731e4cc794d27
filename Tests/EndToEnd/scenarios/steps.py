"""Durable steps: done once, retried until they work, and what must be the same in every attempt."""

from EndToEnd.harness import World, check, equal, scenario


@scenario
async def a_step_is_done_once_though_later_code_breaks_off(world: World) -> None:
    note = world.key("note")
    equal(await world.call(world.path("Steps", "once"), note), 1)
    equal(len(world.ledger.read(note)), 1, "how often the step was done")
    equal(len(world.ledger.read(note + "-attempt")), 3, "the number of attempts")


@scenario
async def a_step_that_fails_is_retried_until_it_works(world: World) -> None:
    note = world.key("note")
    equal(await world.call(world.path("Steps", "flaky"), note), 4)
    equal(len(world.ledger.read(note)), 4, "how often the step was tried")


@scenario
async def a_step_gives_up_after_its_last_attempt(world: World) -> None:
    note = world.key("note")
    result = await world.call(world.path("Steps", "hopeless"), note)
    check(result.startswith("gave up") and "never works" in result, f"the result is {result!r}")
    equal(len(world.ledger.read(note)), 3, "how often the step was tried")


@scenario
async def a_terminal_error_in_a_step_reaches_the_handler(world: World) -> None:
    note = world.key("note")
    equal(await world.call(world.path("Steps", "refused"), note), "418 not that")
    equal(len(world.ledger.read(note)), 1, "how often the step was tried")


@scenario
async def steps_may_run_at_the_same_time(world: World) -> None:
    note = world.key("note")
    equal(await world.call(world.path("Steps", "many"), note), [number * number for number in range(8)])
    equal(sorted(set(world.ledger.read(note))), [str(number) for number in range(8)], "the steps that were done")


@scenario
async def a_step_that_is_under_way_at_a_pause_is_done_once(world: World) -> None:
    note = world.key("note")
    identifier = await world.send(world.path("Steps", "held"), note)
    await world.noted(note)
    equal((await world.operate(identifier, "pause")).status, 202)
    await world.status(identifier, "paused")
    world.ledger.note(note + "-end")
    query = f"SELECT index FROM sys_journal WHERE id = '{identifier}' AND entry_type = 'Notification: Run'"
    await world.until("the result of the step", lambda: world.rows(query))
    equal((await world.row(identifier))["status"], "paused")
    equal((await world.operate(identifier, "resume")).status, 200)
    equal((await world.attach(identifier)).json, 2)
    equal(world.ledger.read(note), ["begun", "done"], "what was done")


@scenario
async def steps_in_sequence_are_each_done_once(world: World) -> None:
    note = world.key("note")
    equal(await world.call(world.path("Steps", "sequence"), note), list(range(1, 11)))
    equal(world.ledger.read(note), [str(number) for number in range(10)], "the steps in order")


@scenario
async def results_of_steps_may_be_nothing_text_or_many_bytes(world: World) -> None:
    equal(await world.call(world.path("Steps", "kinds")), [None, "äöü 😀" * 10, 400_000])


@scenario
async def chance_and_time_are_the_same_in_every_attempt(world: World) -> None:
    note = world.key("note")
    values = await world.call(world.path("Steps", "same"), note)
    seen = world.ledger.read(note)
    equal(len(seen), 3, "the number of attempts")
    equal(set(seen), {str(values)}, "what the attempts saw")
