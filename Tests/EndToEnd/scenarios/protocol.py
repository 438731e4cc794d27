"""The service protocol frame by frame: what the server sends an SDK, and what it makes of what an SDK sends."""

import asyncio
import base64
import time

from EndToEnd.endpoint import Raw, manifest
from EndToEnd.harness import World, check, equal, once, timed
from EndToEnd.wire import (
    ACK,
    END,
    call,
    error,
    failure,
    fields,
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

FAST = {"retryPolicyInitialInterval": 20, "retryPolicyMaxInterval": 200, "retryPolicyExponentiationFactor": 1.5}


async def failing(world: World, identifier: str, code: str, *texts: str) -> dict:
    """Waits until the invocation backs off after a failure with the documented code, whose text has the given parts."""

    async def look():
        row = await world.row(identifier)
        return row if row.get("last_failure") else None

    row = await world.until("a failure", look)
    equal(row.get("last_failure_error_code"), code, f"the code of {row['last_failure']!r}")
    for text in texts:
        check(text in row["last_failure"], f"{text!r} is not in {row['last_failure']!r}")
    return row


async def refused(world: World, raw: Raw, target: str, frames: list, code: str, *texts: str) -> None:
    """The frames fail the attempt; the next one goes on without them."""
    identifier = await world.send(target, "x")
    attempt = await raw.attempt()
    await attempt.write(*frames)
    await failing(world, identifier, code, *texts)
    check(await attempt.was_cut(), "the attempt was not cut off")
    again = await raw.attempt()
    equal(again.names, ["Input"], "the journal of the next attempt")
    await again.finish(output(b'"ok"'), END)
    equal((await world.attach(identifier)).json, "ok")


@once
async def an_attempt_begins_with_start_and_the_journal(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None}), "O": ("O", {"e": "E", "s": "S"})}, versions=(5, 6))
    identifier = await world.send(raw.path("S", "h"), "hi", headers={"x-mine": "yes"})
    attempt = await raw.attempt()
    start = attempt.start
    equal(attempt.invocation, identifier)
    equal(attempt.headers["content-type"], "application/vnd.restate.invocation.v6")
    equal(attempt.headers["accept"], "application/vnd.restate.invocation.v6")
    check("x-restate-service-key" not in attempt.headers, "a service has no key")
    equal(attempt.headers.get("x-restate-cluster-name"), "localcluster")
    equal(attempt.path.split("/", 2)[2], f"invoke/{raw.name('S')}/h")
    equal(len(start.get(1)), 24, "the length of the binary id")
    equal(start.get(2), identifier.encode(), "the id for people")
    equal((start.get(3), start.get(5, 0), start.get(6, b""), start.all(4)), (1, 1, b"", []))
    equal(start.get(7, 0), 0, "the retry count")
    check(start.get(9) is not None, "there is no random seed")
    equal([start.get(10), start.get(11), start.get(12)], [None] * 3, "fields of version 7")
    equal(attempt.entries[0].get(14), b"\x0a\x04\"hi\"", "the value of the input")
    headers = {fields(h)[1][0]: fields(h)[2][0] for h in attempt.entries[0].all(1)}
    equal(headers.get(b"x-mine"), b"yes")
    await attempt.write(output(b'"ho"'), END)
    equal(await attempt.read_all(), [], "what comes behind the end")
    await attempt.end()
    equal((await world.attach(identifier)).json, "ho")

    key = "k/ä ?"
    identifier = await world.send(raw.path("O", "e", "k%2F%C3%A4%20%3F"))
    attempt = await raw.attempt()
    equal(attempt.headers["x-restate-service-key"], "k%2F%C3%A4%20%3F")
    equal((attempt.start.get(6).decode(), attempt.start.get(5, 0)), (key, 0), "the key, and whether state is partial")
    await attempt.finish(output(), END)
    equal((await world.attach(identifier)).body, b"")


