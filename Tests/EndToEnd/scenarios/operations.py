"""What operators do, by the admin API and by the command line."""

import asyncio
import json

from EndToEnd.harness import ABSENT, World, check, equal, once, scenario
from EndToEnd.scenarios.protocol import FAST
from EndToEnd.wire import END, output
from Support.processes import Server, run


async def cli(world: World, *words, status: int = 0, ingress: bool = False) -> str:
    """Runs `holdfast` against the server of the tests and gives what it printed."""
    where = ["--ingress", world.server.ingress] if ingress else ["--admin", world.server.admin]
    done = await asyncio.to_thread(run, *words, *where)
    equal(done.returncode, status, f"the status of `holdfast {' '.join(words)}` ({done.stdout} {done.stderr})")
    return done.stdout + done.stderr


@scenario
async def an_invocation_is_paused_and_resumed(world: World) -> None:
    note = world.key("note")
    identifier = await world.send(world.path("Calls", "missing"), note)
    await world.status(identifier, "backing-off")
    check((await world.admin("PATCH", f"/invocations/{identifier}/pause")).status in (200, 202), "it cannot be paused")
    await world.status(identifier, "paused")
    attempts = len(world.ledger.read(note))
    equal((await world.admin("PATCH", f"/invocations/{identifier}/resume")).status, 200)
    await world.noted(note, attempts + 1)
    equal((await world.admin("PATCH", f"/invocations/{identifier}/kill")).status, 200)


@scenario
async def a_completed_invocation_is_restarted_and_purged(world: World) -> None:
    note = world.key("note")
    identifier = await world.send(world.path("Steps", "once"), note)
    equal((await world.attach(identifier)).json, 1)
    answer = await world.admin("PATCH", f"/invocations/{identifier}/restart-as-new")
    equal(answer.status, 200, f"the status of the restart ({answer.message})")
    new = answer.json["new_invocation_id"]
    check(new != identifier, "the restarted one has the old id")
    equal((await world.attach(new)).json, 2)
    equal((await world.admin("PATCH", f"/invocations/{identifier}/purge")).status, 200)
    equal(await world.row(identifier), {}, "what is left after the purge")
    equal((await world.attach(identifier)).status, 404)


@scenario
async def the_journal_tells_what_was_done(world: World) -> None:
    identifier = await world.send(world.path("Calls", "addTo"), world.key())
    equal((await world.attach(identifier)).status, 200)
    rows = await world.rows(f"SELECT index, entry_type FROM sys_journal WHERE id = '{identifier}' ORDER BY index")
    types = [row["entry_type"] for row in rows]
    equal([row["index"] for row in rows], list(range(len(rows))), "the indexes")
    equal(types[0], "Command: Input")
    equal(sum(kind == "Command: Call" for kind in types), 2, f"the number of calls in {types}")
    check("Command: Output" in types, f"the entries are {types}")


@scenario
async def state_is_edited(world: World) -> None:
    key = world.key()
    await world.call(world.path("Counter", "add", key), 1)
    body = {"object_key": key, "new_state": {"count": "41", "extra": [34, 120, 34]}}
    equal((await world.admin("POST", f"/services/{world.way.prefix}Counter/state", body)).status, 202)
    await world.until("the edit", lambda: _has_count(world, key, 41))
    equal(await world.call(world.path("Counter", "add", key), 1), [41, 42])
    equal(await world.call(world.path("Counter", "dump", key)), {"count": 42, "extra": "x"})
    rows = await world.rows(f"SELECT key, value_utf8 FROM state WHERE service_key = '{key}' ORDER BY key")
    equal(rows, [{"key": "count", "value_utf8": "42"}, {"key": "extra", "value_utf8": '"x"'}])


async def _has_count(world: World, key: str, count: int) -> bool:
    return await world.call(world.path("Counter", "read", key)) == count


@once
async def the_command_line_registers_calls_and_lists(world: World) -> None:
    target = world.path("Calls", "forward")
    equal(await cli(world, "call", target, "--body", '"x"', ingress=True), '"forwarded x"\n')
    sent = await cli(world, "call", target, "--send", "--body", '"x"', "--idempotency-key", world.key(), ingress=True)
    identifier = json.loads(sent)["invocationId"]
    equal((await world.attach(identifier)).status, 200)
    shown = await cli(world, "invocations", "show", identifier)
    for word in (identifier, target, "completed", "Command: Call"):
        check(word in shown, f"`invocations show` does not say {word!r}:\n{shown}")
    check(identifier in await cli(world, "invocations", "list", "--all", "--limit", "1000"), "the list lacks the invocation")
    check(target.split("/")[0] in await cli(world, "services", "list"), "the list lacks the service")
    services = json.loads(await cli(world, "services", "list", "--json"))
    check(len(services) >= 60, f"there are {len(services)} services")
    check("dp_" in await cli(world, "deployments", "list"), "the list lacks the deployments")
    registered = await cli(world, "deployments", "register", f"{world.services.url}/bidi-v5", "--yes")
    check("already" in registered, f"registering again says {registered!r}")
    rows = json.loads(await cli(world, "sql", f"SELECT id FROM sys_invocation WHERE id = '{identifier}'", "--json"))
    equal(rows, [{"id": identifier}])
    check("holdfast" in await cli(world, "version"), "there is no version")
    await cli(world, "invocations", "purge", identifier)
    await cli(world, "invocations", "show", identifier, status=3)


