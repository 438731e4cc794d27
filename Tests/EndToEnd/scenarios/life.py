"""The life of an invocation: what operators, other handlers and time do to it in each of its states."""

import asyncio
import time

from EndToEnd.harness import ABSENT, Answer, World, check, equal, once, timed
from EndToEnd.wire import (
    END,
    call,
    error,
    fails,
    fields,
    frame,
    output,
    proposal,
    run,
    send,
    signal,
    sleep,
    suspension,
    value,
)
from EndToEnd.scenarios.protocol import FAST, awakeable_id

SERVICES = {
    "S": ("S", {"h": None, "g": None}, FAST), "O": ("O", {"e": "E", "f": "E", "s": "S"}, FAST),
    "W": ("W", {"run": "W", "s": "S"}, FAST),
}  # fmt: skip
CANCELLED = [fails(409, "cancelled"), END]


async def ends(world: World, identifier: str, status: int, what) -> Answer:
    answer = await world.attach(identifier)
    equal((answer.status, answer.body if status == 200 else answer.message), (status, what), f"the end of {identifier}")
    return answer


async def gone(world: World, identifier: str) -> None:
    """Nothing is kept of it."""
    equal(await world.row(identifier), {}, "what is kept")
    equal((await world.attach(identifier)).status, 404)
    answer = await world.request("GET", f"{world.server.ingress}/restate/output/{identifier}", ABSENT)
    equal((answer.status, answer.json), (404, {"code": 404, "message": "invocation not found", "source": "ingress"}))


async def outcomes(world: World, identifier: str, **expected: int) -> None:
    """The status of each operation; names as in paths, with _ for -."""
    for name, status in expected.items():
        answer = await world.operate(identifier, name.replace("_", "-"))
        equal(answer.status, status, f"the status of {name} ({answer.message})")


def json_error(answer: Answer) -> tuple:
    return answer.status, answer.json["code"], answer.json["message"], answer.json["source"]


# What has not started.


@once
async def a_scheduled_one_can_only_be_ended(world: World) -> None:
    raw = await world.raw(SERVICES, versions=(5, 6))
    for operation, text in (("cancel", "canceled"), ("kill", "killed")):
        headers = {"idempotency-key": world.key()}
        target = raw.path("S", "h")
        answer = await world.request("POST", f"{world.server.ingress}/{target}/send?delay=1h", "x", headers)
        identifier = answer.json["invocationId"]
        equal(answer.json["status"], "Accepted")
        again = await world.request("POST", f"{world.server.ingress}/{target}/send?delay=2h", "x", headers)
        equal(again.json, answer.json | {"status": "PreviouslyAccepted"}, "the answer to a repetition")
        await outcomes(world, identifier, pause=409, resume=425, purge=409, purge_journal=409, restart_as_new=425)
        waiting = asyncio.create_task(world.attach(identifier))
        joined = asyncio.create_task(world.try_call(target, "x", headers))
        await asyncio.sleep(3)  # Who waits for it cannot be seen from outside.
        await outcomes(world, identifier, **{operation: 200})
        equal(json_error(await waiting), (409, 409, text, "invocation"))
        equal(json_error(await joined), (409, 409, text, "invocation"))
        await gone(world, identifier)
        fresh = await world.request("POST", f"{world.server.ingress}/{target}/send?delay=1h", "x", headers)
        equal((fresh.json["status"], fresh.json["invocationId"]), ("Accepted", identifier), "the key is free again")
        await outcomes(world, identifier, kill=200)
    check(await raw.nobody(0.2), "it ran")