@once
async def version_7_tells_the_idempotency_key(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None}), "W": ("W", {"run": "W"})}, versions=(7, 9))
    identifier = await world.send(raw.path("S", "h"), "x", headers={"idempotency-key": "mine"})
    attempt = await raw.attempt()
    equal(attempt.headers["content-type"], "application/vnd.restate.invocation.v7")
    equal(attempt.start.get(12), b"mine")
    # A run's identity is the workflow's key: a key that a handler adds is ignored.
    await attempt.write(
        call(raw.name("W"), "run", "", (1, 2), key="w", idempotency="ignored"), frame("AwaitingOn", {1: future(1, [2])})
    )
    equal((await attempt.read()).name, "CallInvocationIdCompletion")
    there = await raw.attempt()
    equal(there.start.get(12), None, "the idempotency key of a run")
    equal((await world.row(there.invocation)).get("idempotency_key"), None)
    await there.finish(output(b"1"), END)
    equal((await attempt.read()).result, b"1")
    await attempt.finish(output(b'"done"'), END)
    equal((await world.attach(identifier)).json, "done")


@once
async def what_ends_an_attempt_ends_its_request(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None}, FAST)}, versions=(5, 6))
    for last in ([output(), END], [error(500, "no")], [sleep(1, 1), suspension([1], [1])]):
        await world.send(raw.path("S", "h"))
        attempt = await raw.attempt()
        await attempt.write(*last)
        rest = await attempt.read_all(within=3)
        check(all(f.name == "SleepCompletion" for f in rest), f"{rest} came behind the last word")
        # What still comes counts for nothing.
        await attempt.finish(output(b"late"), END)
        if last[-1] is not END:
            again = await raw.attempt()
            check("Output" not in again.names, f"the journal has {again.names}")
            await again.finish(output(), END)


@once
async def commands_are_acknowledged_if_asked_for(world: World) -> None:
    raw = await world.raw({"O": ("O", {"e": "E"})}, versions=(5, 6))
    identifier = await world.send(raw.path("O", "e", "k"))
    attempt = await raw.attempt()
    await attempt.write(frame("SetState", {1: "a", 3: value(b"1")}), frame("SetState", {1: "b", 3: value()}, ACK))
    ack = await attempt.read()
    equal((ack.name, ack.get(1)), ("CommandAck", 2))
    await attempt.write(frame("GetLazyState", {1: "b", 11: 1}, ACK))
    frames = [await attempt.read() for _ in range(2)]
    equal(sorted(f.name for f in frames), ["CommandAck", "GetLazyStateCompletion"])
    completion = next(f for f in frames if f.name != "CommandAck")
    equal(completion.payload, bytes.fromhex("0801" "2a00"), "an empty value")
    await attempt.write(frame("GetLazyState", {1: "nothing", 11: 2}))
    equal((await attempt.read()).payload, bytes.fromhex("0802" "2200"), "void")
    await attempt.write(frame("GetLazyStateKeys", {11: 3}), frame("ClearAllState"), frame("GetLazyStateKeys", {11: 4}))
    equal([(await attempt.read()).result for _ in range(2)], [[b"a", b"b"], []], "the keys before and after")
    await attempt.finish(output(), END)
    equal((await world.attach(identifier)).status, 200)


@once
async def a_step_is_answered_as_its_version_wants(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None}, FAST)}, versions=(5, 7))
    identifier = await world.send(raw.path("S", "h"))
    attempt = await raw.attempt()
    await attempt.write(run(1, "a"), proposal(1, b"one", ACK), run(2), proposal(2, failure(418, "no", {"k": "v"})))
    ack, full = await attempt.read(), await attempt.read()
    equal((ack.name, ack.get(1)), ("ProposeRunCompletionAck", 1))
    equal((full.name, full.completion, full.result), ("RunCompletion", 2, (418, "no")))
    await attempt.write(run(3), proposal(3, b""))
    equal((await attempt.read()).payload, bytes.fromhex("0803" "2a00"), "the empty result of a step")
    await attempt.finish(error(500, "again"))
    again = await raw.attempt()
    equal(again.names, ["Input"] + ["Run", "RunCompletion"] * 3)
    equal([entry.result for entry in again.entries if entry.name == "RunCompletion"], [b"one", (418, "no"), b""])
    equal(again.start.get(7, 0), 1, "the retry count")
    await again.finish(output(), END)
    equal((await world.attach(identifier)).status, 200)
    old = await world.raw({"S": ("S", {"h": None}, FAST)}, versions=(5, 6))
    await world.send(old.path("S", "h"))
    attempt = await old.attempt()
    await attempt.write(run(1), proposal(1, b"one", ACK))
    answer = await attempt.read()
    equal((answer.name, answer.result), ("RunCompletion", b"one"), "the answer to a flag in version 6")
    await attempt.finish(output(), END)


