#!/usr/bin/env python3
"""Runs the scenarios: the real Python SDK, served by hypercorn, on the real program, in all ways of serving.

One line per scenario and way, and last `N passed, M failed`. The exit status is 0 if all passed, 1 if not, 2 if the
tests themselves could not run.
"""

import argparse
import asyncio
import itertools
import pathlib
import shutil
import signal
import sys
import tempfile
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import httpx  # noqa: E402

from EndToEnd.endpoint import Endpoint  # noqa: E402
from EndToEnd.harness import SCENARIOS, Failed, Scenario, World, short  # noqa: E402
from EndToEnd.scenarios import (  # noqa: E402, F401
    calls,
    extremes,
    failing,
    futures,
    life,
    limits,
    operations,
    protocol,
    recovery,
    results,
    settings,
    state,
    steps,
    waiting,
)
from EndToEnd.ways import WAYS, Way  # noqa: E402
from Support.ledger import Ledger  # noqa: E402
from Support.processes import CannotRun, Server, Services  # noqa: E402


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--filter", default="", help="only what has this in its name, such as state/ or reqres-v6")
    parser.add_argument("--jobs", type=int, default=16, help="scenarios at a time")
    parser.add_argument("--slow", type=float, default=4.0, help="stretches every deadline (4: for a busy machine)")
    parser.add_argument("--keep", action="store_true", help="keep logs and data, and say where they are")
    parser.add_argument("--list", action="store_true", help="print the names and run nothing")
    return parser.parse_args()


Run = tuple[str, Scenario, Way]


def plan(wanted: str) -> list[Run]:
    first = next(iter(WAYS.values()))
    runs = [
        (f"{scenario.name}[{way.name}]" if scenario.in_all_ways else scenario.name, scenario, way)
        for scenario in SCENARIOS
        for way in (WAYS.values() if scenario.in_all_ways else [first])
    ]
    return [run for run in runs if wanted in run[0]]


async def register(server: Server, services: Services, http: httpx.AsyncClient) -> None:
    for way in WAYS.values():
        answer = await http.post(
            f"{server.admin}/deployments", json={"uri": f"{services.url}/{way.name}", "use_http_11": way.is_http11}
        )
        if answer.status_code not in (200, 201):
            raise CannotRun(f"cannot register {way.name}: {answer.status_code} {answer.text[:400]}")


async def one(name: str, scenario: Scenario, world: World) -> str | None:
    """None if it passed, else why not."""
    try:
        await asyncio.wait_for(scenario.body(world), scenario.limit * world.slow)
        return None
    except Failed as reason:
        return str(reason)
    except (asyncio.TimeoutError, httpx.TimeoutException) as error:
        frames = [frame for cause in (error, error.__cause__) if cause for frame in traceback.extract_tb(cause.__traceback__)]
        place = next((f"line {f.lineno}: {f.line}" for f in reversed(frames) if "scenarios" in f.filename), "somewhere")
        return f"still waiting in {place}"
    except Exception as error:  # noqa: BLE001 - a scenario that trips has failed, whatever it tripped over
        return f"{type(error).__name__}: {short(str(error))}"


async def run_all(options: argparse.Namespace, work: pathlib.Path) -> int:
    ledger = Ledger(work / "ledger")
    services = Services(
        work, pathlib.Path(__file__).parent, "services:app", {"END_TO_END_LEDGER": str(ledger.folder)}
    )
    server = Server(work, options=["--set", "experimental-enable-protocol-v7=true"])
    passed, failures = 0, []
    try:
        services.start(f"/{next(iter(WAYS))}/health")
        server.start()
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
        async with httpx.AsyncClient(limits=limits, trust_env=False, timeout=60.0) as http, Endpoint() as endpoint:
            await register(server, services, http)
            labels = itertools.count()

            async def run_some(runs: list[Run], jobs: int, tries: int) -> None:
                slots = asyncio.Semaphore(jobs)

                async def run_one(run: Run) -> Run | None:
                    nonlocal passed
                    name, scenario, way = run
                    async with slots:
                        world = World(way, server, services, ledger, http, f"{next(labels)}", options.slow, endpoint)
                        begin = time.monotonic()
                        reason = await one(name, scenario, world)
                    if reason is None:
                        passed += 1
                        print(f"ok   {name} ({time.monotonic() - begin:.2f} s)", flush=True)
                        return None
                    print(f"{'FAIL' if tries == 1 else 'late'} {name}: {reason}", flush=True)
                    return run

                failed = [run for run in await asyncio.gather(*map(run_one, runs)) if run]
                if tries > 1:
                    await run_some(failed, 1, tries - 1)
                else:
                    failures.extend(name for name, *_ in failed)

            runs = plan(options.filter)
            await run_some([run for run in runs if not run[1].is_timed], options.jobs, 1)
            await run_some([run for run in runs if run[1].is_timed], min(options.jobs, 4), 3)
        if not server.is_running:
            failures.append("server")
            print(f"FAIL server: it ended by itself: {server.last_words()}")
    finally:
        server.kill()
        services.kill()
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures else 0


def main() -> int:
    options = arguments()
    if options.list:
        print("\n".join(name for name, *_ in plan(options.filter)))
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    work = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-e2e-"))
    status = 2
    try:
        status = asyncio.run(run_all(options, work))
    except CannotRun as reason:
        print(f"Cannot run: {reason}")
    finally:
        if options.keep or status != 0:
            print(f"Logs and data: {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
