"""Plays the SDK's side of one recorded exchange."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from Recorded.comparison import CALL, CALL_ID, ONE_WAY_CALL, START, decoded, described, differences, key
from Recorded.endpoint import END, RESET, Stream
from Recorded.recording import Event, Exchange, Frame

if TYPE_CHECKING:
    from Recorded.conversation import Conversation

SUSPENSION, ERROR, ACK = 0x0001, 0x0002, 0x0007
# Notifications that follow directly behind their command, in the same commit: invocation ids of calls, state reads,
# promises that are peeked at or completed. All others come when they come.
AT_ONCE = {0x8002, 0x8006, 0x800A, 0x800B, CALL_ID}


TIMER = 0.001  # s; the resolution of the server's timers


class TooEarly(Exception):
    """The server began an attempt with less than the recorded one had to go on with; it was suspended again."""


class Attempt:
    """One exchange: the recorded events in their order, those of the server in any order between two of the SDK."""

    def __init__(self, conversation: Conversation, exchange: Exchange, stream: Stream, sdk: str) -> None:
        self.conversation, self.exchange, self.stream, self.sdk = conversation, exchange, stream, sdk
        self.names = conversation.names
        self.taken = 0  # what was looked at of `stream.received`
        self.unclaimed: list[Frame | str] = []
        self.heard = conversation.heard.setdefault(exchange.id, [])
        self.last_at_once = 0
        self.replayed: list[tuple] = []  # keys of the notifications in the journal

    async def play(self) -> None:
        if (early := self.conversation.earliest.pop(self.exchange.id, 0) - time.monotonic()) > TIMER:
            self._note(f"the attempt began {early:.3f} s before the delay was over that the SDK had asked for")
        for event in self.exchange.events:
            if event.is_done:
                continue
            if event.is_from_sdk:
                await self.conversation.after(event.time)
                self._say(event)
            elif event.frame is None:
                await self._hear(lambda item, event=event: item == event.what)
            elif event.frame.type == START:
                await self._hear_start(event)
            else:
                await self._hear_frame(event.frame)
            await self.conversation.done(event)
        self._check_rest()

    def _say(self, event: Event) -> None:
        match event.what:
            case "frame":
                over = next((item for item in self.stream.received if not isinstance(item, Frame)), None)
                if over and not any(other.what == over and other.is_done for other in self.exchange.events):
                    self._note(f"there was {over} before the SDK said {described(event.frame)}")
                if event.frame.type == ERROR:
                    delay = decoded(event.frame).next_retry_delay / 1000
                    self.conversation.earliest[self.exchange.id] = time.monotonic() + delay
                self.stream.send(self.names.to_send(event.frame, event.time).bytes)
            case "head":
                send_head(self.stream, self.sdk)
            case "end":
                self.stream.end()
            case "closed":
                self.stream.close_connection()

    async def _hear_frame(self, recorded: Frame) -> None:
        if recorded.is_notification and key(recorded) in self.replayed:
            self.conversation.early += 1
        else:
            self._compare(recorded, await self._hear(lambda item: is_same(recorded, item)))

    async def _next(self) -> Frame | str:
        while len(self.stream.received) <= self.taken:
            self.stream.news.clear()
            await self.stream.news.wait()
        self.taken += 1
        return self.stream.received[self.taken - 1]

    async def _hear(self, is_wanted) -> Frame | str:
        """What is wanted; everything else that comes in the meantime stays unclaimed."""
        for item in self.unclaimed:
            if is_wanted(item):
                self.unclaimed.remove(item)
                return item
        while True:
            item = await self._next()
            if isinstance(item, Frame):
                self._remember(item)
            if is_wanted(item):
                return item
            self.unclaimed.append(item)

    def _remember(self, frame: Frame) -> None:
        """The server's order: what comes at once comes in the order of the commands, which is that of their ids."""
        if frame.is_notification or frame.type == ACK:
            self.heard.append(key(frame))
        if frame.type in AT_ONCE:
            number = decoded(frame).completion_id
            if number < self.last_at_once:
                self._note(f"completion {number} came behind {self.last_at_once}, whose command is a later one")
            self.last_at_once = number

    async def _hear_start(self, event: Event) -> None:
        """Start, and the journal that follows it."""
        ours = await self._next()
        if not isinstance(ours, Frame):
            return self._note(f"the request began with {ours}")
        known = decoded(ours).known_entries if ours.type == START else 0
        self._compare(event.frame, ours)
        entries = [await self._next() for _ in range(known)]
        events = [other for other in self.exchange.events if other.frame and not other.is_from_sdk]
        replayed = events[1 : 1 + decoded(event.frame).known_entries]
        entries = [entry for entry in entries if isinstance(entry, Frame)]
        missing = self._compare_journals([other.frame for other in replayed], entries)
        if missing and self._is_closed_before_the_sdk_speaks():
            await self._suspend_again()
        for frame in missing:
            self.conversation.late += 1
            await self._hear_frame(frame)
        for other in replayed:
            await self.conversation.done(other)

    def _compare_journals(self, recorded: list[Frame], ours: list[Frame]) -> list[Frame]:
        """Gives what may still come: notifications that were in the recorded journal, but are not in ours."""
        commands = [[frame for frame in journal if frame.is_command] for journal in (recorded, ours)]
        if len(commands[0]) != len(commands[1]):
            self._note(f"the journal has {len(commands[1])} commands, recorded {len(commands[0])}")
        for before, after in zip(*commands):
            self._compare(before, after)
        notifications = {key(frame): frame for frame in ours if frame.is_notification}
        self.replayed = [key(frame) for frame in ours if frame.is_notification]
        wanted = {key(frame): frame for frame in recorded if frame.is_notification}
        for frame in wanted.values():
            if key(frame) in notifications:
                self._compare(frame, notifications[key(frame)])
        if repeated := [name for name, count in Counter(self.replayed).items() if count > 1]:
            self._note(f"the journal has {repeated} twice")
        for name, frame in notifications.items():
            if name not in wanted:
                self._check_early(frame)
        self._check_order(ours)
        missing = [frame for name, frame in wanted.items() if name not in notifications]
        for frame in [frame for frame in missing if frame.type in AT_ONCE]:
            self._note(f"the journal lacks {described(self.names.expected(frame))}")
        return [frame for frame in missing if frame.type not in AT_ONCE]

    def _check_early(self, frame: Frame) -> None:
        """A notification that was recorded later, or that came too late for the recorded attempt."""
        self.conversation.early += 1
        recorded = self.conversation.recorded_notification(self.exchange.id, key(frame))
        if recorded is not None:
            return self._compare(recorded.frame, frame)
        # Nobody waited for it, so that the recorded attempt could end without it.
        for exchange in self.conversation.case.exchanges:
            if exchange.id == self.exchange.id and exchange.number <= self.exchange.number:
                for command in exchange.frames:
                    if command.is_command and command.type & 0xFF == frame.type & 0xFF:
                        if getattr(decoded(command), "result_completion_id", 0) == decoded(frame).completion_id:
                            return
        self._note(f"the server said more than was recorded: {described(frame)}")

    def _is_closed_before_the_sdk_speaks(self) -> bool:
        for event in self.exchange.events:
            if event.is_from_sdk and event.frame:
                return False
            if event.what == END:
                return True
        return False

    async def _suspend_again(self) -> None:
        """What an SDK does that waits for more than has come."""
        self.conversation.late += 1
        await self._hear(lambda item: item == END)
        former = [exchange for exchange in self.conversation.case.exchanges if exchange.id == self.exchange.id]
        former = [exchange for exchange in former if exchange.number < self.exchange.number]
        suspension = next(frame for frame in reversed(former[-1].frames) if frame.type == SUSPENSION)
        if not self.exchange.events[0].is_from_sdk:
            send_head(self.stream, self.sdk)
        self.stream.send(self.names.expected(suspension).bytes)
        self.stream.end()
        raise TooEarly

    def _check_order(self, journal: list[Frame]) -> None:
        """At once means directly behind the command; and what was said before is replayed in the order of then."""
        for place, frame in enumerate(journal):
            if frame.type in AT_ONCE:
                before, number = decoded(journal[place - 1]), decoded(frame).completion_id
                fields = ("result_completion_id", "invocation_id_notification_idx")
                introduced = {getattr(before, field, 0) for field in fields}
                if not journal[place - 1].is_command or number not in introduced:
                    self._note(f"completion {number} is not directly behind its command in the journal")
        replayed = [key(frame) for frame in journal if frame.is_notification]
        if [item for item in replayed if item in self.heard] != [item for item in self.heard if item in replayed]:
            self._note(f"the journal has notifications as {replayed}, sent before as {self.heard}")
        self.heard[:] = replayed

    def _compare(self, recorded: Frame, ours: Frame) -> None:
        deviations = {"Start.idempotency_key"} if self.exchange.version >= 7 else set()
        if ours.type == START and self.conversation.state_is_changing(self.exchange):
            deviations.add("Start.state_map")
        for difference in differences(recorded, ours, self.names, deviations):
            self._note(difference)
        if recorded.type == CALL_ID and ours.type == CALL_ID:
            self._check_callee(decoded(recorded), decoded(ours))

    def _check_callee(self, recorded, ours) -> None:
        """What follows from key, workflow or idempotency key is the same on every server."""
        for exchange in self.conversation.case.exchanges:
            for frame in exchange.frames if exchange.id == self.exchange.id else []:
                if frame.type in (CALL, ONE_WAY_CALL):
                    call = decoded(frame)
                    if call.invocation_id_notification_idx == recorded.completion_id:
                        is_run = call.service_name.endswith("SignUp") and call.handler_name == "run"
                        same = self.conversation.derived(call.key, is_run or bool(call.idempotency_key))
                        if recorded.invocation_id[:same] != ours.invocation_id[:same]:
                            self._note(f"the callee is {ours.invocation_id}, recorded {recorded.invocation_id}")
                        return

    def _check_rest(self) -> None:
        self.unclaimed += self.stream.received[self.taken :]
        for item in self.unclaimed:
            if isinstance(item, Frame) and item.is_notification:
                self._check_early(item)
            elif item not in (RESET, "connection closed"):
                what = described(item) if isinstance(item, Frame) else item
                self._note(f"the server said more than was recorded: {what}")

    def _note(self, problem: str) -> None:
        self.conversation.note(self.exchange, problem)


def is_same(recorded: Frame, item: Frame | str) -> bool:
    return isinstance(item, Frame) and item.type == recorded.type and key(item) == key(recorded)


def send_head(stream: Stream, sdk: str) -> None:
    content = stream.header("content-type")
    stream.send_head([(":status", "200"), ("content-type", content), ("x-restate-server", sdk)])