@once
async def one_that_waits_for_its_object_can_only_be_ended(world: World) -> None:
    raw = await world.raw(SERVICES, versions=(5, 6))
    key = world.key()
    holder = await world.send(raw.path("O", "e", key), "x")
    attempt = await raw.attempt()
    for operation, text in (("cancel", "canceled"), ("kill", "killed")):
        headers = {"idempotency-key": world.key()}
        waiting = asyncio.create_task(world.try_call(raw.path("O", "f", key), "x", headers))
        query = f"SELECT id FROM sys_invocation WHERE idempotency_key = '{headers['idempotency-key']}'"
        await world.until("the call that waits", lambda: world.rows(query))
        identifier = await world.send(raw.path("O", "f", key), "x", headers)
        equal((await world.row(identifier))["status"], "pending")
        await outcomes(world, identifier, pause=409, resume=425, purge=409, purge_journal=409, restart_as_new=425)
        await outcomes(world, identifier, **{operation: 200})
        equal(json_error(await waiting), (409, 409, text, "invocation"))
        await gone(world, identifier)
    last = await world.send(raw.path("O", "f", key), "x")
    await attempt.finish(output(b"1"), END)
    await ends(world, holder, 200, b"1")
    attempt = await raw.attempt()
    equal(attempt.invocation, last, "who comes next")
    await attempt.finish(output(b"2"), END)


@once
async def a_signal_is_kept_for_one_that_has_not_started(world: World) -> None:
    """1.7 loses it; the SDK must get it, and the cancel signal must end it."""
    raw = await world.raw(SERVICES, versions=(5, 6))
    identifier = await world.send(raw.path("S", "h"), "x", delay="5s")
    teller = await world.send(raw.path("S", "g"), "x")
    attempt = await raw.attempt()
    await attempt.finish(signal(identifier, 17, b"a"), signal(identifier, "news", b"b"), output(), END)
    await ends(world, teller, 200, b"")
    attempt = await raw.attempt()
    equal((attempt.invocation, attempt.names), (identifier, ["Input", "Signal", "Signal"]))
    equal([entry.result for entry in attempt.entries[1:]], [b"a", b"b"])
    await attempt.finish(output(b"1"), END)
    late = await world.send(raw.path("S", "h"), "x", delay="1h")
    await world.send(raw.path("S", "g"), "x")
    await (await raw.attempt()).finish(signal(late, 1), signal("inv_1" + "0" * 33, 1), output(), END)
    await world.until("the end of the cancelled one", lambda: _is_gone(world, late))


async def _is_gone(world: World, identifier: str) -> bool:
    return await world.row(identifier) == {}


# Cancel.


@once
async def cancel_is_a_signal_to_one_that_runs(world: World) -> None:
    raw = await world.raw(SERVICES, versions=(5, 6))
    identifier = await world.send(raw.path("S", "h"), "x")
    attempt = await raw.attempt()
    await attempt.write(sleep(int(time.time() * 1000) + 3_600_000, 1), call(raw.name("S"), "g", "", (2, 3)))
    equal((await attempt.read()).name, "CallInvocationIdCompletion")
    child = await raw.attempt()
    for _ in range(3):
        await outcomes(world, identifier, cancel=202)
        frame_ = await attempt.read()
        equal((frame_.name, frame_.payload), ("Signal", bytes.fromhex("1001" "2200")))
    row = await world.row(child.invocation)
    equal(row["status"], "running", "the engine does not propagate")
    await attempt.finish(*CANCELLED)
    await ends(world, identifier, 409, "cancelled")
    await outcomes(world, identifier, cancel=409, kill=409, pause=409, resume=409)
    await child.finish(output(), END)