@once
async def a_proposal_without_a_result_is_refused(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None}, FAST)})
    for version in ((5, 6), (7, 7)):
        raw = await world.raw({"S": ("S", {"h": None}, FAST)}, versions=version)
        identifier = await world.send(raw.path("S", "h"))
        attempt = await raw.attempt()
        await attempt.write(run(1), frame("ProposeRunCompletion", {1: 1}))
        await failing(world, identifier, "RT0012")
        again = await raw.attempt()
        equal(again.names, ["Input", "Run"], "what was before it is kept")
        await again.finish(output(), END)


@once
async def what_an_sdk_must_not_send_fails_the_attempt(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None}, FAST)}, versions=(5, 6))
    wrong = [
        frame("Start", {2: "x"}), frame("CommandAck", {1: 1}), frame("ProposeRunCompletionAck", {1: 1}),
        frame("Input", {14: value(b"x")}), frame("SleepCompletion", {1: 1, 4: b""}), frame("Signal", {2: 17, 4: b""}),
        frame(0x0999), frame(0x8099), frame(0xFC01), frame(0x040F), frame(0x00FF, {1: 1}),
    ]  # fmt: skip
    for one in wrong:
        await refused(world, raw, raw.path("S", "h"), [one], "RT0012", "received")
    await refused(world, raw, raw.path("S", "h"), [frame("AwaitingOn")], "RT0012")
    await refused(world, raw, raw.path("S", "h"), [frame("AwaitingOn", {1: {}})], "RT0012")
    await refused(world, raw, raw.path("S", "h"), [frame("Suspension")], "RT0012")
    for undecodable in (frame("SetState", b"\xff"), frame("Sleep", b"\x0a\x05ab"), frame("Output", b"\x72\x05\x0a\x09a")):
        await refused(world, raw, raw.path("S", "h"), [undecodable], "RT0012", "decod")


@once
async def fields_and_flags_that_nobody_knows_are_ignored(world: World) -> None:
    raw = await world.raw({"O": ("O", {"e": "E"}, FAST)}, versions=(5, 6))
    identifier = await world.send(raw.path("O", "e", "k"))
    attempt = await raw.attempt()
    await attempt.write(
        frame("SetState", {1: "a", 3: {1: b"1", 99: "new"}, 77: 5, 78: "text"}, 0x0F0F & ~ACK),
        frame("Output", {14: {1: b"2", 9: 9}, 1000: {1: 1}}, 0x0001), frame("End", {1: 1}),
    )  # fmt: skip
    await attempt.end()
    equal((await world.attach(identifier)).body, b"2")


@once
async def odd_deliveries_of_frames_are_read(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None}, FAST)}, versions=(5, 6))
    identifier = await world.send(raw.path("S", "h"))
    attempt = await raw.attempt()
    for byte in bytes(run(1, "a")) + bytes(proposal(1, b"x")):
        await attempt.raw(bytes([byte]))
    equal((await attempt.read()).result, b"x")
    # The head of the response comes with the last frame, and nothing behind the end counts.
    await attempt.write(output(b"7"), END, output(b"8"), END)
    await attempt.end()
    equal((await world.attach(identifier)).body, b"7")


@once
async def a_stream_that_just_ends_is_a_failed_attempt(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None}, FAST)}, versions=(5, 6))
    identifier = await world.send(raw.path("S", "h"))
    attempt = await raw.attempt()
    await attempt.end()
    row = await failing(world, identifier, "RT0007", "[500", "unknown")
    attempt = await raw.attempt()
    await attempt.raw(bytes(output(b"12345"))[:-2])
    await attempt.end()
    attempt = await raw.attempt()
    equal(attempt.names, ["Input"])
    await attempt.finish(output(b'"whole"'))
    attempt = await raw.attempt()
    equal(attempt.names, ["Input", "Output"], "an output without an end is stored")
    await attempt.finish(END)
    equal((await world.attach(identifier)).json, "whole")
    check(row["retry_count"] >= 1, "the retries are not counted")


