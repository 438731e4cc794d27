"""Reads the recorded conversations: what an SDK and an existing server said to each other in one case.

Recorded by a relay that read along and changed nothing, between restate-server 1.7.12 and the SDKs that the files are
named for; the attempts of the counter and the greeter in `everything` are left out, see `standins`.
`Conversations/*.txt` has one line per event:

    case NAME: what it shows
    clock MS                     the wall clock (ms since 1970) at the case's beginning, where wake-up times matter
    operation T VERB EXCHANGE    an operator cancels, kills, pauses or resumes the invocation of that exchange
    exchange NUMBER ID VERSION PATH [KEY]
    T > TYPE[:FLAGS] PAYLOAD     a frame of the server (`>`) or the SDK (`<`), T ms after the case began
    T > line N                   the frame in that line of the recordings that Tests/ServiceProtocolTests decode
    T > as 1.2-4 3.5             the same frames as those of these exchanges and numbers
    T < head | end | reset | closed

Payloads are base64; `|` in one stands for 40,000 times `x`. Stack traces of SDKs are cut to their first 60 bytes.
"""

import base64
import json
import pathlib
from dataclasses import dataclass, field

HERE = pathlib.Path(__file__).resolve().parent
FRAMES = HERE.parent / "ServiceProtocolTests/Fixtures/Frames"
MANIFESTS = HERE.parent / "ServiceProtocolTests/Fixtures/Manifests"
LONG_VALUE = b"x" * 40_000


@dataclass(frozen=True)
class Frame:
    type: int
    flags: int
    payload: bytes

    @property
    def bytes(self) -> bytes:
        head = self.type.to_bytes(2, "big") + self.flags.to_bytes(2, "big") + len(self.payload).to_bytes(4, "big")
        return head + self.payload

    @property
    def is_command(self) -> bool:
        return self.type >> 8 == 0x04

    @property
    def is_notification(self) -> bool:
        return self.type >= 0x8000


@dataclass(eq=False)
class Event:
    """A frame, or what happened to the HTTP exchange: `head`, `end`, `reset`, `closed`."""

    time: int
    is_from_sdk: bool
    what: str
    frame: Frame | None = None
    is_done: bool = False


@dataclass(eq=False)
class Exchange:
    """One attempt, which is one HTTP request."""

    number: int
    id: str
    version: int
    path: str
    key: str | None
    events: list[Event] = field(default_factory=list)

    @property
    def frames(self) -> list[Frame]:
        return [event.frame for event in self.events if event.frame]


@dataclass(frozen=True)
class Operation:
    time: int
    verb: str
    exchange: int


@dataclass(eq=False)
class Case:
    name: str
    what: str
    clock: int = 0
    operations: list[Operation] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)


def sdks() -> list[str]:
    return sorted(file.stem for file in (HERE / "Conversations").glob("*.txt"))


def manifest(sdk: str) -> dict:
    return json.loads((MANIFESTS / f"{sdk}.json").read_text())


def cases(sdk: str) -> list[Case]:
    lines = [json.loads(line) for line in (FRAMES / f"{sdk}.jsonl").read_text().splitlines()]
    found: list[Case] = []
    for line in (HERE / "Conversations" / f"{sdk}.txt").read_text().splitlines():
        words = line.split(" ")
        match words[0]:
            case "":
                pass
            case "case":
                found.append(Case(words[1].rstrip(":"), line.partition(": ")[2]))
            case "clock":
                found[-1].clock = int(words[1])
            case "operation":
                found[-1].operations.append(Operation(int(words[1]), words[2], int(words[3])))
            case "exchange":
                key = words[5] if len(words) > 5 else None
                found[-1].exchanges.append(Exchange(int(words[1]), words[2], int(words[3][1:]), words[4], key))
            case _:
                found[-1].exchanges[-1].events += _events(words, found[-1], lines)
    return found


def _events(words: list[str], case: Case, lines: list[dict]) -> list[Event]:
    time, is_from_sdk, what = int(words[0]), words[1] == "<", words[2]
    if what in ("head", "end", "reset", "closed"):
        return [Event(time, is_from_sdk, what)]
    if what == "as":
        frames = [frame for reference in words[3:] for frame in _same(reference, case)]
    elif what == "line":
        line = lines[int(words[3]) - 1]
        frames = [Frame(line["type"], line["flags"], bytes.fromhex(line["payload"]))]
    else:
        code, _, flags = what.partition(":")
        payload = LONG_VALUE.join(base64.b64decode(part) for part in "".join(words[3:]).split("|"))
        frames = [Frame(int(code, 16), int(flags or "0", 16), payload)]
    return [Event(time, is_from_sdk, "frame", frame) for frame in frames]


def _same(reference: str, case: Case) -> list[Frame]:
    """`1.2-4`: the frames 2 to 4 of exchange 1."""
    number, _, span = reference.partition(".")
    first, _, last = span.partition("-")
    exchange = next(exchange for exchange in case.exchanges if exchange.number == int(number))
    return exchange.frames[int(first) - 1 : int(last or first)]
