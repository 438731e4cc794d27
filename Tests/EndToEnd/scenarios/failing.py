"""Attempts that fail or hang: how often and when they are repeated, and what comes after the last one."""

import asyncio
import time
from email.utils import formatdate

from EndToEnd.endpoint import Raw
from EndToEnd.harness import World, check, equal, once, timed
from EndToEnd.scenarios.protocol import FAST, awakeable_id, failing
from EndToEnd.wire import END, call, error, output, proposal, run, suspension


def policy(initial: int, factor: float, most: int, attempts: int | None = None, last: str | None = None) -> dict:
    options: dict = {
        "retryPolicyInitialInterval": initial, "retryPolicyExponentiationFactor": factor, "retryPolicyMaxInterval": most,
    }  # fmt: skip
    if attempts is not None:
        options["retryPolicyMaxAttempts"] = attempts
    return options | ({"retryPolicyOnMaxAttempts": last} if last else {})


async def gaps(raw: Raw, failures: list) -> list[float]:
    """Fails one attempt after the other, and gives the times from each failure to the start behind it, in milliseconds."""
    times = []
    attempt = await raw.attempt()
    for failure in failures:
        begin = time.monotonic()
        await attempt.finish(failure)
        attempt = await raw.attempt()
        times.append((time.monotonic() - begin) * 1000)
    await attempt.finish(failures[-1])
    return times


@timed
async def retries_come_later_and_later_up_to_a_limit(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None}, policy(100, 3, 400, 5))}, versions=(5, 6))
    identifier = await world.send(raw.path("S", "h"))
    times = await gaps(raw, [error(500, f"{n}") for n in range(4)])
    for found, expected in zip(times, (100, 300, 400, 400)):
        check(expected <= found + 2 and found <= expected * 1.3 + 120, f"the delays were {times}")
    row = await world.status(identifier, "paused")
    equal((row.get("retry_count"), row.get("last_failure")), (None, None), "what SQL says of a paused one")
    events = await world.rows(f"SELECT event_type, event_json FROM sys_journal_events WHERE id = '{identifier}'")
    equal([e["event_type"] for e in events], ["TransientError"] * 4 + ["Paused"], "the events")
    check("3" in events[-1]["event_json"], "the last failure is missing")
    equal((await world.operate(identifier, "resume")).status, 200)
    await world.until("the first delay again", lambda: _gap(raw))
    await (await raw.attempt()).finish(output(b"1"), END)
    equal((await world.attach(identifier)).body, b"1")


async def _gap(raw: Raw) -> bool:
    attempt = await raw.attempt()
    equal(attempt.start.get(7, 0), 0, "the retry count behind a resume")
    begin = time.monotonic()
    await attempt.finish(error(500, "x"))
    attempt = await raw.attempt()
    found = (time.monotonic() - begin) * 1000
    await attempt.finish(error(500, "x", delay=1))
    check(98 <= found < 280, f"the delay was {found}")
    return True


@timed
async def a_handler_has_a_policy_of_its_own(world: World) -> None:
    """Each field by itself is the handler's, the service's or the server's; no attempts at all are one."""
    raw = await world.raw(
        {
            "S": ("S", {
                "h": (None, {"retryPolicyInitialInterval": 30, "retryPolicyMaxAttempts": 2}),
                "k": (None, {"retryPolicyOnMaxAttempts": "KILL", "retryPolicyMaxAttempts": 0}),
            }, policy(10_000, 1, 60_000, 9, "PAUSE")),
        },
        versions=(5, 6),
    )  # fmt: skip
    identifier = await world.send(raw.path("S", "h"))
    times = await gaps(raw, [error(500, "x")])
    check(times[0] < 300, f"the delay was {times}")
    await world.status(identifier, "paused")
    waiting = asyncio.create_task(world.try_call(raw.path("S", "k"), "x", {"idempotency-key": "k"}))
    await (await raw.attempt()).finish(error(519, "dead", more={3: "at line 1"}))
    answer = await waiting
    equal((answer.status, answer.json["code"], answer.message), (519, 519, "dead"))
    check("at line 1" in answer.body.decode(), f"whoever waited gets the stack trace, too: {answer.json}")
    again = await world.try_call(raw.path("S", "k"), "x", {"idempotency-key": "k"})
    equal((again.status, again.message), (519, "dead"))
    check("at line 1" not in again.body.decode(), "the stack trace was kept")
    row = await world.row(answer.headers["x-restate-id"])
    equal(row["completion_failure"], "[519] dead")