@timed
async def a_response_that_never_ends_is_cut_off(world: World) -> None:
    """It has five seconds for what nobody reads; neither its invocation nor the next attempt waits for that."""
    raw = await world.raw({"S": ("S", {"h": None}, FAST)}, versions=(5, 6))
    identifier = await world.send(raw.path("S", "h"))
    failed = await raw.attempt()
    await failed.head(404, {})
    attempt = await raw.attempt()
    begin = time.monotonic()
    await attempt.write(output(b"1"), END)
    equal((await world.attach(identifier)).body, b"1")
    check(time.monotonic() - begin < 3, "the result waited for the end of the response")
    check(await attempt.was_cut() and await failed.was_cut(), "it was not cut off")
    check(4.5 <= time.monotonic() - begin < 8, f"it was cut off after {time.monotonic() - begin:.1f} s")


@once
async def the_head_of_a_response_is_checked(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None}, FAST)}, versions=(5, 6))
    v6 = "application/vnd.restate.invocation.v6"
    cases = [
        (502, {}, "RT0010", "service is temporary unavailable '502 Bad Gateway'"),
        (504, {}, "RT0010", "service is temporary unavailable '504 Gateway Timeout'"),
        (503, {}, "RT0023", "service is rate limited due to '503 Service Unavailable'"),
        (429, {"content-type": v6}, "RT0023", "service is rate limited due to '429 Too Many Requests'"),
        (415, {}, "RT0015", "[415", "doesn't support the protocol version '6' negotiated at discovery time"),
        (413, {}, "RT0019", "service replied with content too large"),
        (404, {}, "RT0012", "unexpected http status code: 404 Not Found"),
        (500, {"content-type": v6}, "RT0012", "unexpected http status code: 500 Internal Server Error"),
        (571, {"content-type": v6}, "RT0012", "unexpected http status code: 571"),
        (302, {"location": "/"}, "RT0012", "unexpected http status code: 302 Found"),
        (200, {}, "RT0012", "unexpected content type 'None'; expected content type '\"" + v6 + "\"'"),
        (200, {"content-type": "text/plain"}, "RT0012", "unexpected content type 'Some(\"text/plain\")'"),
        (200, {"content-type": v6 + ";x=1"}, "RT0012", "unexpected content type"),
        (200, {"content-type": v6.replace("6", "5")}, "RT0012", "unexpected content type"),
    ]  # fmt: skip
    for status, headers, code, *texts in cases:
        identifier = await world.send(raw.path("S", "h"))
        attempt = await raw.attempt()
        await attempt.refuse(status, headers, bytes(output(b"no")) + bytes(END))
        await failing(world, identifier, code, *texts)
        again = await raw.attempt()
        equal(again.start.get(7, 0), 0 if status == 415 else 1, f"the retry count after {status}")
        await again.finish(output(b"1"), END)
        equal((await world.attach(identifier)).body, b"1")


@once
async def a_response_may_have_any_success_status(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None}, FAST)}, versions=(5, 6))
    identifier = await world.send(raw.path("S", "h"))
    attempt = await raw.attempt()
    await attempt.head(201, {"content-type": attempt.headers["content-type"]})
    await attempt.finish(output(b"1"), END)
    equal((await world.attach(identifier)).body, b"1")


@once
async def frames_beyond_the_limit_fail_the_attempt(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None}, FAST)}, versions=(5, 6))
    identifier = await world.send(raw.path("S", "h"))
    attempt = await raw.attempt()
    await attempt.raw(b"\x04\x01\x00\x00" + (64 << 20).to_bytes(4, "big") + b"x" * 1000)
    await failing(world, identifier, "RT0003", "message")
    await (await raw.attempt()).finish(output(b"1"), END)
    equal((await world.attach(identifier)).body, b"1")
    # An output of exactly the limit has a few bytes around it, which are let through.
    identifier = await world.send(raw.path("S", "h"))
    attempt = await raw.attempt()
    await attempt.finish(output(bytes(32 << 20)), END)
    equal(len((await world.attach(identifier)).body), 32 << 20)


