"""The bytes of the service protocol: enough protobuf and framing to say anything, the wrong things too."""

import struct
from dataclasses import dataclass

TYPES = {
    "Start": 0x0000, "Suspension": 0x0001, "Error": 0x0002, "End": 0x0003, "CommandAck": 0x0004,
    "ProposeRunCompletion": 0x0005, "AwaitingOn": 0x0006, "ProposeRunCompletionAck": 0x0007,
    "Input": 0x0400, "Output": 0x0401, "GetLazyState": 0x0402, "SetState": 0x0403, "ClearState": 0x0404,
    "ClearAllState": 0x0405, "GetLazyStateKeys": 0x0406, "GetEagerState": 0x0407, "GetEagerStateKeys": 0x0408,
    "GetPromise": 0x0409, "PeekPromise": 0x040A, "CompletePromise": 0x040B, "Sleep": 0x040C, "Call": 0x040D,
    "OneWayCall": 0x040E, "SendSignal": 0x0410, "Run": 0x0411, "AttachInvocation": 0x0412,
    "GetInvocationOutput": 0x0413, "CompleteAwakeable": 0x0414,
    "GetLazyStateCompletion": 0x8002, "GetLazyStateKeysCompletion": 0x8006, "GetPromiseCompletion": 0x8009,
    "PeekPromiseCompletion": 0x800A, "CompletePromiseCompletion": 0x800B, "SleepCompletion": 0x800C,
    "CallCompletion": 0x800D, "CallInvocationIdCompletion": 0x800E, "RunCompletion": 0x8011,
    "AttachInvocationCompletion": 0x8012, "GetInvocationOutputCompletion": 0x8013, "Signal": 0xFBFF,
}  # fmt: skip
NAMES = {number: name for name, number in TYPES.items()}
ACK = 0x8000


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def message(fields: dict | None = None) -> bytes:
    """A protobuf message: numbers become varints; text, bytes and nested messages (dicts) length-delimited fields; a
    list becomes one field for each element. What is given is written, empty and zero values too."""
    out = bytearray()
    for number, given in (fields or {}).items():
        for value in given if isinstance(given, list) else [given]:
            if isinstance(value, int):
                out += varint(number << 3) + varint(value)
            else:
                data = value.encode() if isinstance(value, str) else message(value) if isinstance(value, dict) else value
                out += varint(number << 3 | 2) + varint(len(data)) + data
    return bytes(out)


def fields(data: bytes) -> dict[int, list]:
    """The fields of a message by number: varints as numbers, everything else as bytes."""
    found: dict[int, list] = {}
    place = 0

    def number() -> int:
        nonlocal place
        result = shift = 0
        while True:
            byte = data[place]
            place += 1
            result |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return result

    while place < len(data):
        key = number()
        if key & 7 == 0:
            value: int | bytes = number()
        else:
            assert key & 7 == 2, f"wire type {key & 7}"
            length = number()
            value = data[place : place + length]
            place += length
        found.setdefault(key >> 3, []).append(value)
    return found


@dataclass(frozen=True)
class Frame:
    type: int
    payload: bytes
    flags: int = 0

    @property
    def name(self) -> str:
        return NAMES.get(self.type, f"0x{self.type:04x}")

    def all(self, number: int) -> list:
        return fields(self.payload).get(number, [])

    def get(self, number: int, default=None):
        return (self.all(number) or [default])[-1]

    @property
    def completion(self) -> int | None:
        return self.get(1)

    @property
    def result(self):
        """Of a notification: None, bytes, (code, text), or an invocation's id as text."""
        found = fields(self.payload)
        if 5 in found:
            return fields(found[5][-1]).get(1, [b""])[-1]
        if 6 in found:
            failure = fields(found[6][-1])
            return failure.get(1, [0])[-1], failure.get(2, [b""])[-1].decode()
        if 16 in found:
            return found[16][-1].decode()
        if 17 in found:
            return fields(found[17][-1]).get(1, [])
        assert 4 in found, f"{self.name} has no result"
        return None

    def __bytes__(self) -> bytes:
        return struct.pack(">HHI", self.type, self.flags, len(self.payload)) + self.payload