@once
async def cancel_wakes_one_that_waits_for_it(world: World) -> None:
    raw = await world.raw(SERVICES, versions=(5, 6))
    future_ = sleep(int(time.time() * 1000) + 3_600_000, 1)
    identifier = await world.send(raw.path("S", "h"), "x")
    await (await raw.attempt()).finish(future_, suspension([1], [1]))
    await world.status(identifier, "suspended")
    await outcomes(world, identifier, cancel=202)
    attempt = await raw.attempt()
    equal(attempt.names, ["Input", "Sleep", "Signal"])
    # It cleans up, waits again, and can be cancelled a second time; the first signal does not wake it up.
    await attempt.finish(sleep(int(time.time() * 1000) + 3_600_000, 2), suspension([2], [1]))
    check(await raw.nobody(0.3), "the signal that it knows woke it up")
    equal((await world.row(identifier))["status"], "suspended")
    await outcomes(world, identifier, cancel=202)
    attempt = await raw.attempt()
    equal(attempt.names, ["Input", "Sleep", "Signal", "Sleep", "Signal"])
    await attempt.finish(*CANCELLED)
    await ends(world, identifier, 409, "cancelled")
    # One that does not wait for it is not woken up.
    identifier = await world.send(raw.path("S", "h"), "x")
    attempt = await raw.attempt()
    await attempt.finish(suspension([], [17]))
    await world.status(identifier, "suspended")
    await outcomes(world, identifier, cancel=202)
    check(await raw.nobody(0.3), "it was woken up though it does not wait for signal 1")
    url = f"{world.server.ingress}/restate/awakeables/sign_1{awakeable_id(attempt, 17)}/resolve"
    equal((await world.request("POST", url, b"", {})).status, 202)
    attempt = await raw.attempt()
    equal(attempt.names, ["Input", "Signal", "Signal"])
    equal([entry.get(2) for entry in attempt.entries[1:]], [1, 17])
    await attempt.finish(output(b"1"), END)
    await ends(world, identifier, 200, b"1")


@timed
async def cancel_waits_for_the_retry_and_resumes_the_paused(world: World) -> None:
    slow = {"S": ("S", {"h": None}, {"retryPolicyInitialInterval": 700, "retryPolicyExponentiationFactor": 1.0})}
    raw = await world.raw(slow, versions=(5, 6))
    identifier = await world.send(raw.path("S", "h"), "x")
    await (await raw.attempt()).finish(error(500, "no"))
    begin = time.monotonic()
    await world.status(identifier, "backing-off")
    await outcomes(world, identifier, cancel=202)
    attempt = await raw.attempt()
    check(time.monotonic() - begin >= 0.65, "the back-off was cut short")
    equal(attempt.names, ["Input", "Signal"])
    await outcomes(world, identifier, pause=202)
    equal(await attempt.read(), None, "the end of the request, at a pause")
    await world.status(identifier, "paused")
    await outcomes(world, identifier, pause=200, cancel=202)
    attempt = await raw.attempt()
    equal(attempt.names, ["Input", "Signal", "Signal"])
    await attempt.finish(*CANCELLED)
    await ends(world, identifier, 409, "cancelled")


@once
async def an_awakeable_of_index_1_cancels(world: World) -> None:
    raw = await world.raw(SERVICES, versions=(5, 6))
    identifier = await world.send(raw.path("S", "h"), "x")
    attempt = await raw.attempt()
    url = f"{world.server.ingress}/restate/awakeables/sign_1{awakeable_id(attempt, 1)}/resolve"
    equal((await world.request("POST", url, "ignored")).status, 202)
    equal((await attempt.read()).payload, bytes.fromhex("1001" "2200"))
    await attempt.finish(*CANCELLED)
    await ends(world, identifier, 409, "cancelled")


@once
async def a_call_of_an_object_to_itself_waits_until_it_is_cancelled(world: World) -> None:
    raw = await world.raw(SERVICES, versions=(5, 6))
    key = world.key()
    identifier = await world.send(raw.path("O", "e", key), "x")
    attempt = await raw.attempt()
    await attempt.write(call(raw.name("O"), "f", "", (1, 2), key=key))
    child = (await attempt.read()).result
    equal((await world.row(child))["status"], "pending")
    await outcomes(world, identifier, cancel=202)
    equal((await attempt.read()).name, "Signal")
    await attempt.write(signal(child, 1))
    equal((await attempt.read()).result, (409, "canceled"), "what the caller gets of it")
    await attempt.finish(*CANCELLED)
    await gone(world, child)
    # A shared handler of the same key is no deadlock.
    identifier = await world.send(raw.path("O", "e", key), "x")
    attempt = await raw.attempt()
    await attempt.write(frame("SetState", {1: "a", 3: value(b"seen")}), call(raw.name("O"), "s", "", (1, 2), key=key))
    shared = await raw.attempt()
    equal([fields_of(entry) for entry in shared.start.all(4)], [(b"a", b"seen")], "what the shared handler sees")
    await shared.finish(output(b"s"), END)
    equal([(await attempt.read()).name for _ in range(2)], ["CallInvocationIdCompletion", "CallCompletion"])
    await attempt.finish(output(b"1"), END)
    await ends(world, identifier, 200, b"1")


