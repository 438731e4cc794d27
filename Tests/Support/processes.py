"""The processes of a test: the server, the services. Each child has a process group and a log file of its own."""

import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import time

import httpx

HOME = pathlib.Path(__file__).resolve().parents[2]
HOLDFAST = pathlib.Path(os.environ.get("HOLDFAST", HOME / ".build/release/holdfast"))


class CannotRun(Exception):
    """The test itself cannot work; the text says why."""


def free_port() -> int:
    """A free port below the range out of which the kernel serves outgoing connections.

    A port of that range could be taken by anybody's connection while its server is down, and a crash test has its
    server down all the time.
    """
    for _ in range(200):
        port = random.SystemRandom().randrange(10_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise CannotRun("there is no free port on 127.0.0.1")


class Process:
    def __init__(self, name: str, command: list, log: pathlib.Path, environment: dict | None = None) -> None:
        self.name, self.command, self.log = name, [str(word) for word in command], log
        self.environment = os.environ | (environment or {})
        self.child: subprocess.Popen | None = None

    def start(self, directory: pathlib.Path = HOME) -> None:
        with open(self.log, "ab") as output:
            self.child = subprocess.Popen(
                self.command, cwd=directory, env=self.environment, stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, start_new_session=True,
            )  # fmt: skip

    @property
    def is_running(self) -> bool:
        return self.child is not None and self.child.poll() is None

    def signal(self, number: int) -> None:
        if self.is_running:
            os.killpg(self.child.pid, number)

    def kill(self) -> None:
        """kill -9, and waits until it is gone."""
        self.signal(signal.SIGKILL)
        if self.child is not None:
            self.child.wait()

    def stop(self, patience: float = 10.0) -> int | None:
        """SIGTERM; the exit status, or None when it had to be killed."""
        self.signal(signal.SIGTERM)
        if self.child is None:
            return None
        try:
            return self.child.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return " / ".join(line for line in lines[-4:] if line.strip())[:600] or "it printed nothing"

    def wait_for(self, url: str, within: float = 30.0) -> float:
        """Seconds until GET `url` gives 200."""
        begin = time.monotonic()
        with httpx.Client(timeout=2.0, trust_env=False) as client:
            while time.monotonic() - begin < within:
                if not self.is_running:
                    raise CannotRun(f"the {self.name} ended by itself: {self.last_words()}")
                try:
                    if client.get(url).status_code == 200:
                        return time.monotonic() - begin
                except httpx.TransportError:
                    pass
                time.sleep(0.01)
        raise CannotRun(f"the {self.name} did not answer {url} within {within:g} s: {self.last_words()}")


class Server(Process):
    """`holdfast serve` on a data directory and on ports of its own; both stay the same over restarts."""

    def __init__(self, work: pathlib.Path, name: str = "server", options: list | None = None) -> None:
        self.ingress = f"http://127.0.0.1:{free_port()}"
        self.admin = f"http://127.0.0.1:{free_port()}"
        self.data = work / f"{name}-data"
        if not HOLDFAST.exists():
            raise CannotRun(f"{HOLDFAST} is missing; `make build` makes it")
        command = [
            HOLDFAST, "serve", "--data", self.data, "--ingress", self.ingress.removeprefix("http://"),
            "--admin", self.admin.removeprefix("http://"), *(options or []),
        ]  # fmt: skip
        super().__init__(name, command, work / f"{name}.log")

    def start(self, directory: pathlib.Path = HOME) -> float:
        """Seconds until both ports answered."""
        super().start(directory)
        return self.wait_for(f"{self.admin}/health") + self.wait_for(f"{self.ingress}/restate/health")


class Services(Process):
    """hypercorn with an application; HTTP/1.1 and HTTP/2 on one port that stays the same over restarts."""

    SETTINGS = (
        "h2_max_concurrent_streams = 100000\nkeep_alive_max_requests = 1000000000\n"
        "keep_alive_timeout = 86400\nbacklog = 1024\ngraceful_timeout = 1\n"
    )

    def __init__(
        self,
        work: pathlib.Path,
        folder: pathlib.Path,
        application: str,
        environment: dict,
        name: str = "services",
        settings: str = SETTINGS,
    ) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{free_port()}"
        file = work / f"{name}.toml"
        file.write_text(settings)
        command = [
            sys.executable, "-m", "hypercorn", application, "--config", file, "--bind",
            self.url.removeprefix("http://"),
        ]  # fmt: skip
        super().__init__(name, command, work / f"{name}.log", environment)

    def start(self, health: str = "/health") -> float:
        super().start(self.folder)
        return self.wait_for(self.url + health)


def run(*words, within: float = 60.0) -> subprocess.CompletedProcess:
    """Runs the `holdfast` program."""
    return subprocess.run(
        [str(HOLDFAST), *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, timeout=within,
    )  # fmt: skip
