"""The services of the scenarios, once per way; hypercorn serves `app`, a way under `/<way>/…`."""

import asyncio
import os
import pathlib
import sys
from datetime import timedelta

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import restate  # noqa: E402
from restate import (  # noqa: E402
    Context,
    ObjectContext,
    ObjectSharedContext,
    RunOptions,
    TerminalError,
    WorkflowContext,
    WorkflowSharedContext,
)
from restate.exceptions import RetryableError  # noqa: E402
from restate.serde import BytesSerde  # noqa: E402

from EndToEnd.ways import WAYS, Way, capped  # noqa: E402
from Support.ledger import Ledger  # noqa: E402

LEDGER = Ledger(pathlib.Path(os.environ["END_TO_END_LEDGER"]))
QUICK_STEP = RunOptions(
    initial_retry_interval=timedelta(milliseconds=20), max_retry_interval=timedelta(milliseconds=100), max_attempts=100
)


def millis(number: int) -> timedelta:
    return timedelta(milliseconds=number)


def counter(way: Way):
    """State: every state command, exclusive and shared handlers."""
    obj = way.object("Counter")

    @obj.handler()
    async def add(ctx: ObjectContext, amount: int) -> list:
        before = await ctx.get("count", type_hint=int) or 0
        ctx.set("count", before + amount)
        return [before, await ctx.get("count", type_hint=int)]

    @obj.handler(kind="shared")
    async def read(ctx: ObjectSharedContext) -> int | None:
        return await ctx.get("count", type_hint=int)

    @obj.handler()
    async def fill(ctx: ObjectContext, values: dict) -> list:
        for name, value in values.items():
            ctx.set(name, value)
        return sorted(await ctx.state_keys())

    @obj.handler()
    async def drop(ctx: ObjectContext, names: list) -> list:
        for name in names:
            ctx.clear(name)
        # Not the keys: the Python SDK still names those that were cleared in the same attempt.
        return [await ctx.get(name) for name in names]

    @obj.handler()
    async def dropAll(ctx: ObjectContext) -> list:
        ctx.clear_all()
        ctx.set("after", 1)
        return [sorted(await ctx.state_keys()), await ctx.get("count")]

    @obj.handler(kind="shared")
    async def dump(ctx: ObjectSharedContext) -> dict:
        return {name: await ctx.get(name) for name in sorted(await ctx.state_keys())}

    @obj.handler()
    async def addAndFail(ctx: ObjectContext, note: str) -> int:
        """The first two attempts set state and break off; what they set must not count twice."""
        count = (await ctx.get("count", type_hint=int) or 0) + 1
        ctx.set("count", count)
        if LEDGER.note(note) < 3:
            raise RuntimeError("this attempt breaks off")
        return await ctx.get("count", type_hint=int)

    @obj.handler()
    async def addAndEnd(ctx: ObjectContext, code: int) -> None:
        ctx.set("count", 77)
        raise TerminalError("ends here", status_code=code, metadata=way.metadata(why="on purpose"))

    @obj.handler()
    async def hold(ctx: ObjectContext, note: str) -> str:
        """Keeps the key until somebody resolves the awakeable."""
        identifier, promise = ctx.awakeable(type_hint=str)
        ctx.set("awakeable", identifier)
        LEDGER.note(note, identifier)
        return await promise

    @obj.handler()
    async def overlap(ctx: ObjectContext, note: str) -> None:
        """Notes when it begins and ends, with a wait between."""
        await ctx.run_typed("begin", LEDGER.note, key=note, text="begin")
        await ctx.sleep(millis(5))
        await ctx.run_typed("end", LEDGER.note, key=note, text="end")

    return obj


