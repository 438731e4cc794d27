"""What may differ between a recorded frame and ours, and everything that may not."""

import base64
import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "ServiceProtocolTests/Reference"))

import reference  # noqa: E402
from google.protobuf import unknown_fields  # noqa: E402

from Recorded.recording import Frame  # noqa: E402

NAMED = "must be one and the same wherever the recording has one and the same"
FREE = "may be anything"

# The one list of what varies. Everything else has to be as recorded.
VARIABLE = {
    # Identifiers have a random part, and what is derived from them varies with them.
    ("Start", "id"): NAMED,
    ("Start", "debug_id"): NAMED,
    ("Start", "random_seed"): NAMED,
    ("Notification", "invocation_id"): NAMED,
    # What it counts is compared: the journal itself.
    ("Start", "known_entries"): FREE,
    # Best effort by the protocol's definition, and it depends on how fast the machine is.
    ("Start", "duration_since_last_stored_entry"): FREE,
}

# Where Holdfast differs on purpose, or may differ.
DEVIATIONS = {
    "Start.idempotency_key": "Since version 7 Start has it. The recorded server leaves it out while its experimental "
    "queues are off; with them it sends it, as we do always.",
    "Start.state_map": "A shared handler sees the state as it is when its attempt begins; where the workflow sets state in "
    "the same milliseconds, either is right.",
}

CLASSES = reference.message_classes()
IDENTIFIER = re.compile(rb"inv_1[0-9A-Za-z]{33}")
AWAKEABLE = re.compile(rb"sign_1([0-9A-Za-z_-]{38})")
SLEEP, CALL, ONE_WAY_CALL, CALL_ID = 0x040C, 0x040D, 0x040E, 0x800E
START = 0x0000
# Sleeps and delays take this many times as long as recorded, so that their order is the same on a busy machine.
STRETCH = 4


def decoded(frame: Frame):
    return CLASSES[reference.CODES[frame.type]].FromString(frame.payload)


def name(frame: Frame) -> str:
    return reference.CODES.get(frame.type, f"{frame.type:04X}")


def described(frame: Frame) -> str:
    """One line for people."""
    if frame.type not in reference.CODES:
        return f"a frame of unknown type {frame.type:04X}"
    text = " ".join(str(decoded(frame)).split())
    return f"{name(frame)} {frame.type:04X} {{{text[:300]}}}"


def key(frame: Frame) -> tuple:
    """Frames with the same key are the same thing being said, right or wrong."""
    if frame.is_notification:
        message = decoded(frame)
        return (message.WhichOneof("id"), getattr(message, message.WhichOneof("id") or "completion_id"))
    if frame.type == 0x0007:
        return ("completion_id", decoded(frame).completion_id)
    return (frame.type,)


def varint(number: int) -> bytes:
    out = b""
    while number >= 0x80:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


class Names:
    """What stands for what was recorded in this run: identifiers and times."""

    def __init__(self, clock: int) -> None:
        self.clock = clock
        self._ours: dict[tuple[str, object], object] = {}
        self._recorded: dict[tuple[str, object], object] = {}

    def ours(self, kind: str, recorded):
        return self._ours.get((kind, recorded))

    def stands_for_something(self, kind: str, ours) -> bool:
        return (kind, ours) in self._recorded

    def bind(self, kind: str, recorded, ours) -> str | None:
        """What is wrong with `ours` standing for `recorded`."""
        before = self._ours.setdefault((kind, recorded), ours)
        other = self._recorded.setdefault((kind, ours), recorded)
        if before != ours:
            return f"is {ours}, but {before} stands for the recorded {recorded}"
        if other != recorded:
            return f"is {ours}, which stands for the recorded {other}, not {recorded}"
        return None

    def translated(self, data: bytes) -> bytes:
        """`data` with our identifiers in the place of the recorded ones; all have the same length."""
        data = IDENTIFIER.sub(
            lambda match: (self.ours("id", match[0].decode()) or match[0].decode()).encode(), data
        )
        return AWAKEABLE.sub(self._awakeable, data)

    def _awakeable(self, match: re.Match) -> bytes:
        raw = base64.urlsafe_b64decode(match[1] + b"==")
        ours = self.ours("raw id", raw[:24])
        return match[0] if ours is None else b"sign_1" + base64.urlsafe_b64encode(ours + raw[24:]).rstrip(b"=")

    def to_send(self, frame: Frame, at: int) -> Frame:
        """The SDK's frame as it would be in this run, sent `at` ms after the recorded case began."""
        for recorded in times(frame):
            rest = max(recorded - (self.clock + at), 0) * STRETCH
            self._ours.setdefault(("time", recorded), int(time.time() * 1000) + rest)
        return self.expected(frame)

    def expected(self, frame: Frame) -> Frame:
        payload = self.translated(frame.payload)
        for recorded in times(frame):
            payload = payload.replace(varint(recorded), varint(self.ours("time", recorded) or recorded))
        return Frame(frame.type, frame.flags, payload)


def times(frame: Frame) -> list[int]:
    if frame.type == SLEEP:
        return [decoded(frame).wake_up_time]
    if frame.type == ONE_WAY_CALL and decoded(frame).invoke_time:
        return [decoded(frame).invoke_time]
    return []


def differences(recorded: Frame, ours: Frame, names: Names, deviations: set[str]) -> list[str]:
    """What is not as recorded and is not allowed to differ."""
    if recorded.type != ours.type:
        return [f"{described(ours)} instead of {described(names.expected(recorded))}"]
    found = [f"flags are {ours.flags:04X}, recorded {recorded.flags:04X}"] if ours.flags != recorded.flags else []
    before, after = decoded(recorded), decoded(ours)
    kind = name(ours)
    for field in after.DESCRIPTOR.fields:
        if VARIABLE.get((kind, field.name)) == NAMED and (field.name in _set(before) | _set(after)):
            wrong = names.bind(_kind(field.name), getattr(before, field.name), getattr(after, field.name))
            found += [f"{kind}.{field.name} {wrong}"] if wrong else []
    expected = names.expected(recorded)
    before = decoded(expected)
    for field in after.DESCRIPTOR.fields:
        if (kind, field.name) in VARIABLE or f"{kind}.{field.name}" in deviations:
            continue
        left, right = _value(before, field.name), _value(after, field.name)
        if left != right:
            found.append(f"{kind}.{field.name} is {_short(right)}, recorded {_short(left)}")
    if len(unknown_fields.UnknownFieldSet(after)):
        found.append(f"{kind} has fields that the protocol does not know")
    # Commands come back as they were sent, byte for byte; calls are encoded again by the server.
    if not found and ours.is_command and ours.type not in (CALL, ONE_WAY_CALL) and ours.payload != expected.payload:
        found.append(f"{kind} has other bytes: {ours.payload.hex()}, recorded {expected.payload.hex()}")
    return found


def _kind(field_name: str) -> str:
    return {"id": "raw id", "debug_id": "id", "invocation_id": "id"}.get(field_name, field_name)


def _set(message) -> set[str]:
    return {field.name for field, _ in message.ListFields()}


def _value(message, field_name: str):
    """None for a field that is not there, so that an empty value is something else."""
    return getattr(message, field_name) if field_name in _set(message) else None


def _short(value) -> str:
    text = "absent" if value is None else " ".join(str(value).split())
    return repr(text if len(text) <= 200 else text[:200] + "…")
