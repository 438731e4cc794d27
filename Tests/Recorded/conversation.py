"""Plays the SDK's side of one recorded case, and compares what the server says with what was recorded."""

import asyncio
from dataclasses import dataclass

import httpx

from Recorded import standins
from Recorded.attempt import Attempt, TooEarly, send_head
from Recorded.comparison import CALL, Names, decoded, described, key
from Recorded.endpoint import HTTP1Stream, Stream
from Recorded.recording import Case, Event, Exchange, Operation

PATIENCE = 60.0  # s; a case takes less than one on an idle machine, but for those that wait for a time-out of one
AT_THE_SAME_TIME = 5  # ms
INPUT, OUTPUT, SET_STATE = 0x0400, 0x0401, 0x0403


class Refused(Exception):
    """A client or an operator got another answer than expected."""


@dataclass(eq=False)
class Step:
    """An event, a request or an operation: what happens later waits until it is done."""

    time: int
    is_done: bool = False


class Conversation:
    def __init__(self, case: Case, ingress: str, admin: str, http: httpx.AsyncClient) -> None:
        self.case, self.ingress, self.admin, self.http = case, ingress, admin, http
        self.names = Names(case.clock)
        self.problems: list[str] = []
        self.waiting = list(case.exchanges)  # those that have not begun
        self.answered: set[tuple[str, int]] = set()  # calls of stand-ins: invocation, completion
        self.early, self.late = 0, 0
        self.news = asyncio.Condition()
        self.heard: dict[str, list[tuple]] = {}  # notifications of an invocation, in the order in which they were sent
        self.answers: list[tuple[Exchange, asyncio.Task]] = []
        self.earliest: dict[str, float] = {}  # when an invocation may be tried again (time.monotonic)
        self.players: set[asyncio.Task] = set()
        for exchange in case.exchanges:
            at_one_time(exchange)
        self.operations = [(operation, Step(operation.time)) for operation in case.operations]
        roots = [exchange for exchange in case.exchanges if self._is_root(exchange)]
        self.requests = [(exchange, Step(exchange.events[0].time)) for exchange in roots]
        self.steps = sorted(
            [event for exchange in case.exchanges for event in exchange.events]
            + [step for _, step in self.operations + self.requests],
            key=lambda step: step.time,
        )
        self.first = 0

    def _is_root(self, exchange: Exchange) -> bool:
        """Began by a client's request: only those have the path in their headers."""
        first = next(other for other in self.case.exchanges if other.id == exchange.id)
        return first is exchange and "x-restate-ingress-path" in self._input_headers(exchange)

    @staticmethod
    def _input_headers(exchange: Exchange) -> dict[str, str]:
        entry = next(frame for frame in exchange.frames if frame.type == INPUT)
        return {header.key: header.value for header in decoded(entry).headers}

    @property
    def identifiers(self) -> set[str]:
        """Our invocations of this case."""
        return {ours for exchange in self.case.exchanges if (ours := self.names.ours("id", exchange.id))}

    async def run(self) -> list[str]:
        """Everything that was not as recorded."""
        drivers = [asyncio.create_task(self._request(*request)) for request in self.requests]
        drivers += [asyncio.create_task(self._operate(*operation)) for operation in self.operations]
        try:
            async with asyncio.timeout(PATIENCE):
                await asyncio.gather(*drivers)
                await self.until(lambda: all(step.is_done for step in self.steps) or self.problems)
                if not self.problems:
                    await asyncio.gather(*self.players)
                    for exchange, answer in self.answers:
                        self._check_answer(exchange, await answer)
        except TimeoutError:
            self.problems.append(self._whereabouts())
        except Exception as reason:  # noqa: BLE001 - whatever trips a driver is the case's failure
            self.problems.append(f"{type(reason).__name__}: {reason}")
        finally:
            for task in [*drivers, *self.players, *(answer for _, answer in self.answers)]:
                task.cancel()
        return self.problems

    async def until(self, happened) -> None:
        async with self.news:
            await self.news.wait_for(happened)

    async def done(self, step) -> None:
        step.is_done = True
        await self._wake()

    async def _wake(self) -> None:
        async with self.news:
            self.news.notify_all()

    def _has_passed(self, time: int) -> bool:
        while self.first < len(self.steps) and self.steps[self.first].is_done:
            self.first += 1
        return self.first == len(self.steps) or self.steps[self.first].time >= time

    async def after(self, time: int) -> None:
        """Waits until all that was recorded before `time` has happened again."""
        await self.until(lambda: self._has_passed(time))

    def _whereabouts(self) -> str:
        missing = []
        for exchange in self.case.exchanges:
            event = next((event for event in exchange.events if not event.is_done), None)
            if event is not None:
                what = described(self.names.expected(event.frame)) if event.frame else event.what
                who = "SDK's" if event.is_from_sdk else "server's"
                begun = "has not begun" if exchange in self.waiting else f"waits for the {who} {what}"
                missing.append(f"exchange {exchange.number} ({exchange.path}) {begun}")
        return "stuck: " + "; ".join(missing[:3] or ["all was said, but an answer did not come"])

    async def _request(self, exchange: Exchange, step: Step) -> None:
        await self.after(step.time)
        headers = self._input_headers(exchange)
        path = headers.pop("x-restate-ingress-path")
        entry = next(frame for frame in exchange.frames if frame.type == INPUT)
        request = httpx.Request("POST", self.ingress + path, headers=headers, content=decoded(entry).value.content)
        if path.endswith("/send"):
            answer = await self.http.send(request)
            identifier = answer.json().get("invocationId")
            if answer.status_code != 202 or answer.json().get("status") != "Accepted":
                raise Refused(f"the send to {path} was answered by {answer.status_code} {answer.text[:200]}")
            self.note(exchange, self.names.bind("id", exchange.id, identifier))
            request = httpx.Request("GET", f"{self.ingress}/restate/attach/{identifier}")
        self.answers.append((exchange, asyncio.create_task(self.http.send(request))))
        await self.done(step)

    async def _operate(self, operation: Operation, step: Step) -> None:
        await self.after(step.time)
        exchange = self.case.exchanges[operation.exchange - 1]
        identifier = self.names.ours("id", exchange.id)
        answer = await self.http.patch(f"{self.admin}/invocations/{identifier}/{operation.verb}")
        if answer.status_code not in (200, 202):
            raise Refused(f"{operation.verb} was answered by {answer.status_code} {answer.text[:200]}")
        await self.done(step)

    def _check_answer(self, exchange: Exchange, answer: httpx.Response) -> None:
        status, body = self._expected_answer(exchange)
        found = answer.content if isinstance(body, bytes) else answer.json()
        if (answer.status_code, found) != (status, body):
            self.note(exchange, f"was answered by {answer.status_code} {found!r}, expected {status} {body!r}")

    def _expected_answer(self, exchange: Exchange) -> tuple[int, object]:
        attempts = [other for other in self.case.exchanges if other.id == exchange.id]
        if any(operation.verb == "kill" for operation in self.case.operations):
            return 409, {"code": 409, "message": "killed", "source": "invocation"}
        outputs = [frame for attempt in attempts for frame in attempt.frames if frame.type == OUTPUT]
        if outputs:
            output = decoded(self.names.expected(outputs[-1]))
            if output.HasField("value"):
                return 200, output.value.content
            failure = output.failure
            return failure.code, {"code": failure.code, "message": failure.message, "source": "invocation"}
        error = decoded(attempts[-1].frames[-1])
        body = {"code": error.code, "message": error.message, "source": "invocation"}
        return error.code, body | ({"stacktrace": error.stacktrace} if error.stacktrace else {})

    async def attempt(self, stream: Stream, sdk: str) -> None:
        """The endpoint was asked for an attempt."""
        exchange = self._recorded_exchange(stream)
        if exchange is None:
            if standins.can_play(stream.header(":path")):
                return await self._stand_in(stream, sdk)
            self.problems.append(f"there was an attempt of {stream.header(':path')} that was not recorded")
            return await self._wake()
        self.players.add(asyncio.current_task())
        self.waiting.remove(exchange)
        try:
            self._check_request(exchange, stream)
            await Attempt(self, exchange, stream, sdk).play()
        except TooEarly:
            self.waiting.insert(0, exchange)
        except Exception as error:  # noqa: BLE001 - whatever trips here is the case's failure
            self.note(exchange, f"{type(error).__name__}: {error}")
            await self._wake()

    def _recorded_exchange(self, stream: Stream) -> Exchange | None:
        identifier = stream.header("x-restate-invocation-id")
        for exchange in self.waiting:
            if (exchange.path, exchange.key) == (stream.header(":path"), stream.header("x-restate-service-key")):
                ours = self.names.ours("id", exchange.id)
                if ours == identifier or ours is None and not self.names.stands_for_something("id", identifier):
                    return exchange
        return None

    def state_is_changing(self, exchange: Exchange) -> bool:
        """Whether an attempt on the same key set state at the time when this one, of a shared handler, began."""
        return any(
            abs(event.time - exchange.events[0].time) <= AT_THE_SAME_TIME
            for other in self.case.exchanges
            if other.key and other.key == exchange.key and other.id != exchange.id
            for event in other.events
            if event.is_from_sdk and event.frame and event.frame.type == SET_STATE
        )

    @staticmethod
    def derived(key: str | None, is_all_derived: bool) -> int:
        """How much of an invocation's id is not random: all, its partition's key, or nothing."""
        return 38 if is_all_derived else len("inv_1") + 11 if key else 0

    def _check_request(self, exchange: Exchange, stream: Stream) -> None:
        identifier = stream.header("x-restate-invocation-id")
        self.note(exchange, self.names.bind("id", exchange.id, identifier))
        same = self.derived(exchange.key, exchange.path.endswith("SignUp/run"))
        if identifier[:same] != exchange.id[:same]:
            self.note(exchange, f"the invocation is {identifier}, recorded {exchange.id}")
        content = f"application/vnd.restate.invocation.v{exchange.version}"
        expected = [(":method", "POST"), (":path", exchange.path), ("content-type", content), ("accept", content),
                    ("x-restate-invocation-id", self.names.ours("id", exchange.id))]  # fmt: skip
        if exchange.key is not None:
            expected.append(("x-restate-service-key", exchange.key))
        expected.append(("x-restate-cluster-name", "localcluster"))
        found = [pair for pair in stream.headers if pair[0] not in (":scheme", ":authority", "host")]
        if isinstance(stream, HTTP1Stream):
            expected.append(("transfer-encoding", "chunked"))
        if sorted(found) != sorted(expected):
            self.note(exchange, f"the request has {found}, recorded {expected}")

    async def _stand_in(self, stream: Stream, sdk: str) -> None:
        while len(stream.received) < 2:
            stream.news.clear()
            await stream.news.wait()
        start, entry = stream.received[:2]
        # Calls that run side by side end in the order in which they did.
        await self.after(self._completed_at(stream, decoded(entry).value.content))
        send_head(stream, sdk)
        for frame in standins.output(stream.header(":path"), start, entry, sdk):
            stream.send(frame.bytes)
        stream.end()

    def _completed_at(self, stream: Stream, parameter: bytes) -> int:
        """When the call of a stand-in was answered; 0 if nobody waited for it."""
        service, handler = stream.header(":path").split("/")[2:]
        target = (service, handler, stream.header("x-restate-service-key") or "", parameter)
        for exchange in self.case.exchanges:
            for frame in exchange.frames:
                call = decoded(frame) if frame.type == CALL else None
                if call and (call.service_name, call.handler_name, call.key, call.parameter) == target:
                    if (exchange.id, call.result_completion_id) not in self.answered:
                        self.answered.add((exchange.id, call.result_completion_id))
                        found = self.recorded_notification(exchange.id, ("completion_id", call.result_completion_id))
                        return found.time if found else 0
        return 0

    def recorded_notification(self, identifier: str, wanted: tuple) -> Event | None:
        for exchange in self.case.exchanges:
            if exchange.id == identifier:
                for event in exchange.events:
                    if event.frame and event.frame.is_notification and key(event.frame) == wanted:
                        return event
        return None

    def note(self, exchange: Exchange, problem: str | None) -> None:
        if problem:
            self.problems.append(f"exchange {exchange.number}: {problem}")


def at_one_time(exchange: Exchange) -> None:
    """Start and the journal go out together, though a recorder may see them in parts."""
    begin = [event for event in exchange.events if event.frame and not event.is_from_sdk]
    for event in begin[: 1 + decoded(begin[0].frame).known_entries]:
        event.time = exchange.events[0].time