def fields_of(entry: bytes) -> tuple:
    found = fields(entry)
    return found.get(1, [b""])[0], found.get(2, [b""])[0]


# Kill.


@once
async def kill_goes_down_the_calls_that_are_waited_for(world: World) -> None:
    raw = await world.raw(SERVICES, versions=(5, 6))
    key = world.key()
    identifier = await world.send(raw.path("S", "h"), "x")
    holder = await world.send(raw.path("O", "e", key), "x")
    first, second = await raw.attempt(), await raw.attempt()
    root, hold = (first, second) if first.invocation == identifier else (second, first)
    later = int(time.time() * 1000) + 3_600_000
    await root.write(
        call(raw.name("S"), "g", "child", (1, 2)), call(raw.name("O"), "f", "queued", (3, 4), key=key),
        send(raw.name("S"), "g", "sent", 5), send(raw.name("S"), "g", "late", 6, at=later),
        call(raw.name("S"), "g", "ended", (7, 8)),
    )  # fmt: skip
    ids = []
    while len(ids) < 5:
        heard = await root.read()
        if heard.name == "CallInvocationIdCompletion":
            ids.append(heard.result)
    child_id, queued_id, sent_id, late_id, ended_id = ids
    attempts = {}
    for _ in range(3):
        attempt = await raw.attempt()
        attempts[attempt.invocation] = attempt
    child, sent, ended = attempts[child_id], attempts[sent_id], attempts[ended_id]
    await ended.finish(output(b"ended"), END)
    await child.write(call(raw.name("S"), "g", "grandchild", (1, 2)))
    grandchild = await raw.attempt()
    waiting = asyncio.create_task(world.attach(child_id))
    await asyncio.sleep(1)
    equal((await root.read()).name, "CallCompletion")
    await outcomes(world, identifier, kill=200)
    for attempt in (root, child, grandchild):
        check(await attempt.was_cut(), "an attempt was not cut off")
    equal(json_error(await waiting), (409, 409, "killed", "invocation"))
    await ends(world, identifier, 409, "killed")
    await ends(world, child_id, 409, "killed")
    await ends(world, grandchild.invocation, 409, "killed")
    await gone(world, queued_id)
    await ends(world, ended_id, 200, b"ended")
    equal((await world.row(sent_id))["status"], "running", "what was sent lives on")
    equal((await world.row(late_id))["status"], "scheduled", "what was sent for later lives on")
    await sent.finish(output(b"sent"), END)
    await hold.finish(output(b"1"), END)
    await outcomes(world, late_id, kill=200)
    await ends(world, holder, 200, b"1")
    equal((await world.row(identifier)).get("completion_failure"), "[409] killed")


@once
async def whoever_is_killed_frees_its_object(world: World) -> None:
    raw = await world.raw(SERVICES, versions=(5, 6))
    for state in ("running", "suspended", "paused", "backing-off"):
        key = world.key()
        identifier = await world.send(raw.path("O", "e", key), "x")
        attempt = await raw.attempt()
        set_ = frame("SetState", {1: "a", 3: value(b"stays")})
        match state:
            case "running":
                await attempt.write(set_, frame("GetLazyState", {1: "a", 11: 1}))
                await attempt.read()
            case "suspended":
                await attempt.finish(set_, suspension([], [17]))
            case "paused":
                await attempt.write(set_, frame("GetLazyState", {1: "a", 11: 1}))
                await attempt.read()
                await outcomes(world, identifier, pause=202)
            case "backing-off":
                await attempt.finish(set_, error(500, "x", delay=3_600_000))
        await world.status(identifier, state)
        queued = await world.send(raw.path("O", "f", key), "x")
        equal((await world.row(queued))["status"], "pending", f"behind a {state} one")
        await outcomes(world, identifier, kill=200)
        attempt = await raw.attempt()
        equal(attempt.invocation, queued)
        equal([fields_of(entry) for entry in attempt.start.all(4)], [(b"a", b"stays")])
        await attempt.finish(frame("ClearAllState"), output(), END)
        await ends(world, identifier, 409, "killed")


