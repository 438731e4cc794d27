"""Calls and sends: between services, from clients, with all that can go wrong; attach and cancel."""

import time

from EndToEnd.harness import ABSENT, World, check, equal, scenario


@scenario
async def a_result_comes_back_as_it_was_given(world: World) -> None:
    equal(await world.call(world.path("Calls", "echo"), "äöü 😀"), "äöü 😀")
    answer = await world.request(
        "POST", f"{world.server.ingress}/{world.path('Calls', 'raw')}", bytes(range(256)),
        {"content-type": "application/octet-stream"},
    )  # fmt: skip
    equal((answer.status, answer.body), (200, bytes(reversed(range(256)))))
    equal(answer.headers["content-type"], "application/octet-stream")
    check(answer.headers["x-restate-id"].startswith("inv_"), "the answer carries no invocation id")


@scenario
async def services_call_services_and_objects(world: World) -> None:
    equal(await world.call(world.path("Calls", "forward"), "text"), "forwarded text")
    equal(await world.call(world.path("Calls", "addTo"), world.key()), [[0, 2], "[2, 5]"])


@scenario
async def calls_may_be_nested_and_wide(world: World) -> None:
    equal(await world.call(world.path("Calls", "chain"), 8), 8)
    equal(await world.call(world.path("Calls", "fanOut"), 25), [str(number) for number in range(25)])


@scenario
async def a_terminal_error_reaches_callers_with_code_and_metadata(world: World) -> None:
    equal(await world.call(world.path("Calls", "callFailing"), 418), "418 code 418")
    answer = await world.try_call(world.path("Calls", "passFailure"), 451)
    equal((answer.status, answer.json["code"], answer.message), (451, 451, "code 451"))
    equal(answer.json["source"], "invocation")
    equal(answer.json.get("metadata"), world.way.metadata(code="451"), "the metadata")
    equal(answer.headers["x-restate-error-source"], "invocation")


@scenario
async def headers_go_along(world: World) -> None:
    equal(await world.call(world.path("Calls", "header"), "x-mine", headers={"X-Mine": "yes"}), "yes")
    equal(await world.call(world.path("Calls", "withHeader"), "of the caller"), "of the caller")


@scenario
async def a_send_is_done_once_and_its_id_is_known(world: World) -> None:
    note = world.key("note")
    identifier = await world.call(world.path("Calls", "sendTo"), {"note": note})
    equal((await world.attach(identifier)).status, 200)
    equal(len(world.ledger.read(note)), 1, "how often it was done")


@scenario
async def a_delayed_send_waits(world: World) -> None:
    note, begin = world.key("note"), time.monotonic()
    await world.call(world.path("Calls", "sendTo"), {"note": note, "delay": 500})
    await world.noted(note)
    check(time.monotonic() - begin >= 0.5, "the send was too early")
    late = world.key("note")
    identifier = await world.send(world.path("Calls", "record"), late, delay="1h")
    row = await world.status(identifier, "scheduled")
    check("scheduled_start_at" in row, "the row has no start time")
    equal((await world.admin("PATCH", f"/invocations/{identifier}/cancel")).status, 200)
    equal(world.ledger.read(late), [], "what the cancelled one did")


@scenario
async def one_idempotency_key_is_one_invocation(world: World) -> None:
    key = world.key("note")
    equal(await world.call(world.path("Calls", "callTwiceWithKey"), key), [list(range(1, 11))] * 2 + [True])
    note, headers = world.key("note"), {"idempotency-key": world.key()}
    target = world.path("Steps", "sequence")
    first = await world.try_call(target, note, headers)
    second = await world.try_call(target, note, headers)
    equal((first.status, second.status, second.body), (200, 200, first.body))
    equal(second.headers["x-restate-id"], first.headers["x-restate-id"])
    equal(len(world.ledger.read(note)), 10, "the steps that were done")
    again = await world.request("POST", f"{world.server.ingress}/{target}/send", note, headers)
    equal(again.json["status"], "PreviouslyAccepted")


@scenario
async def attach_gives_the_result_of_another_invocation(world: World) -> None:
    equal(await world.call(world.path("Calls", "attachTo"), "text"), "forwarded text")


@scenario
async def the_output_of_what_runs_is_not_there_yet(world: World) -> None:
    note = world.key("note")
    identifier = await world.send(world.path("Waiting", "awake"), note)
    awakeable = (await world.noted(note))[0]
    answer = await world.request("GET", f"{world.server.ingress}/restate/output/{identifier}", ABSENT)
    equal(answer.status, 470)
    await world.request("POST", f"{world.server.ingress}/restate/awakeables/{awakeable}/resolve", "now")
    equal((await world.attach(identifier)).json, "now")
    answer = await world.request("GET", f"{world.server.ingress}/restate/output/{identifier}", ABSENT)
    equal((answer.status, answer.json), (200, "now"))


@scenario
async def a_handler_cancels_what_it_called(world: World) -> None:
    note = world.key("note")
    equal(await world.call(world.path("Calls", "cancelCallee"), note), "409")
    equal(await world.noted(note + "-cleaned"), ["409"], "the clean-up")


@scenario
async def an_operator_cancels_and_the_code_cleans_up(world: World) -> None:
    note = world.key("note")
    identifier = await world.send(world.path("Calls", "wait"), note)
    await world.noted(note)
    equal((await world.admin("PATCH", f"/invocations/{identifier}/cancel")).status, 202)
    answer = await world.attach(identifier)
    equal(answer.status, 409)
    equal(world.ledger.read(note + "-cleaned"), ["409"], "the clean-up")


@scenario
async def an_operator_kills_and_no_code_runs(world: World) -> None:
    note = world.key("note")
    identifier = await world.send(world.path("Calls", "wait"), note)
    await world.noted(note)
    equal((await world.admin("PATCH", f"/invocations/{identifier}/kill")).status, 200)
    answer = await world.attach(identifier)
    equal((answer.status, answer.message), (409, "killed"))
    equal(world.ledger.read(note + "-cleaned"), [], "the clean-up")


@scenario
async def a_call_to_nobody_is_retried_and_can_be_killed(world: World) -> None:
    note = world.key("note")
    identifier = await world.send(world.path("Calls", "missing"), note)
    row = await world.status(identifier, "backing-off")
    check("NobodyServesThis" in row.get("last_failure", ""), f"the failure is {row.get('last_failure')!r}")
    equal(row.get("last_failure_error_code"), "RT0018")
    equal((await world.admin("PATCH", f"/invocations/{identifier}/kill")).status, 200)
    equal((await world.attach(identifier)).status, 409)


@scenario
async def an_attempt_may_ask_for_its_retry(world: World) -> None:
    note = world.key("note")
    equal(await world.call(world.path("Calls", "later"), note), "worked")
    equal(len(world.ledger.read(note)), 3, "the number of attempts")


@scenario
async def the_agreed_protocol_version_is_used(world: World) -> None:
    identifier = await world.send(world.path("Calls", "forward"), "x")
    equal((await world.attach(identifier)).status, 200)
    equal((await world.row(identifier))["pinned_service_protocol_version"], world.way.version)
