"""What is malformed, too big, unknown or slow: it gets the right answer, and others go on."""

import asyncio

from EndToEnd.harness import ABSENT, World, check, equal, once


@once
async def what_is_unknown_is_refused(world: World) -> None:
    ingress, admin = world.server.ingress, world.server.admin
    expected = [
        ("POST", f"{ingress}/Nobody/nothing", 404), ("POST", f"{ingress}/{world.path('Calls', 'nothing')}", 404),
        ("PUT", f"{ingress}/{world.path('Calls', 'echo')}", 405), ("GET", f"{ingress}/restate/nothing/x", 404),
        ("GET", f"{ingress}/restate/attach/inv_nonsense", 400),
        ("POST", f"{ingress}/restate/awakeables/nonsense/resolve", 400), ("POST", f"{ingress}/x", 400),
        ("GET", f"{admin}/nothing", 404), ("GET", f"{admin}/deployments/dp_nonsense", 400),
        ("GET", f"{admin}/services/Nobody", 404), ("PATCH", f"{admin}/invocations/inv_nonsense/kill", 400),
        ("POST", f"{admin}/services", 405),
    ]  # fmt: skip
    for method, url, status in expected:
        answer = await world.request(method, url, ABSENT)
        equal(answer.status, status, f"the status of {method} {url}")
    answer = await world.request("POST", f"{ingress}/Nobody/nothing", ABSENT)
    equal(answer.json["source"], "ingress")


@once
async def what_is_malformed_is_refused(world: World) -> None:
    target = f"{world.server.ingress}/{world.path('Calls', 'echo')}"
    equal((await world.request("POST", target, b"x", {"content-type": "text/plain"})).status, 400)
    equal((await world.request("POST", f"{target}/send?delay=5x", "x")).status, 400)
    equal((await world.request("POST", f"{target}?delay=5s", "x")).status, 400)
    deployments = f"{world.server.admin}/deployments"
    equal((await world.request("POST", deployments, b"{")).status, 400)
    equal((await world.request("POST", deployments, {})).status, 422)
    equal((await world.request("POST", deployments, b"{}", {"content-type": "text/plain"})).status, 415)
    equal((await world.request("POST", deployments, {"uri": "/relative"})).status, 400)


@once
async def what_is_too_big_is_refused_and_what_is_big_passes(world: World) -> None:
    target = f"{world.server.ingress}/{world.path('Calls', 'raw')}"
    octets = {"content-type": "application/octet-stream"}
    big = await world.request("POST", target, bytes(8 << 20), octets)
    equal((big.status, len(big.body)), (200, 8 << 20))
    equal((await world.request("POST", target, bytes((32 << 20) + 1), octets)).status, 413)
    equal(await world.call(world.path("Calls", "echo"), "still here"), "still here")


@once
async def rubbish_on_the_ports_harms_nobody(world: World) -> None:
    rubbish = [
        b"\x00" * 1000, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"POST /x/y HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"POST /x/y HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 500, b"\x16\x03\x01" + b"x" * 300,
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 20_000 + b"\r\n",
    ]  # fmt: skip
    for port in (world.server.ingress, world.server.admin):
        number = int(port.rsplit(":", 1)[1])
        for bytes_ in rubbish:
            reader, writer = await asyncio.open_connection("127.0.0.1", number)
            try:
                writer.write(bytes_)
                await asyncio.wait_for(reader.read(1000), 5)
            except (ConnectionError, asyncio.TimeoutError):
                pass
            finally:
                writer.close()
    equal(await world.call(world.path("Calls", "echo"), "still here"), "still here")
    equal((await world.admin("GET", "/health")).status, 200)


@once
async def a_client_that_leaves_does_not_end_its_invocation(world: World) -> None:
    note, key = world.key("note"), world.key()
    call = asyncio.create_task(world.try_call(world.path("Waiting", "awake"), note, {"idempotency-key": key}))
    awakeable = (await world.noted(note))[0]
    call.cancel()
    rows = await world.rows(f"SELECT id, status FROM sys_invocation WHERE idempotency_key = '{key}'")
    equal(len(rows), 1, "the number of invocations")
    check(rows[0]["status"] in ("running", "suspended"), f"its status is {rows[0]['status']!r}")
    await world.request("POST", f"{world.server.ingress}/restate/awakeables/{awakeable}/resolve", "alone")
    equal((await world.attach(rows[0]["id"])).json, "alone")