# Pause and resume.


@once
async def what_arrives_at_a_paused_one_waits_for_it(world: World) -> None:
    raw = await world.raw(SERVICES, versions=(5, 6))
    identifier = await world.send(raw.path("S", "h"), "x")
    attempt = await raw.attempt()
    await attempt.write(sleep(int(time.time() * 1000) + 100, 1), call(raw.name("S"), "g", "", (2, 3)), run(4))
    child = await raw.attempt()
    await outcomes(world, identifier, pause=202)
    await attempt.read_all()
    await attempt.finish(proposal(4, b"step"), proposal(5, b"unknown"), output(b"late"), END)
    await child.finish(output(b"child"), END)
    url = f"{world.server.ingress}/restate/awakeables/sign_1{awakeable_id(attempt, 17)}/resolve"
    equal((await world.request("POST", url, "yes")).status, 202)
    await asyncio.sleep(0.3)
    equal((await world.row(identifier))["status"], "paused")
    await outcomes(world, identifier, purge=409, restart_as_new=409, pause=200, resume=200)
    attempt = await raw.attempt()
    expected = "Call CallCompletion CallInvocationIdCompletion Input Run RunCompletion Signal Sleep SleepCompletion"
    equal(" ".join(sorted(attempt.names)), expected, "the journal")
    equal(attempt.start.get(7, 0), 0, "the retry count")
    await attempt.finish(output(b"1"), END)
    await ends(world, identifier, 200, b"1")
    await outcomes(world, identifier, resume=409, pause=409)


@once
async def resume_ends_a_back_off_and_disturbs_nobody_else(world: World) -> None:
    raw = await world.raw(SERVICES, versions=(5, 6))
    identifier = await world.send(raw.path("S", "h"), "x")
    attempt = await raw.attempt()
    await outcomes(world, identifier, resume=200)
    await attempt.write(run(1), proposal(1, b"x"))
    equal((await attempt.read()).name, "RunCompletion", "the attempt goes on")
    answer = await world.operate(identifier, "resume", "?deployment=latest")
    equal(answer.status, 409, "another deployment for a running one")
    await attempt.finish(error(500, "x", delay=3_600_000))
    await world.status(identifier, "backing-off")
    await outcomes(world, identifier, resume=200)
    attempt = await raw.attempt()
    await attempt.finish(suspension([], [17]))
    await world.status(identifier, "suspended")
    await outcomes(world, identifier, resume=200)
    attempt = await raw.attempt()
    await attempt.finish(output(b"1"), END)
    await ends(world, identifier, 200, b"1")
    for operation in ("cancel", "kill", "pause", "resume", "purge", "purge-journal", "restart-as-new"):
        answer = await world.operate("inv_1" + "0" * 33, operation)
        equal(answer.status, 404, f"the status of {operation} of nobody")


@once
async def a_paused_one_may_be_moved_to_another_deployment(world: World) -> None:
    raw = await world.raw(SERVICES, versions=(5, 6))
    identifier = await world.send(raw.path("S", "h"), "x")
    attempt = await raw.attempt()
    # Nothing is pinned yet.
    await outcomes(world, identifier, pause=202)
    await world.status(identifier, "paused")
    equal((await world.operate(identifier, "resume", f"?deployment={raw.deployment}")).status, 409)
    equal((await world.operate(identifier, "resume", "?deployment=latest")).status, 200)
    attempt = await raw.attempt()
    await attempt.write(run(1), proposal(1, b"x"))
    await attempt.read()
    equal((await world.row(identifier))["pinned_deployment_id"], raw.deployment)
    await outcomes(world, identifier, pause=202)
    await world.status(identifier, "paused")
    other = await world.raw(SERVICES, versions=(5, 7), prefix=raw.prefix)
    newer = await world.raw({"X": ("S", {"h": None})}, versions=(7, 7))
    equal((await world.operate(identifier, "resume", f"?deployment={newer.deployment}")).status, 400, "another version")
    unknown = "?deployment=dp_1" + raw.deployment[4:][::-1]
    equal((await world.operate(identifier, "resume", unknown)).status, 400, "an unknown one")
    equal((await world.operate(identifier, "resume", "?deployment=latest")).status, 200)
    attempt = await other.attempt()
    equal(attempt.names, ["Input", "Run", "RunCompletion"])
    equal(attempt.headers["content-type"], "application/vnd.restate.invocation.v6", "the version stays")
    row = await world.row(identifier)
    equal((row["pinned_deployment_id"], row["pinned_service_protocol_version"]), (other.deployment, 6))
    await attempt.finish(output(b"1"), END)
    await ends(world, identifier, 200, b"1")


