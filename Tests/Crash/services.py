"""The services under the load. What they really do goes into the ledger, which survives every crash."""

import os
import pathlib
import sys
import zlib
from datetime import timedelta

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import restate  # noqa: E402
from restate import (  # noqa: E402
    Context,
    InvocationRetryPolicy,
    ObjectContext,
    ObjectSharedContext,
    WorkflowContext,
    WorkflowSharedContext,
)

from Support.ledger import Ledger  # noqa: E402

LEDGER = Ledger(pathlib.Path(os.environ["CRASH_LEDGER"]))
FAULT = os.environ.get("CRASH_FAULT")
STEPS = 5
QUICK = InvocationRetryPolicy(
    initial_interval=timedelta(milliseconds=30), exponentiation_factor=1.5, max_interval=timedelta(milliseconds=500)
)

def strikes(fault: str, operation: str) -> bool:
    """Whether the planted fault is this one, and hits the operation: one in eight, the same ones in every attempt."""
    return fault == FAULT and zlib.crc32(operation.encode()) % 8 == 0


tally = restate.VirtualObject("Tally", invocation_retry_policy=QUICK)


@tally.handler()
async def add(ctx: ObjectContext, request: dict) -> int:
    """Adds an amount, and notes when it begins and ends, so that one can see that no two of a key overlap."""
    note = f"tally-{ctx.key()}"
    await ctx.run_typed("begin", LEDGER.note, key=note, text=f"begin {request['operation']}")
    total = (await ctx.get("total", type_hint=int) or 0) + request["amount"]
    count = (await ctx.get("count", type_hint=int) or 0) + 1
    if not strikes("lost-write", request["operation"]):
        ctx.set("total", total)
        ctx.set("count", count)
    if strikes("overlap", request["operation"]):
        LEDGER.note(note, f"begin {request['operation']}-beside")
        LEDGER.note(note, f"end {request['operation']}-beside")
    await ctx.run_typed("end", LEDGER.note, key=note, text=f"end {request['operation']}")
    return count


@tally.handler(kind="shared")
async def read(ctx: ObjectSharedContext) -> list:
    return [await ctx.get("total", type_hint=int) or 0, await ctx.get("count", type_hint=int) or 0]


work = restate.Service("Work", invocation_retry_policy=QUICK)
suspending = restate.Service("Suspending", invocation_retry_policy=QUICK, inactivity_timeout=timedelta(0))


async def in_steps(ctx: Context, operation: str) -> int:
    total = 0
    for number in range(STEPS):
        await ctx.run_typed(f"step {number}", LEDGER.note, key=f"steps-{operation}", text=str(number))
        if strikes("doubled-step", operation):
            LEDGER.note(f"steps-{operation}", str(number))
        total += number
    if strikes("repeated-step", operation):
        LEDGER.note(f"steps-{operation}", "0")
    return total


async def move(ctx: Context, request: dict) -> str:
    """Takes from one object and gives to another: together they must always come out even."""
    operation = request["operation"]
    await ctx.object_call(add, key=request["from"], arg={"operation": operation + "-out", "amount": -request["amount"]})
    await ctx.object_call(add, key=request["to"], arg={"operation": operation + "-in", "amount": request["amount"]})
    return "moved"


async def spread(ctx: Context, request: dict) -> str:
    """Three one-way calls, the last one delayed."""
    for number in range(3):
        ctx.object_send(
            add, key=request["key"], arg={"operation": f"{request['operation']}-{number}", "amount": 1},
            send_delay=timedelta(milliseconds=300) if number == 2 else None,
        )  # fmt: skip
    if strikes("stuck", request["operation"]):
        ctx.generic_send("Work", "awake", f'"{request["operation"]}-for-ever"'.encode())
    return "sent"


async def nap(ctx: Context, request: dict) -> str:
    if not strikes("early", request["operation"]):
        await ctx.sleep(timedelta(milliseconds=request["duration"]))
    if strikes("failed", request["operation"]):
        raise restate.TerminalError("planted")
    await ctx.run_typed("note", LEDGER.note, key=f"nap-{request['operation']}")
    return "rested"


async def awake(ctx: Context, operation: str) -> str:
    identifier, promise = ctx.awakeable(type_hint=str)
    await ctx.run_typed("note", LEDGER.note, key=f"awakeable-{operation}", text=identifier)
    return await promise


for service in (work, suspending):
    service.handler("inSteps")(in_steps)
    service.handler("move")(move)
    service.handler("spread")(spread)
    service.handler("nap")(nap)
    service.handler("awake")(awake)

flow = restate.Workflow("Flow", invocation_retry_policy=QUICK)


@flow.main()
async def run(ctx: WorkflowContext, operation: str) -> str:
    await ctx.run_typed("begin", LEDGER.note, key=f"flow-{operation}", text="0")
    answer = await ctx.promise("answer", type_hint=str).value()
    await ctx.run_typed("end", LEDGER.note, key=f"flow-{operation}", text="1")
    return answer


@flow.handler()
async def answer(ctx: WorkflowSharedContext, text: str) -> None:
    await ctx.promise("answer", type_hint=str).resolve(text)


app = restate.app([tally, work, suspending, flow])