@once
async def the_last_error_ends_it_and_spares_its_callees(world: World) -> None:
    raw = await world.raw({"O": ("O", {"e": "E"}, policy(20, 1, 20, 2, "KILL")), "S": ("S", {"g": None})}, versions=(5, 6))
    key = world.key()
    identifier = await world.send(raw.path("O", "e", key))
    attempt = await raw.attempt()
    await attempt.finish(call(raw.name("S"), "g", "", (1, 2)), error(500, "first"))
    child, retry = await raw.attempt(), await raw.attempt()
    if "/e" in child.path:
        child, retry = retry, child
    queued = await world.send(raw.path("O", "e", key))
    await retry.finish(error(570, "journal mismatch"))
    answer = await world.attach(identifier)
    equal((answer.status, answer.json["code"], answer.message), (570, 570, "journal mismatch"))
    attempt = await raw.attempt()
    equal(attempt.invocation, queued, "who has the object")
    await attempt.finish(output(b"1"), END)
    equal((await world.row(child.invocation))["status"], "running")
    await child.finish(output(b"1"), END)


@once
async def progress_does_not_start_the_policy_again(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None}, policy(20, 1, 20, 3))}, versions=(5, 6))
    identifier = await world.send(raw.path("S", "h"))
    counts = []
    for number in range(3):
        attempt = await raw.attempt()
        counts.append(attempt.start.get(7, 0))
        await attempt.finish(run(number + 1), error(500, f"x{number}"))
    equal(counts, [0, 1, 1], "the retry counts that the SDK was told")
    await world.status(identifier, "paused")
    # A proposal is no progress to the SDK's count, but a suspension begins anew.
    raw = await world.raw({"S": ("S", {"h": None}, policy(20, 1, 20, 3))}, versions=(5, 6))
    identifier = await world.send(raw.path("S", "h"))
    await (await raw.attempt()).finish(run(1), error(500, "a"))
    attempt = await raw.attempt()
    equal(attempt.start.get(7), 1)
    await attempt.finish(proposal(1, b"x"), error(500, "b"))
    attempt = await raw.attempt()
    equal((attempt.start.get(7), attempt.names), (2, ["Input", "Run", "RunCompletion"]))
    await attempt.finish(suspension([], [17]))
    row = await world.status(identifier, "suspended")
    equal(row.get("retry_count"), None)
    url = f"{world.server.ingress}/restate/awakeables/sign_1{awakeable_id(attempt, 17)}/resolve"
    equal((await world.request("POST", url, "x")).status, 202)
    for number in range(3):
        attempt = await raw.attempt()
        equal(attempt.start.get(7, 0), number, "the retry count behind the suspension")
        row = await world.row(identifier)
        equal((row["status"], row["retry_count"]), ("running", number + 1), "the attempts in SQL")
        await attempt.finish(error(500, "c"))
    await world.status(identifier, "paused")


@timed
async def a_delay_of_its_own_is_kept_exactly_and_uses_up_nothing(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None}, policy(50_000, 1, 60_000, 1))}, versions=(5, 6))
    identifier = await world.send(raw.path("S", "h"))
    times = await gaps(raw, [error(500, "later", delay=200)] * 6 + [error(500, "now", delay=0)])
    check(all(199 <= found < 280 for found in times[:6]), f"the delays were {times}")
    check(times[6] < 100, f"no delay took {times[6]}")
    attempt = await raw.attempt()
    equal(attempt.start.get(7), 8, "the retry count")
    begin = time.monotonic()
    await attempt.refuse(503, {"retry-after": "1"})
    attempt = await raw.attempt()
    check(0.99 <= time.monotonic() - begin < 1.3, "retry-after in seconds was not kept")
    begin = time.monotonic()
    await attempt.refuse(429, {"retry-after": formatdate(time.time() + 2, usegmt=True)})
    attempt = await raw.attempt()
    check(0.9 <= time.monotonic() - begin < 2.4, "retry-after as a date was not kept")
    await attempt.refuse(503, {"retry-after": "soon"})
    await world.status(identifier, "paused")
    equal((await world.operate(identifier, "kill")).status, 200)