@once
async def the_command_line_cancels_kills_pauses_and_resumes(world: World) -> None:
    for verb in ("cancel", "kill"):
        note = world.key("note")
        identifier = await world.send(world.path("Calls", "wait"), note)
        await world.noted(note)
        check(identifier in await cli(world, "invocations", verb, identifier), f"`{verb}` does not name it")
        equal((await world.attach(identifier)).status, 409)
        await cli(world, "invocations", verb, identifier, status=4)
    note = world.key("note")
    identifier = await world.send(world.path("Calls", "missing"), note)
    await world.status(identifier, "backing-off")
    await cli(world, "invocations", "pause", identifier)
    await world.status(identifier, "paused")
    await cli(world, "invocations", "resume", identifier)
    await cli(world, "invocations", "kill", world.path("Calls", "missing"), "--yes")
    equal((await world.attach(identifier)).status, 409)


@once
async def the_command_line_says_what_is_wrong(world: World) -> None:
    check("no command 'nonsense'" in await asyncio.to_thread(_fails, 2, "nonsense"), "nonsense is a command")
    check("no option '--x'" in await asyncio.to_thread(_fails, 2, "serve", "--x"), "--x is an option")
    text = await asyncio.to_thread(_fails, 5, "services", "list", "--admin", "http://127.0.0.1:9")
    check("Cannot reach the admin API at http://127.0.0.1:9" in text, f"it says {text!r}")
    text = await cli(world, "call", "Nobody/nothing", status=3, ingress=True)
    check("Nobody" in text, f"it says {text!r}")
    text = await cli(world, "deployments", "register", "http://127.0.0.1:9", status=1)
    check("META0003" in text, f"it says {text!r}")
    text = await cli(world, "sql", "SELEC", status=1)
    check(len(text) > 20, f"it says {text!r}")


def _fails(status: int, *words) -> str:
    done = run(*words)
    equal(done.returncode, status, f"the status of `holdfast {' '.join(words)}` ({done.stdout} {done.stderr})")
    return done.stdout + done.stderr


@once
async def every_command_has_help(world: World) -> None:
    overview = (await asyncio.to_thread(run, "--help")).stdout
    commands = [line.split("  ")[1] for line in overview.splitlines() if line.startswith("  ")]
    check(len(commands) >= 15, f"the overview lists {len(commands)} commands")
    for line in commands:
        words = [word for word in line.split() if word.islower()]
        done = await asyncio.to_thread(run, *words, "--help")
        equal(done.returncode, 0, f"the status of `holdfast {' '.join(words)} --help`")
        check("Usage: holdfast" in done.stdout, f"`holdfast {' '.join(words)} --help` shows no usage")


@once
async def a_data_directory_has_one_server(world: World) -> None:
    done = await asyncio.to_thread(
        run, "serve", "--data", world.server.data, "--ingress", "127.0.0.1:0", "--admin", "127.0.0.1:0"
    )
    equal(done.returncode, 1, "the status of the second server")
    check("Another process" in done.stderr or "has it open" in done.stderr, f"it says {done.stderr!r}")


@once
async def protocol_version_7_is_off_by_default(world: World) -> None:
    server = Server(world.server.data.parent, "default-server")
    try:
        await asyncio.to_thread(server.start)
        answer = await world.request(
            "POST", f"{server.admin}/deployments", {"uri": f"{world.services.url}/bidi-v7"}
        )
        equal(answer.status, 201, f"the status of the registration ({answer.message[:200]})")
        answer = await world.request("POST", f"{server.ingress}/BidiV7Calls/forward", "x")
        equal(answer.status, 200)
        identifier = answer.headers["x-restate-id"]
        answer = await world.request(
            "POST", f"{server.admin}/query", {"query": f"SELECT * FROM sys_invocation WHERE id = '{identifier}'"},
            {"accept": "application/json"},
        )  # fmt: skip
        equal(answer.json["rows"][0]["pinned_service_protocol_version"], 6)
        version = await world.request("GET", f"{server.admin}/version", ABSENT)
        equal(version.json["features"]["protocol_v7"], False)
        equal(await asyncio.to_thread(server.stop), 0, "the status after SIGTERM")
    finally:
        server.kill()


@once
async def a_discovery_has_a_connection_of_its_own(world: World) -> None:
    """What a failing attempt leaves behind on a connection is not taken for a manifest."""
    raw = await world.raw({"S": ("S", {"h": None}, FAST)}, versions=(5, 6), http11=True)
    called_over = []
    for _ in range(6):
        identifier = await world.send(raw.path("S", "h"))
        attempt = await raw.attempt()
        called_over.append(attempt.exchange.connection)
        await attempt.finish(output(b"1"), END)
        equal((await world.attach(identifier)).body, b"1")
        answer = await world.admin("POST", "/deployments", {"uri": raw.url, "use_http_11": True, "force": True})
        equal(answer.status, 200, f"the status of the registration ({answer.message})")
    equal(len(raw.discovered_over), 7, "the number of discoveries")
    check(not set(called_over) & set(raw.discovered_over), "an attempt and a discovery share a connection")