@once
async def a_request_of_exactly_the_limit_reaches_its_handler(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None}, FAST)}, versions=(5, 6))
    body = bytes(32 << 20)
    answer = await world.request(
        "POST", f"{world.server.ingress}/{raw.path('S', 'h')}/send", body, {"content-type": "application/octet-stream"}
    )
    equal(answer.status, 202)
    attempt = await raw.attempt()
    equal(len(attempt.entries[0].get(14)), len(body) + 5, "the length of the input's value")
    await attempt.finish(output(b"1"), END)
    equal((await world.attach(answer.json["invocationId"])).body, b"1")


@once
async def commands_in_the_wrong_place_fail_the_attempt(world: World) -> None:
    raw = await world.raw(
        {
            "S": ("S", {"h": None}, FAST), "O": ("O", {"e": "E", "s": "S"}, FAST),
            "W": ("W", {"run": "W", "s": "S"}, FAST),
        },
        versions=(5, 6),
    )  # fmt: skip
    service, shared = raw.path("S", "h"), raw.path("O", "s", "k")
    reads = [
        frame("GetLazyState", {1: "a", 11: 1}), frame("GetLazyStateKeys", {11: 1}),
        frame("GetEagerState", {1: "a", 13: b""}), frame("GetEagerStateKeys", {14: {}}),
    ]  # fmt: skip
    writes = [frame("SetState", {1: "a", 3: value()}), frame("ClearState", {1: "a"}), frame("ClearAllState")]
    promises = [
        frame("GetPromise", {1: "p", 11: 1}), frame("PeekPromise", {1: "p", 11: 1}),
        frame("CompletePromise", {1: "p", 2: value(), 11: 1}),
    ]  # fmt: skip
    for one in reads + writes:
        text = f"cannot process command Command: {one.name} (command index 1) because of a failed precondition: "
        await refused(
            world, raw, service, [one], "RT0017",
            text + "unsupported entry type, this service type doesn't have state access",
        )
    for one in writes:
        for target in (shared, raw.path("W", "s", "k")):
            text = "unsupported entry type, this handler type cannot write state"
            await refused(world, raw, target, [one], "RT0017", text)
    for one in promises:
        for target in (service, shared, raw.path("O", "e", "k")):
            text = "unsupported entry type, only Workflow services support it"
            await refused(world, raw, target, [one], "RT0017", text)
    not_utf8 = frame("SetState", {1: b"\xff", 3: value(b"1")})
    await refused(world, raw, raw.path("O", "e", "k"), [not_utf8], "RT0012")


@once
async def calls_that_cannot_be_made_fail_the_attempt(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None}, FAST), "O": ("O", {"e": "E"}, FAST)}, versions=(5, 7))
    target, s, o = raw.path("S", "h"), raw.name("S"), raw.name("O")
    for make, index in ((lambda *a, **k: call(*a, (1, 2), **k), 1), (lambda *a, **k: send(*a, 1, **k), 1)):
        kind = make(s, "h", "").name
        text = f"cannot process command Command: {kind} (command index {index}) because of a failed precondition: "
        for service, handler in (("Nobody", "h"), (s, "nothing")):
            unknown = text + f"the service handler {service}/{handler} was not found"
            await refused(world, raw, target, [make(service, handler, "")], "RT0018", unknown)
        await refused(
            world, raw, target, [make(s, "h", "", key="k")], "RT0017",
            f"a key was provided, but the callee '{s}' is a Service. Only VirtualObjects or Workflows accept a key",
        )  # fmt: skip
        await refused(
            world, raw, target, [make(s, "h", "", idempotency="")], "RT0017",
            text + "the idempotency key provided in the request is empty",
        )  # fmt: skip
        await refused(
            world, raw, target, [make(s, "h", "", scope="a")], "RT0024",
            text + "scoped invocations require flow control experimental feature to be enabled",
        )  # fmt: skip
        await refused(
            world, raw, target, [make(s, "h", "", limit_key="a")], "RT0024",
            text + "limit key was provided without a scope. Limit keys take effect only when used in combination with scope",
        )  # fmt: skip
    # An empty scope is none, and an object's key may be empty.
    identifier = await world.send(target, "x")
    attempt = await raw.attempt()
    await attempt.write(call(s, "h", "", (1, 2), scope=""), call(o, "e", "", (3, 4)))
    for _ in range(2):
        there = await raw.attempt()
        await there.finish(output(b"1"), END)
    await attempt.finish(output(b"1"), END)
    equal((await world.attach(identifier)).body, b"1")


