"""An endpoint that says what it is told to, over HTTP/2 without TLS and HTTP/1.1."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import hyperframe.frame

from Recorded.recording import Frame

END, RESET = "end", "reset"


class Stream:
    """One request. What the server sent stands in `received`: frames, then `END` or `RESET`."""

    def __init__(self, headers: list[tuple[str, str]]) -> None:
        self.headers = headers
        self.received: list[Frame | str] = []
        self.news = asyncio.Event()
        self._rest = b""

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)

    def feed(self, data: bytes) -> None:
        self._rest += data
        while len(self._rest) >= 8:
            end = 8 + int.from_bytes(self._rest[4:8], "big")
            if len(self._rest) < end:
                break
            head = self._rest[:4]
            frame = Frame(int.from_bytes(head[:2], "big"), int.from_bytes(head[2:], "big"), self._rest[8:end])
            self._rest = self._rest[end:]
            self.received.append(frame)
        self.news.set()

    def finish(self, how: str) -> None:
        self.received.append(how)
        self.news.set()

    def send_head(self, headers: list[tuple[str, str]]) -> None:
        raise NotImplementedError

    def send(self, data: bytes) -> None:
        raise NotImplementedError

    def end(self) -> None:
        raise NotImplementedError

    def close_connection(self) -> None:
        raise NotImplementedError


class HTTP2Connection:
    def __init__(self, endpoint: "Endpoint", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.endpoint, self.reader, self.writer = endpoint, reader, writer
        self.machine = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        self.streams: dict[int, HTTP2Stream] = {}

    async def run(self, first: bytes) -> None:
        self.machine.initiate_connection()
        self.flush()
        data = first
        while data:
            for event in self.machine.receive_data(data):
                self.happened(event)
            self.flush()
            data = await self.reader.read(65_536)

    def happened(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.RequestReceived():
                stream = HTTP2Stream(self, event.stream_id, [(str(k), str(v)) for k, v in event.headers])
                self.streams[event.stream_id] = stream
                self.endpoint.begin(stream)
            case h2.events.DataReceived():
                self.machine.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                self.streams[event.stream_id].feed(event.data)
            case h2.events.StreamEnded():
                self.streams[event.stream_id].finish(END)
            case h2.events.StreamReset():
                is_cancel = event.error_code == h2.errors.ErrorCodes.CANCEL
                self.streams[event.stream_id].finish(RESET if is_cancel else f"RST_STREAM {event.error_code}")
            case h2.events.WindowUpdated() | h2.events.RemoteSettingsChanged():
                for stream in self.streams.values():
                    stream.pump()

    def flush(self) -> None:
        self.writer.write(self.machine.data_to_send())


class HTTP2Stream(Stream):
    def __init__(self, connection: HTTP2Connection, number: int, headers: list[tuple[str, str]]) -> None:
        super().__init__(headers)
        self.connection, self.number = connection, number
        self._waiting, self._is_ending = b"", False

    @property
    def _is_reset(self) -> bool:
        return self.connection.machine._stream_closed_by(self.number) is not None  # noqa: SLF001

    def send_head(self, headers: list[tuple[str, str]]) -> None:
        if self._is_reset:  # What an SDK sends on a stream that was reset is to be dropped by the server.
            self._send_past_the_end(hyperframe.frame.HeadersFrame, self.connection.machine.encoder.encode(headers))
        else:
            self.connection.machine.send_headers(self.number, headers)
            self.connection.flush()

    def send(self, data: bytes) -> None:
        if self._is_reset:
            self._send_past_the_end(hyperframe.frame.DataFrame, data)
        else:
            self._waiting += data
            self.pump()

    def end(self) -> None:
        self._is_ending = True
        self.pump()

    def pump(self) -> None:
        """Sends as much as the windows allow."""
        machine = self.connection.machine
        if self._is_reset or not (self._waiting or self._is_ending):
            return
        while self._waiting:
            room = min(machine.local_flow_control_window(self.number), machine.max_outbound_frame_size)
            if room <= 0:
                break
            machine.send_data(self.number, self._waiting[:room])
            self._waiting = self._waiting[room:]
        if self._is_ending and not self._waiting:
            self._is_ending = False
            machine.end_stream(self.number)
        self.connection.flush()

    def close_connection(self) -> None:
        self.connection.writer.transport.abort()

    def _send_past_the_end(self, kind: type, data: bytes) -> None:
        frame = kind(self.number, data=data)
        if kind is hyperframe.frame.HeadersFrame:
            frame.flags.add("END_HEADERS")
        self.connection.writer.write(frame.serialize())


class HTTP1Stream(Stream):
    def __init__(self, writer: asyncio.StreamWriter, headers: list[tuple[str, str]]) -> None:
        super().__init__(headers)
        self.writer = writer

    def send_head(self, headers: list[tuple[str, str]]) -> None:
        lines = [f"{name}: {value}\r\n" for name, value in headers if name != ":status"]
        self.writer.write(f"HTTP/1.1 {headers[0][1]} \r\n{''.join(lines)}transfer-encoding: chunked\r\n\r\n".encode())

    def send(self, data: bytes) -> None:
        self.writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def end(self) -> None:
        self.writer.write(b"0\r\n\r\n")

    def close_connection(self) -> None:
        self.writer.transport.abort()


class Endpoint:
    """Listens on two ports, one per version of HTTP, and passes each request to `invoke`."""

    def __init__(self, sdk: str, manifest: dict) -> None:
        self.sdk, self.manifest = sdk, manifest
        self.invoke: Callable[[Stream], Awaitable[None]]
        self.tasks: set[asyncio.Task] = set()
        self.trouble: list[str] = []

    async def start(self) -> None:
        self.servers = [await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=2**20) for _ in range(2)]
        self.ports = [server.sockets[0].getsockname()[1] for server in self.servers]

    def uri(self, is_http1: bool) -> str:
        return f"http://127.0.0.1:{self.ports[is_http1]}"

    async def stop(self) -> None:
        for server in self.servers:
            server.close()
        for task in list(self.tasks):
            task.cancel()

    def begin(self, stream: Stream) -> None:
        task = asyncio.create_task(self._answer(stream))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _answer(self, stream: Stream) -> None:
        if stream.header(":path") == "/discover":
            stream.send_head([(":status", "200"), ("content-type", "application/vnd.restate.endpointmanifest.v4+json"),
                              ("x-restate-server", self.sdk)])  # fmt: skip
            mode = {} if not isinstance(stream, HTTP1Stream) else {"protocolMode": http1_mode(self.sdk)}
            stream.send(json.dumps(self.manifest | mode).encode())
            stream.end()
        else:
            await self.invoke(stream)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self.tasks.add(task)
        try:
            first = await reader.read(65_536)
            if first.startswith(b"PRI"):
                await self._http2(reader, writer, first)
            elif first:
                await self._http1(reader, writer, first)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        except h2.exceptions.ProtocolError as error:
            self.trouble.append(f"the server broke HTTP/2: {error}")
        finally:
            self.tasks.discard(task)
            writer.close()

    async def _http2(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: bytes) -> None:
        connection = HTTP2Connection(self, reader, writer)
        try:
            await connection.run(first)
        finally:
            for stream in connection.streams.values():
                stream.finish("connection closed")

    async def _http1(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes) -> None:
        stream: HTTP1Stream | None = None
        while True:
            while b"\r\n\r\n" not in data:
                if not (more := await reader.read(65_536)):
                    # Harmless for a request that was answered; else the client has given it up.
                    return stream.finish(RESET) if stream else None
                data += more
            head, _, data = data.partition(b"\r\n\r\n")
            first, *lines = head.decode().split("\r\n")
            method, path, _ = first.split(" ")
            pairs = [line.partition(": ") for line in lines]
            stream = HTTP1Stream(writer, [(":method", method), (":path", path)] + [(k, v) for k, _, v in pairs])
            self.begin(stream)
            if stream.header("transfer-encoding") == "chunked":
                data = await self._chunks(reader, stream, data)

    async def _chunks(self, reader: asyncio.StreamReader, stream: Stream, data: bytes) -> bytes:
        """Gives what comes behind the body."""
        while True:
            while b"\r\n" not in data:
                if not (more := await reader.read(65_536)):
                    stream.finish(RESET)
                    raise ConnectionError
                data += more
            size, _, data = data.partition(b"\r\n")
            need = int(size, 16) + 2
            while len(data) < need:
                data += await reader.readexactly(need - len(data))
            if need == 2:
                stream.finish(END)
                return data[2:]
            stream.feed(data[: need - 2])
            data = data[need:]


def http1_mode(sdk: str) -> str:
    """What the SDKs announce over HTTP/1.1: Go lets both directions flow at once, the others answer a request."""
    return "BIDI_STREAM" if sdk.startswith("go-") else "REQUEST_RESPONSE"