@once
async def an_sdk_may_say_what_is_to_be_done(world: World) -> None:
    for versions in ((7, 7), (5, 6)):
        raw = await world.raw({"S": ("S", {"h": None}, policy(20, 1, 20))}, versions=versions)
        identifier = await world.send(raw.path("S", "h"))
        await (await raw.attempt()).finish(error(500, "stop", delay=10, behavior=1))
        await world.status(identifier, "paused")
        equal((await world.operate(identifier, "resume")).status, 200)
        await (await raw.attempt()).finish(error(500, "unknown", behavior=77))
        await (await raw.attempt()).finish(error(500, "again", behavior=0))
        await (await raw.attempt()).finish(error(419, "for good", delay=10, behavior=2))
        answer = await world.attach(identifier)
        equal((answer.status, answer.message), (419, "for good"))


@once
async def equal_failures_are_one_event(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None}, policy(20, 1, 20, 6))}, versions=(5, 6))
    identifier = await world.send(raw.path("S", "h"))
    same, other = error(500, "a"), error(501, "a")
    for frames in ([same], [same], [run(1), same], [same], [other], [other]):
        await (await raw.attempt()).finish(*frames)
    await world.status(identifier, "paused")
    events = await world.rows(f"SELECT event_type FROM sys_journal_events WHERE id = '{identifier}'")
    equal([e["event_type"] for e in events], ["TransientError"] * 3 + ["Paused"], "the events")


@once
async def broken_connections_are_failed_attempts(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None}, FAST)}, versions=(5, 6))
    for http11 in (False, True):
        raw = await world.raw({"S": ("S", {"h": None}, FAST)}, versions=(5, 6), http11=http11)
        identifier = await world.send(raw.path("S", "h"))
        (await raw.attempt()).reset()
        await failing(world, identifier, "RT0010", f"error when calling '{raw.url}")
        attempt = await raw.attempt()
        await attempt.write(run(1))
        await asyncio.sleep(0.1)
        attempt.reset()
        attempt = await raw.attempt()
        row = await world.row(identifier)
        check("unexpected error while reading the response body" in row["last_failure"], row["last_failure"])
        equal((attempt.names, row["retry_count"]), (["Input", "Run"], 3))
        await attempt.finish(output(b"1"), END)
        equal((await world.attach(identifier)).body, b"1")


@timed
async def an_idle_attempt_is_asked_to_suspend_and_then_cut_off(world: World) -> None:
    times = {"inactivityTimeout": 400, "abortTimeout": 500}
    for options in ({}, {"http11": True}, {"mode": "REQUEST_RESPONSE", "http11": True}):
        raw = await world.raw({"S": ("S", {"h": None}, FAST | times)}, versions=(5, 6), **options)
        is_bidi = "mode" not in options
        identifier = await world.send(raw.path("S", "h"))
        attempt = await raw.attempt()
        begin = time.monotonic()
        if is_bidi:
            # Each message starts the time again, in both directions.
            for number in range(3):
                await asyncio.sleep(0.25)
                await attempt.write(run(number + 1))
            url = f"{world.server.ingress}/restate/awakeables/sign_1{awakeable_id(attempt, 17)}/resolve"
            await asyncio.sleep(0.25)
            equal((await world.request("POST", url, "x")).status, 202)
            equal((await attempt.read()).name, "Signal")
            equal(await attempt.read(), None, "the end of the request")
            check(1.35 <= time.monotonic() - begin < 1.9, f"the request ended after {time.monotonic() - begin:.2f} s")
        else:
            equal(await attempt.read(), None)
        # What comes behind the half-close puts the end off, too.
        begin = time.monotonic()
        await asyncio.sleep(0.3)
        await attempt.write(run(9))
        # The next attempt has all the time that it wants.
        answer = await world.admin("PATCH", f"/services/{raw.name('S')}", {"abort_timeout": "1m"})
        equal(answer.status, 200)
        if options:
            # That it is overdue counts as soon as its response has ended.
            await asyncio.sleep(0.8)
            await attempt.finish(output(b"late"), END)
        else:
            check(await attempt.was_cut(), "it was not cut off")
            check(5.75 <= time.monotonic() - begin < 6.3, f"it was cut off after {time.monotonic() - begin:.2f} s")
        text = "the invocation stream was closed after the 'abort timeout' (500ms) fired."
        row = await failing(world, identifier, "RT0001", text)
        attempt = await raw.attempt()
        equal(attempt.names[-1], "Run")
        # An SDK that suspends in time is suspended.
        while await attempt.read() is not None:
            pass
        await attempt.finish(suspension([], [18]))
        await world.status(identifier, "suspended")
        equal((await world.operate(identifier, "kill")).status, 200)
        check(row["retry_count"] >= 1, "the abort is not counted")