@once
async def ids_that_are_none_fail_the_attempt(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None}, FAST)}, versions=(5, 6))
    target = raw.path("S", "h")
    for name in ("AttachInvocation", "GetInvocationOutput"):
        text = "invalid invocation id foo: bad format"
        await refused(world, raw, target, [frame(name, {1: "foo", 11: 1})], "RT0017", text)
        for scoped in ({4: {1: "W", 2: "k", 3: "a b"}}, {3: {1: "S", 3: "h", 4: "k", 5: "ä"}}):
            await refused(world, raw, target, [frame(name, scoped | {11: 1})], "RT0017", "invalid scope")
    await refused(
        world, raw, target, [signal("foo", 17)], "RT0012",
        'cannot decode entry: decoding error: BadFieldError("target_invocation_id"',
    )  # fmt: skip
    await refused(
        world, raw, target, [frame("CompleteAwakeable", {1: "foo", 2: value()})], "RT0012",
        'cannot decode entry: decoding error: InvalidAwakeableId("foo"',
    )  # fmt: skip


@once
async def a_mismatch_is_retried_and_told_to_operators(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None}, FAST)}, versions=(5, 6))
    for code, documented in ((570, "RT0016"), (571, "RT0012"), (572, "RT0007"), (573, "RT0007"), (500, "RT0007")):
        identifier = await world.send(raw.path("S", "h"))
        attempt = await raw.attempt()
        more = {3: "at line 1", 4: 0, 5: "my step", 6: 0x0411}
        await attempt.finish(run(1, "my step"), error(code, "the journal differs", more=more))
        row = await failing(world, identifier, documented, f"[{code}", "the journal differs")
        equal(row.get("last_failure_related_command_index"), 0)
        equal(row.get("last_failure_related_command_name"), "my step")
        check("Run" in row.get("last_failure_related_command_type", ""), "the related command's type is missing")
        await (await raw.attempt()).finish(output(b"1"), END)
        equal((await world.attach(identifier)).body, b"1")


@once
async def a_duplicate_completion_does_no_harm(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None}, FAST)}, versions=(5, 6))
    identifier = await world.send(raw.path("S", "h"))
    attempt = await raw.attempt()
    await attempt.write(run(1), proposal(1, b"first"), proposal(1, b"second"), proposal(9, b"of no step"))
    equal([(await attempt.read()).result for _ in range(3)], [b"first", b"second", b"of no step"])
    await attempt.finish(error(500, "again"))
    again = await raw.attempt()
    equal(again.names, ["Input", "Run", "RunCompletion", "RunCompletion", "RunCompletion"])
    await again.finish(output(b"1"), END)
    equal((await world.attach(identifier)).body, b"1")


@once
async def an_end_without_an_output_is_a_failure(world: World) -> None:
    raw = await world.raw({"S": ("S", {"h": None}, FAST), "O": ("O", {"e": "E"}, FAST)}, versions=(5, 6))
    for target in (raw.path("S", "h"), raw.path("O", "e", "k")):
        waiting = asyncio.create_task(world.try_call(target, "x"))
        await (await raw.attempt()).finish(END)
        equal((await waiting).status, 500)
    later = asyncio.create_task(world.try_call(raw.path("O", "e", "k"), "x"))
    await (await raw.attempt()).finish(output(b"1"), output(b"2"), END)
    equal((await later).body, b"2", "the last of two outputs")


@once
async def very_many_entries_are_replayed(world: World) -> None:
    raw = await world.raw({"O": ("O", {"e": "E"}, FAST)}, versions=(5, 6))
    identifier = await world.send(raw.path("O", "e", "k"))
    attempt = await raw.attempt()
    for group in range(20):
        await attempt.write(*(frame("SetState", {1: f"k{n % 7}", 3: value(str(group * 500 + n))}) for n in range(500)))
    await attempt.write(frame("GetLazyState", {1: "k0", 11: 1}))
    equal((await attempt.read()).result, b"9997")
    await attempt.finish(error(500, "again"))
    again = await raw.request()
    start = await again.replayed()
    equal(start.get(3), 10_003, "the known entries")
    equal([entry.get(3) for entry in again.entries[1:10001]], [value_bytes(str(n)) for n in range(10_000)])
    await again.finish(output(b"1"), END)
    equal((await world.attach(identifier)).body, b"1")


