"""User sign-up, written as if nothing could ever fail.

`User` owns the state of one user. `SignUp` is the whole process from the form to the click in the e-mail: ordinary
code, top to bottom, that may take days and survives a kill -9 of every process at every line.
"""

import os
from datetime import timedelta

import restate
from restate import (
    ObjectContext,
    ObjectSharedContext,
    RunOptions,
    TerminalError,
    VirtualObject,
    Workflow,
    WorkflowContext,
    WorkflowSharedContext,
)

import mail

REMIND_AFTER = timedelta(seconds=float(os.environ.get("SIGNUP_REMIND_AFTER", "3600")))
GIVE_UP_AFTER = timedelta(seconds=float(os.environ.get("SIGNUP_GIVE_UP_AFTER", "86400")))

# A virtual object: one user per key, here the e-mail address. Its handlers run one after the other, so that
# two people who ask for one address at the same moment cannot both get it.
user = VirtualObject("User")


@user.handler()
async def create(ctx: ObjectContext, profile: dict) -> None:
    if await ctx.get("profile") is not None:
        raise TerminalError(f"there is a user {ctx.key()} already", status_code=409)
    ctx.set("profile", profile)
    ctx.set("active", False)


@user.handler()
async def activate(ctx: ObjectContext) -> None:
    ctx.set("active", True)


@user.handler()
async def remove(ctx: ObjectContext) -> None:
    ctx.clear_all()


@user.handler(kind="shared")
async def show(ctx: ObjectSharedContext) -> dict | None:
    profile = await ctx.get("profile", type_hint=dict)
    return None if profile is None else profile | {"active": await ctx.get("active")}


# A workflow: `run` is done once per key, however often it is called.
sign_up = Workflow("SignUp")


@sign_up.main()
async def run(ctx: WorkflowContext, profile: dict) -> str:
    address = ctx.key()
    await ctx.object_call(create, key=address, arg=profile)

    # A durable step: its result is recorded, so that no restart sends the e-mail again. The mail server fails now
    # and then; the step is repeated until it works, and gives up for good after ten times.
    welcome = f"Welcome, {profile['name']}! Please confirm your address."
    try:
        await ctx.run_typed("send e-mail", mail.send, RunOptions(max_attempts=10), to=address, text=welcome)
    except TerminalError:
        await ctx.object_call(remove, key=address, arg=None)
        raise

    # A delayed call: it is kept on disk, and made even if everything is restarted in the meantime.
    ctx.set("status", "waiting for the click")
    ctx.workflow_send(remind, key=address, arg=profile, send_delay=REMIND_AFTER)

    match await restate.select(click=ctx.promise("clicked").value(), timeout=ctx.sleep(GIVE_UP_AFTER)):
        case ["click", _]:
            await ctx.object_call(activate, key=address, arg=None)
            ctx.set("status", "done")
            return f"welcome, {profile['name']}"
        case _:
            # Compensation: what was done is undone, step by step, and this too survives every crash.
            await ctx.object_call(remove, key=address, arg=None)
            ctx.set("status", "expired")
            await ctx.run_typed("send apology", mail.send, to=address, text="Your sign-up has expired.")
            return "expired"


@sign_up.handler()
async def click(ctx: WorkflowSharedContext) -> None:
    """The link in the e-mail leads here."""
    await ctx.promise("clicked").resolve(True)


@sign_up.handler()
async def remind(ctx: WorkflowSharedContext, profile: dict) -> bool:
    """Sends a reminder, if there is still something to be reminded of."""
    if await ctx.get("status") != "waiting for the click" or await ctx.promise("clicked").peek() is not None:
        return False
    await ctx.run_typed("send reminder", mail.send, to=ctx.key(), text=f"{profile['name']}, we are still waiting.")
    return True


@sign_up.handler()
async def status(ctx: WorkflowSharedContext) -> str | None:
    return await ctx.get("status", type_hint=str)


app = restate.app([user, sign_up])