@timed
async def aborts_use_up_the_policy(world: World) -> None:
    options = policy(20, 1, 20, 2) | {"inactivityTimeout": 50, "abortTimeout": 100}
    raw = await world.raw({"S": ("S", {"h": None}, options)}, versions=(5, 6))
    identifier = await world.send(raw.path("S", "h"))
    for _ in range(2):
        check(await (await raw.attempt()).was_cut(), "it was not cut off")
    await world.status(identifier, "paused")
    equal((await world.operate(identifier, "kill")).status, 200)


@timed
async def timeouts_can_be_changed_for_the_next_attempt(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None}, FAST)}, versions=(5, 6))
    identifier = await world.send(raw.path("S", "h"))
    attempt = await raw.attempt()
    shorter = {"inactivity_timeout": "100ms", "abort_timeout": "150ms"}
    answer = await world.admin("PATCH", f"/services/{raw.name('S')}", shorter)
    equal(answer.status, 200)
    try:
        early = await attempt.read(0.5)
    except asyncio.TimeoutError:
        early = "nothing"
    equal(early, "nothing", "what the running attempt heard")
    await attempt.finish(error(500, "x"))
    attempt = await raw.attempt()
    equal(await attempt.read(), None, "the end of the request")
    check(await attempt.was_cut(), "it was not cut off")
    await (await raw.attempt()).finish(output(b"1"), END)
    equal((await world.attach(identifier)).body, b"1")


@timed
async def a_new_registration_brings_a_new_policy(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None}, policy(60_000, 1, 60_000))}, versions=(5, 6))
    identifier = await world.send(raw.path("S", "h"))
    await (await raw.attempt()).finish(error(500, "x"))
    await world.status(identifier, "backing-off")
    raw.manifest["services"][0] |= policy(30, 1, 30, 3)
    answer = await world.admin("POST", "/deployments", {"uri": raw.url, "force": True})
    equal(answer.status, 200)
    equal((await world.operate(identifier, "resume")).status, 200)
    for _ in range(2):
        await (await raw.attempt()).finish(error(500, "x"))
    await world.status(identifier, "paused")
    equal((await world.operate(identifier, "kill")).status, 200)