def frame(name: str | int, content: dict | bytes | None = None, flags: int = 0) -> Frame:
    payload = content if isinstance(content, bytes) else message(content)
    return Frame(TYPES[name] if isinstance(name, str) else name, payload, flags)


def value(content: bytes | str = b"") -> dict:
    return {1: content}


def failure(code: int, text: str = "", metadata: dict | None = None) -> dict:
    entries = [{1: key, 2: entry} for key, entry in (metadata or {}).items()]
    return {1: code, 2: text} | ({3: entries} if entries else {})


# The frames that scenarios send most.


def output(content: bytes | str = b"") -> Frame:
    return frame("Output", {14: value(content)})


def fails(code: int, text: str, metadata: dict | None = None) -> Frame:
    return frame("Output", {15: failure(code, text, metadata)})


END = frame("End")


def error(code: int, text: str, *, delay: int | None = None, behavior: int | None = None, more: dict | None = None) -> Frame:
    content: dict = {1: code, 2: text}
    if delay is not None:
        content[8] = delay
    if behavior is not None:
        content[9] = behavior
    return frame("Error", content | (more or {}))


def packed(numbers: list[int]) -> bytes:
    return b"".join(varint(number) for number in numbers)


def suspension(completions=(), signals=(), names=()) -> Frame:
    """As versions 5 and 6 say it."""
    content: dict = {}
    if completions:
        content[1] = packed(list(completions))
    if signals:
        content[2] = packed(list(signals))
    if names:
        content[3] = list(names)
    return frame("Suspension", content)


def future(combinator: int, completions=(), signals=(), names=(), nested=()) -> dict:
    content: dict = {}
    if completions:
        content[1] = packed(list(completions))
    if signals:
        content[2] = packed(list(signals))
    if names:
        content[3] = list(names)
    if nested:
        content[4] = list(nested)
    return content | ({5: combinator} if combinator else {})


def sleep(millis: int, completion: int, name: str = "") -> Frame:
    return frame("Sleep", {1: millis, 11: completion} | ({12: name} if name else {}))


def call(service: str, handler: str, argument: bytes | str, ids: tuple[int, int], **more) -> Frame:
    """`key`, `idempotency`, `headers`, `scope`, `limit_key`, `name`."""
    return frame("Call", {1: service, 2: handler, 3: argument} | _call_options(more) | {10: ids[0], 11: ids[1]})


def send(service: str, handler: str, argument: bytes | str, completion: int, *, at: int = 0, **more) -> Frame:
    # All fields behind the parameter are one later than a call's.
    options = {number if number == 12 else number + 1: given for number, given in _call_options(more).items()}
    return frame("OneWayCall", {1: service, 2: handler, 3: argument} | ({4: at} if at else {}) | options | {10: completion})


def _call_options(more: dict) -> dict:
    numbers = {"headers": 4, "key": 5, "idempotency": 6, "scope": 7, "limit_key": 8, "name": 12}
    options = {numbers[name]: given for name, given in more.items()}
    if 4 in options:
        options[4] = [{1: key, 2: text} for key, text in options[4].items()]
    return options


def run(completion: int, name: str = "") -> Frame:
    return frame("Run", {11: completion} | ({12: name} if name else {}))


def proposal(completion: int, result: bytes | dict, flags: int = 0) -> Frame:
    return frame("ProposeRunCompletion", {1: completion, 15 if isinstance(result, dict) else 14: result}, flags)


def signal(target: str, which: int | str, result: bytes | dict | None = None) -> Frame:
    """To another invocation: `result` None is void, a dict a failure."""
    outcome = {4: b""} if result is None else {6: result} if isinstance(result, dict) else {5: value(result)}
    return frame("SendSignal", {1: target} | ({2: which} if isinstance(which, int) else {3: which}) | outcome)