def steps(way: Way):
    """Durable steps."""
    service = way.service("Steps")

    @service.handler()
    async def once(ctx: Context, note: str) -> int:
        """The step is done once, though the code behind it breaks off twice."""
        done = await ctx.run_typed("note", LEDGER.note, key=note)
        if LEDGER.note(note + "-attempt") < 3:
            raise RuntimeError("this attempt breaks off")
        return done

    @service.handler()
    async def flaky(ctx: Context, note: str) -> int:
        def attempt() -> int:
            count = LEDGER.note(note)
            if count < 4:
                raise RuntimeError(f"fails for the {count}. time")
            return count

        return await ctx.run_typed("flaky", attempt, QUICK_STEP)

    @service.handler()
    async def hopeless(ctx: Context, note: str) -> str:
        def attempt() -> None:
            LEDGER.note(note)
            raise RuntimeError("never works")

        try:
            await ctx.run_typed("hopeless", attempt, RunOptions(max_attempts=3, initial_retry_interval=millis(10)))
        except TerminalError as error:
            return f"gave up: {error.message}"
        return "worked"

    @service.handler()
    async def refused(ctx: Context, note: str) -> str:
        def attempt() -> None:
            LEDGER.note(note)
            raise TerminalError("not that", status_code=418)

        try:
            await ctx.run_typed("refused", attempt)
        except TerminalError as error:
            return f"{error.status_code} {error.message}"
        return "worked"

    @service.handler()
    async def many(ctx: Context, note: str) -> list:
        async def attempt(number: int) -> int:
            await asyncio.sleep(0.02)
            LEDGER.note(note, str(number))
            return number * number

        futures = [ctx.run_typed(f"step {number}", attempt, number=number) for number in range(8)]
        return [await future for future in await restate.gather(*futures)]

    @service.handler()
    async def held(ctx: Context, note: str) -> int:
        """A step that ends when the scenario wants it to."""

        async def attempt() -> int:
            LEDGER.note(note, "begun")
            while not LEDGER.read(note + "-end"):
                await asyncio.sleep(0.02)
            return LEDGER.note(note, "done")

        return await ctx.run_typed("held", attempt)

    @service.handler()
    async def sequence(ctx: Context, note: str) -> list:
        return [await ctx.run_typed(f"step {number}", LEDGER.note, key=note, text=str(number)) for number in range(10)]

    @service.handler()
    async def kinds(ctx: Context) -> list:
        nothing = await ctx.run_typed("nothing", lambda: None)
        text = await ctx.run_typed("text", lambda: "äöü 😀" * 10)
        big = await ctx.run_typed("bytes", lambda: b"\x00\xff" * 200_000, RunOptions(serde=BytesSerde()))
        return [nothing, text, len(big)]

    @service.handler()
    async def same(ctx: Context, note: str) -> list:
        """What must be the same in every attempt."""
        values = [str(ctx.uuid()), ctx.random().random(), await ctx.time()]
        LEDGER.note(note, str(values))
        if len(LEDGER.read(note)) < 3:
            raise RuntimeError("this attempt breaks off")
        return values

    return service