def value_bytes(text: str) -> bytes:
    return b"\x0a" + bytes([len(text)]) + text.encode()


@once
async def an_endpoint_over_http_11_may_talk_both_ways(world: World) -> None:
    """As Go's does: chunks go both ways at once, and the request stays open."""
    raw = await world.raw({"S": ("S", {"h": None}, FAST)}, versions=(5, 6), http11=True)
    identifier = await world.send(raw.path("S", "h"))
    attempt = await raw.attempt()
    equal(attempt.http, "1.1")
    await attempt.write(sleep(int(time.time() * 1000) + 100, 1))
    equal((await attempt.read()).name, "SleepCompletion")
    await attempt.write(output(b"1"), END)
    equal(await attempt.read_all(), [])
    await attempt.end()
    equal((await world.attach(identifier)).body, b"1")


@once
async def request_response_closes_behind_the_replay(world: World) -> None:
    for options in ({"mode": "REQUEST_RESPONSE", "http11": True}, {"mode": "REQUEST_RESPONSE"}, {"zero": True}):
        settings = FAST | ({"inactivityTimeout": 0} if options.pop("zero", False) else {})
        raw = await world.raw({"S": ("S", {"h": None}, settings)}, versions=(5, 6), **options)
        identifier = await world.send(raw.path("S", "h"))
        attempt = await raw.attempt()
        equal(await attempt.read(), None, "what comes behind the journal")
        # The result of a step is there at once, so the next attempt follows at once.
        await attempt.finish(run(1), proposal(1, b"x"), suspension([1], [1]))
        attempt = await raw.attempt()
        equal(attempt.names, ["Input", "Run", "RunCompletion"])
        await attempt.finish(sleep(1, 2), suspension([2], [1]))
        attempt = await raw.attempt()
        equal(attempt.names[-2:], ["Sleep", "SleepCompletion"])
        await attempt.finish(output(b"1"), END)
        equal((await world.attach(identifier)).body, b"1")


@once
async def the_version_is_the_newest_that_both_speak(world: World) -> None:
    for versions, expected in (((5, 5), 5), ((1, 6), 6), ((5, 7), 7), ((6, 100), 7), ((1, 5), 5)):
        raw = await world.raw({"S": ("S", {"h": None}, FAST)}, versions=versions)
        identifier = await world.send(raw.path("S", "h"))
        attempt = await raw.attempt()
        equal(attempt.headers["content-type"], f"application/vnd.restate.invocation.v{expected}")
        equal((await world.row(identifier)).get("pinned_service_protocol_version"), None, "before anything is durable")
        # The seed came with version 6, and what is unknown does no harm to older SDKs.
        await attempt.finish(output(b"1"), END)
        equal((await world.attach(identifier)).body, b"1")
        equal((await world.row(identifier))["pinned_service_protocol_version"], expected)
    too_new = world.endpoint.add("x", manifest("x", {}, versions=(8, 9)))
    answer = await world.admin("POST", "/deployments", {"uri": too_new.url})
    equal(answer.status, 500)
    check("META0012" in answer.message, answer.message)


@once
async def a_late_head_is_waited_for(world: World) -> None:
    """Go and Java send it with their first frame: the server must go on sending meanwhile."""
    raw = await world.raw({"S": ("S", {"h": None}, FAST)}, versions=(5, 6))
    identifier = await world.send(raw.path("S", "h"))
    attempt = await raw.attempt()
    target = f"{world.server.ingress}/restate/awakeables/sign_1"
    awakeable = target + awakeable_id(attempt, 17)
    equal((await world.request("POST", awakeable + "/resolve", "yes")).status, 202)
    equal((await attempt.read()).result, b'"yes"', "before the head")
    await attempt.finish(output(b"1"), END)
    equal((await world.attach(identifier)).body, b"1")


def awakeable_id(attempt, index: int) -> str:
    """What comes behind `sign_1` in the id of an awakeable: invocation id and index, URL-safe base64."""
    data = attempt.start.get(1) + index.to_bytes(4, "big")
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