@timed
async def work_floats_until_something_is_durable(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None, "old": None}, FAST)}, versions=(5, 6))
    floating, pinned = await world.send(raw.path("S", "h")), await world.send(raw.path("S", "h"))
    for _ in range(2):
        attempt = await raw.attempt()
        await attempt.finish(*([run(1)] if attempt.invocation == pinned else []), error(500, "x", delay=700))
    await world.status(pinned, "backing-off")
    await world.status(floating, "backing-off")
    other = await world.raw({"S": ("S", {"h": None}, FAST)}, versions=(7, 7), prefix=raw.prefix)
    there = await other.attempt()
    equal(there.invocation, floating)
    equal(there.headers["content-type"], "application/vnd.restate.invocation.v7")
    here = await raw.attempt()
    equal((here.invocation, here.headers["content-type"]), (pinned, "application/vnd.restate.invocation.v6"))
    await there.finish(output(b"1"), END)
    # Its deployment goes: it cannot go on until it is moved or the deployment comes back.
    check((await world.admin("DELETE", f"/deployments/{raw.deployment}")).status in (409, 501), "it goes without force")
    equal((await world.admin("DELETE", f"/deployments/{raw.deployment}?force=true")).status, 202)
    await here.finish(error(500, "again"))
    await world.until("RT0011", lambda: _has_code(world, pinned, "RT0011"))
    equal((await world.operate(pinned, "pause")).status, 202)
    equal((await world.operate(pinned, "resume", "?deployment=latest")).status, 400, "a version that it does not speak")
    equal((await world.operate(pinned, "kill")).status, 200)


async def _has_code(world: World, identifier: str, code: str) -> bool:
    return (await world.row(identifier)).get("last_failure_error_code") == code


@once
async def the_service_of_a_waiting_one_may_go(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None}, FAST)}, versions=(5, 6))
    identifier = await world.send(raw.path("S", "h"), delay="300ms")
    equal((await world.admin("DELETE", f"/deployments/{raw.deployment}?force=true")).status, 202)
    equal((await world.try_call(raw.path("S", "h"))).status, 404)
    await failing(world, identifier, "RT0011", "no deployment was found to process the invocation")
    answer = await world.admin("POST", "/deployments", {"uri": raw.url})
    equal(answer.status, 201)
    attempt = await raw.attempt()
    equal(attempt.start.get(7, 0), 0, "attempts that never reached the SDK do not count")
    await attempt.finish(output(b"1"), END)
    equal((await world.attach(identifier)).body, b"1")


@timed
async def steps_are_limited_by_the_time_since_the_journal_grew(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None}, policy(150, 1, 150))}, versions=(5, 6))
    identifier = await world.send(raw.path("S", "h"))
    attempt = await raw.attempt()
    await attempt.finish(run(1), error(500, "x"))
    millis = []
    for _ in range(3):
        attempt = await raw.attempt()
        millis.append(attempt.start.get(8, 0))
        await attempt.finish(error(500, "x"))
    check(140 <= millis[0] < 400 and millis[0] + 140 <= millis[1] and millis[1] + 140 <= millis[2], f"{millis}")
    await (await raw.attempt()).finish(output(b"1"), END)
    equal((await world.attach(identifier)).body, b"1")


@once
async def paused_while_it_backs_off_it_goes_on_showing_why(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None}, policy(60_000, 1, 60_000))}, versions=(5, 6))
    identifier = await world.send(
        raw.path("S", "h"), headers={"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    )
    await (await raw.attempt()).finish(error(500, "no"))
    before = await world.status(identifier, "backing-off")
    equal((await world.operate(identifier, "pause")).status, 202)
    paused = await world.status(identifier, "paused")
    for column in ("retry_count", "next_retry_at", "last_failure", "last_failure_error_code"):
        equal(paused.get(column), before[column], f"the column {column} after the pause")
    events = await world.rows(
        f"SELECT event_type, event_json ->> 'last_failure' AS failure FROM sys_journal_events WHERE id = '{identifier}'"
    )
    equal([event["event_type"] for event in events], ["TransientError", "Paused"])
    check("no" in events[1].get("failure", ""), f"the pause does not say why: {events[1]}")
    rows = await world.rows(f"SELECT trace_id FROM sys_invocation WHERE id = '{identifier}'")
    equal(rows, [{"trace_id": "0af7651916cd43dd8448eb211c80319c"}])
    equal((await world.operate(identifier, "resume")).status, 200)
    await (await raw.attempt()).finish(output(b"1"), END)
    equal((await world.attach(identifier)).body, b"1")
    ended = await world.status(identifier, "completed")
    check("last_failure" not in ended, f"an ended invocation shows {ended}")
    equal(await world.rows(f"SELECT id FROM sys_invocation_state WHERE id = '{identifier}'"), [])