# Restart as new.


@once
async def a_restart_may_keep_a_part_of_the_journal(world: World) -> None:
    raw = await world.raw(SERVICES, versions=(5, 6))
    headers = {"idempotency-key": world.key(), "x-mine": "yes"}
    identifier = await world.send(raw.path("O", "e", world.key()), "in", headers)
    attempt = await raw.attempt()
    seed = attempt.start.get(9)
    due = int(time.time() * 1000) + 200
    # 0 Input, 1 Run, 2 its result, 3 Sleep, 4 SetState, 5 signal, 6 end of sleep
    await attempt.write(run(1, "r"), proposal(1, b"x"))
    await attempt.read()
    await attempt.write(sleep(due, 2), frame("SetState", {1: "a", 3: value(b"1")}), frame("GetLazyState", {1: "a", 11: 3}))
    equal((await attempt.read()).name, "GetLazyStateCompletion")
    url = f"{world.server.ingress}/restate/awakeables/sign_1{awakeable_id(attempt, 17)}/resolve"
    equal((await world.request("POST", url, "yes")).status, 202)
    equal([(await attempt.read()).name for _ in range(2)], ["Signal", "SleepCompletion"])
    await attempt.write(frame("ClearAllState"), run(4))
    await attempt.finish(fails(418, "ended"), END)
    await ends(world, identifier, 418, "ended")
    journal = ["Input", "Run", "RunCompletion", "Sleep", "SetState", "GetLazyState", "GetLazyStateCompletion", "Signal",
               "SleepCompletion", "ClearAllState", "Run", "Output"]  # fmt: skip
    expected = {
        0: journal[:1], 1: journal[:3], 2: journal[:3], 3: journal[:4] + ["SleepCompletion"],
        4: journal[:5] + ["SleepCompletion"], 5: journal[:7] + ["SleepCompletion"],
        7: journal[:8] + ["SleepCompletion"], 9: journal[:10],
    }  # fmt: skip
    for place, names in expected.items():
        answer = await world.operate(identifier, "restart-as-new", f"?from={place}")
        equal(answer.status, 200, f"the restart from {place} ({answer.message})")
        new = answer.json["new_invocation_id"]
        check(new != identifier and new[:16] == identifier[:16], f"the new id is {new}")
        attempt = await raw.attempt()
        equal((attempt.invocation, attempt.names), (new, names), f"the journal from {place}")
        check((attempt.start.get(9) == seed) == (place > 0), f"the seed from {place}")
        equal(attempt.start.all(4), [], "the state: commands are copied without effect")
        equal(attempt.start.get(7, 0), 0)
        row = await world.row(new)
        equal((row.get("idempotency_key"), row["invoked_by"]), (None, "restart_as_new"))
        equal(row.get("restarted_from"), identifier)
        equal(row["pinned_deployment_id"], raw.deployment)
        await attempt.finish(output(b"new"), END)
        await ends(world, new, 200, b"new")
    for place in (10, 11, 12, 1000):
        answer = await world.operate(identifier, "restart-as-new", f"?from={place}")
        equal(answer.status, 400, f"the restart from {place}: a step without its result, or beyond the end")
    await ends(world, identifier, 418, "ended")