def calls(way: Way, count, stepper):
    """Calls and sends between services, attach, cancel."""
    service = way.service("Calls")
    prefix = way.prefix

    @service.handler()
    async def echo(ctx: Context, text: str) -> str:
        return text

    @service.handler()
    async def header(ctx: Context, name: str) -> str | None:
        return ctx.request().headers.get(name)

    @service.handler(accept="*/*", content_type="application/octet-stream", input_serde=BytesSerde(), output_serde=BytesSerde())
    async def raw(ctx: Context, data: bytes) -> bytes:
        return bytes(reversed(data))

    @service.handler()
    async def fail(ctx: Context, code: int) -> None:
        raise TerminalError(f"code {code}", status_code=code, metadata=way.metadata(code=str(code)))

    @service.handler()
    async def forward(ctx: Context, text: str) -> str:
        return "forwarded " + await ctx.service_call(echo, arg=text)

    @service.handler()
    async def addTo(ctx: Context, key: str) -> list:
        first = await ctx.object_call(count.handlers["add"].fn, key=key, arg=2)
        second = await ctx.generic_call(f"{prefix}Counter", "add", b"3", key=key)
        return [first, second.decode()]

    @service.handler()
    async def callFailing(ctx: Context, code: int) -> str:
        try:
            await ctx.service_call(fail, arg=code)
        except TerminalError as error:
            return f"{error.status_code} {error.message}"
        return "worked"

    @service.handler()
    async def passFailure(ctx: Context, code: int) -> None:
        await ctx.service_call(fail, arg=code)

    @service.handler()
    async def fanOut(ctx: Context, width: int) -> list:
        futures = [ctx.service_call(echo, arg=str(number)) for number in range(width)]
        return [await future for future in await restate.gather(*futures)]

    @service.handler()
    async def chain(ctx: Context, depth: int) -> int:
        return 0 if depth == 0 else 1 + await ctx.service_call(chain, arg=depth - 1)

    @service.handler()
    async def record(ctx: Context, note: str) -> None:
        await ctx.run_typed("note", LEDGER.note, key=note)

    @service.handler()
    async def sendTo(ctx: Context, request: dict) -> str:
        """One-way, perhaps delayed, perhaps with an idempotency key; returns the id."""
        handle = ctx.service_send(
            record, arg=request["note"], send_delay=millis(request["delay"]) if "delay" in request else None,
            idempotency_key=request.get("key"),
        )  # fmt: skip
        return await handle.invocation_id()

    @service.handler()
    async def callTwiceWithKey(ctx: Context, key: str) -> list:
        """One idempotency key, two calls: one invocation."""
        first = ctx.service_call(stepper.handlers["sequence"].fn, arg=key, idempotency_key=key)
        second = ctx.service_call(stepper.handlers["sequence"].fn, arg=key, idempotency_key=key)
        return [await first, await second, await first.invocation_id() == await second.invocation_id()]

    @service.handler()
    async def attachTo(ctx: Context, text: str) -> str:
        handle = ctx.service_send(forward, arg=text)
        return await ctx.attach_invocation(await handle.invocation_id(), type_hint=str)

    @service.handler()
    async def withHeader(ctx: Context, value: str) -> str | None:
        return await ctx.service_call(header, arg="x-of-the-caller", headers={"x-of-the-caller": value})

    @service.handler()
    async def wait(ctx: Context, note: str) -> str:
        """Waits for ever, and cleans up when it is cancelled."""
        LEDGER.note(note, ctx.request().id)
        try:
            await ctx.sleep(timedelta(hours=1))
        except TerminalError as error:
            await ctx.run_typed("clean up", LEDGER.note, key=note + "-cleaned", text=str(error.status_code))
            raise
        return "woke up"

    @service.handler()
    async def cancelCallee(ctx: Context, note: str) -> str:
        future = ctx.service_call(wait, arg=note)
        identifier = await future.invocation_id()
        await ctx.sleep(millis(50))
        ctx.cancel_invocation(identifier)
        try:
            return await future
        except TerminalError as error:
            return f"{error.status_code}"

    @service.handler()
    async def missing(ctx: Context, note: str) -> str:
        """Calls a service that does not exist: retried until it does."""
        LEDGER.note(note)
        return (await ctx.generic_call("NobodyServesThis", "x", b"")).decode()

    @service.handler()
    async def later(ctx: Context, note: str) -> str:
        """Asks twice for a retry at a time of its own."""
        if LEDGER.note(note) < 3:
            raise RetryableError("come back", retry_after=millis(40))
        return "worked"

    return service


