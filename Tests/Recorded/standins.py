"""The counter and the greeter: the recordings of `everything` leave their attempts out, so they are played freely."""

from Recorded.comparison import CLASSES, decoded
from Recorded.recording import Frame


def can_play(path: str) -> bool:
    return path.rsplit("/", 2)[1].endswith(("Counter", "Greeter"))


def output(path: str, start: Frame, entry: Frame, sdk: str) -> list[Frame]:
    """What the handler sends for its Start and Input."""
    handler = path.rsplit("/", 1)[1]
    parameter = decoded(entry).value.content
    state = {item.key: item.value for item in decoded(start).state_map}
    frames, total = [], int(state.get(b"total", b"0"))
    match handler:
        case "greet":
            result = b'"Hello, ' + parameter.strip(b'"') + b'!"'
        case "add":
            result = str(total + int(parameter)).encode()
            frames.append(command(0x0403, "SetState", key=b"total", value={"content": result}))
        case "get":
            result = str(total).encode()
        case "clear":
            result = b'["last", "total"]' if sdk.startswith("python") else b'["last","total"]'
            frames.append(command(0x0405, "ClearAllState"))
    return [*frames, command(0x0401, "Output", value={"content": result}), Frame(0x0003, 0, b"")]


def command(type: int, name: str, **fields) -> Frame:
    return Frame(type, 0, CLASSES[name](**fields).SerializeToString())