@once
async def a_restart_is_refused_where_it_cannot_be(world: World) -> None:
    raw = await world.raw(SERVICES, versions=(5, 6))
    old = await world.raw(SERVICES, versions=(5, 5))
    flow = await world.send(raw.path("W", "run", "k"), "x")
    await (await raw.attempt()).finish(output(b"1"), END)
    await ends(world, flow, 200, b"1")
    await outcomes(world, flow, restart_as_new=422)
    shared = await world.send(raw.path("W", "s", "k"), "x")
    await (await raw.attempt()).finish(output(b"1"), END)
    await ends(world, shared, 200, b"1")
    await outcomes(world, shared, restart_as_new=422)
    fifth = await world.send(old.path("S", "h"), "x")
    await (await old.attempt()).finish(run(1), proposal(1, b"x"), output(b"1"), END)
    await ends(world, fifth, 200, b"1")
    equal((await world.operate(fifth, "restart-as-new", "?from=1")).status, 422, "a part of a journal of version 5")
    equal((await world.operate(fifth, "restart-as-new", "?from=0")).status, 200)
    await (await old.attempt()).finish(output(b"1"), END)
    equal((await world.operate(fifth, "restart-as-new", "?deployment=dp_1" + raw.deployment[4:][::-1])).status, 400)
    newer = await world.raw({"X": ("S", {"h": None})}, versions=(6, 7))
    equal((await world.operate(fifth, "restart-as-new", f"?deployment={newer.deployment}")).status, 400)
    await outcomes(world, fifth, purge_journal=200, restart_as_new=410)
    await ends(world, fifth, 200, b"1")
    # Nothing was ever pinned: the restart takes any deployment, and pins none.
    killed = await world.send(raw.path("S", "h"), "x")
    attempt = await raw.attempt()
    await outcomes(world, killed, kill=200)
    await ends(world, killed, 409, "killed")
    equal((await world.operate(killed, "restart-as-new", "?from=1")).status, 422)
    for deployment in ("keep", "latest", raw.deployment):
        answer = await world.operate(killed, "restart-as-new", f"?deployment={deployment}")
        equal(answer.status, 200, f"the restart with {deployment} ({answer.message})")
        attempt = await raw.attempt()
        equal((await world.row(attempt.invocation)).get("pinned_deployment_id"), None)
        await attempt.finish(output(b"1"), END)


@once
async def a_restart_waits_for_its_object(world: World) -> None:
    raw = await world.raw(SERVICES, versions=(5, 6))
    key = world.key()
    first = await world.send(raw.path("O", "e", key), "x")
    await (await raw.attempt()).finish(output(b"1"), END)
    await ends(world, first, 200, b"1")
    holder = await world.send(raw.path("O", "e", key), "x")
    hold = await raw.attempt()
    answer = await world.operate(first, "restart-as-new")
    new = answer.json["new_invocation_id"]
    equal((await world.row(new))["status"], "pending")
    await hold.finish(output(b"2"), END)
    attempt = await raw.attempt()
    equal(attempt.invocation, new)
    await attempt.finish(output(b"3"), END)
    await ends(world, new, 200, b"3")
    await ends(world, holder, 200, b"2")


# Re-used ids.


@once
async def a_former_life_does_not_reach_into_the_next(world: World) -> None:
    raw = await world.raw(SERVICES, versions=(5, 6))
    headers = {"idempotency-key": world.key()}
    target = raw.path("S", "h")
    identifier = await world.send(target, "x", headers)
    attempt = await raw.attempt()
    soon = int(time.time() * 1000) + 1000
    await attempt.write(sleep(soon, 1), call(raw.name("S"), "g", "", (2, 3)))
    child = await raw.attempt()
    await outcomes(world, identifier, kill=200)
    check(await child.was_cut(), "the child goes on")
    await outcomes(world, identifier, purge=200)
    equal(await world.send(target, "x", headers), identifier)
    attempt = await raw.attempt()
    await attempt.write(sleep(soon + 3_600_000, 1))
    try:
        stray = await attempt.read(within=1.5)
    except asyncio.TimeoutError:
        stray = None
    equal(stray, None, "what the new life heard")
    await attempt.finish(output(b"1"), END)
    await ends(world, identifier, 200, b"1")