def waiting(way: Way):
    """Sleeps, awakeables, signals, and combinations of them."""
    service = way.service("Waiting")

    @service.handler()
    async def nap(ctx: Context, duration: int) -> str:
        await ctx.sleep(millis(duration))
        return "rested"

    @service.handler()
    async def naps(ctx: Context, durations: list) -> list:
        futures = {str(duration): ctx.sleep(millis(duration)) for duration in durations}
        names = {future: name for name, future in futures.items()}
        return [names[future] async for future in restate.as_completed(*futures.values())]

    @service.handler()
    async def awake(ctx: Context, note: str) -> str:
        identifier, promise = ctx.awakeable(type_hint=str)
        LEDGER.note(note, identifier)
        return await promise

    @service.handler()
    async def awakeBytes(ctx: Context, note: str) -> int:
        identifier, promise = ctx.awakeable(serde=BytesSerde())
        LEDGER.note(note, identifier)
        return len(await promise)

    @service.handler()
    async def resolve(ctx: Context, request: list) -> None:
        ctx.resolve_awakeable(request[0], request[1])

    @service.handler()
    async def reject(ctx: Context, request: list) -> None:
        ctx.reject_awakeable(request[0], request[1], 417)

    @service.handler()
    async def awakeOrTimeout(ctx: Context, request: dict) -> list:
        identifier, promise = ctx.awakeable(type_hint=str)
        LEDGER.note(request["note"], identifier)
        match await restate.select(awake=promise, timeout=ctx.sleep(millis(request["timeout"]))):
            case ["awake", value]:
                return ["awake", value]
            case _:
                return ["timeout", None]

    @service.handler()
    async def awakeAll(ctx: Context, note: str) -> list:
        pairs = [ctx.awakeable(type_hint=str) for _ in range(3)]
        for identifier, _ in pairs:
            LEDGER.note(note, identifier)
        return [await future for future in await restate.gather(*(promise for _, promise in pairs))]

    @service.handler()
    async def hear(ctx: Context, note: str) -> str:
        LEDGER.note(note, ctx.request().id)
        return await ctx.signal("news", type_hint=str)

    @service.handler()
    async def hearLate(ctx: Context, note: str) -> str:
        """Listens only after the signal has come."""
        LEDGER.note(note, ctx.request().id)
        await ctx.sleep(millis(200))
        return await ctx.signal("news", type_hint=str)

    @service.handler()
    async def tell(ctx: Context, request: list) -> None:
        ctx.resolve_signal(request[0], "news", request[1])

    @service.handler()
    async def scold(ctx: Context, request: list) -> None:
        ctx.reject_signal(request[0], "news", request[1], 418)

    return service


def approval(way: Way):
    """A workflow with promises and state."""
    workflow = way.workflow("Approval")

    @workflow.main()
    async def run(ctx: WorkflowContext, note: str) -> str:
        await ctx.run_typed("begin", LEDGER.note, key=note)
        ctx.set("status", "asking")
        answer = await ctx.promise("answer", type_hint=str).value()
        ctx.set("status", "answered")
        return f"{ctx.key()}: {answer}"

    @workflow.handler()
    async def answer(ctx: WorkflowSharedContext, text: str) -> str:
        try:
            await ctx.promise("answer", type_hint=str).resolve(text)
        except TerminalError as error:
            return f"{error.status_code}"
        return "taken"

    @workflow.handler()
    async def refuse(ctx: WorkflowSharedContext, text: str) -> None:
        await ctx.promise("answer", type_hint=str).reject(text, 403)

    @workflow.handler()
    async def peek(ctx: WorkflowSharedContext) -> str | None:
        return await ctx.promise("answer", type_hint=str).peek()

    @workflow.handler()
    async def listen(ctx: WorkflowSharedContext) -> str:
        return await ctx.promise("answer", type_hint=str).value()

    @workflow.handler()
    async def status(ctx: WorkflowSharedContext) -> str | None:
        return await ctx.get("status", type_hint=str)

    return workflow


def application(way: Way):
    count, stepper = counter(way), steps(way)
    served = restate.app([count, stepper, calls(way, count, stepper), waiting(way), approval(way)])
    return capped(served, way.version) if way.version < 7 else served


APPLICATIONS = {name: application(way) for name, way in WAYS.items()}


async def app(scope, receive, send) -> None:
    if scope["type"] == "lifespan":
        while True:
            event = await receive()
            await send({"type": event["type"] + ".complete"})
            if event["type"] == "lifespan.shutdown":
                return
    target = APPLICATIONS.get(scope["path"].split("/")[1])
    if target is None:
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        return
    await target(scope, receive, send)
