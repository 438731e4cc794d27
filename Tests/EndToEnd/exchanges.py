"""HTTP/2 (prior knowledge) and HTTP/1.1 for endpoints that do what no web framework lets one do: answer before the request
has ended, half an answer, a reset."""

import asyncio

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings


class Exchange:
    """One request and its response. `listener` hears `data`, `ended` and `cut`."""

    path = ""
    http = ""

    def __init__(self, headers: dict, connection: asyncio.StreamWriter) -> None:
        self.headers = headers
        self.connection = connection
        self.listener = None

    def tell(self, event: str, *arguments) -> None:
        if self.listener is not None:
            getattr(self.listener, event)(*arguments)


class HTTP2Exchange(Exchange):
    http = "2"

    def __init__(self, connection: "HTTP2", stream: int, headers: dict) -> None:
        super().__init__(headers, connection.writer)
        self.path = headers[":path"]
        self._connection, self._stream = connection, stream

    async def head(self, status: int, headers: dict) -> None:
        self._do(lambda h: h.send_headers(self._stream, [(":status", str(status)), *headers.items()]))

    async def body(self, data: bytes) -> None:
        place = 0
        while place < len(data):
            try:
                h = self._connection.h2
                room = min(h.local_flow_control_window(self._stream), h.max_outbound_frame_size, len(data) - place)
                if room > 0:
                    h.send_data(self._stream, data[place : place + room])
                    place += room
                    await self._connection.flush()
                else:
                    await self._connection.wait_for_room()
            except h2.exceptions.ProtocolError:
                return  # It was cut off meanwhile.

    async def end(self) -> None:
        self._do(lambda h: h.end_stream(self._stream))

    def reset(self) -> None:
        self._do(lambda h: h.reset_stream(self._stream, h2.errors.ErrorCodes.INTERNAL_ERROR))

    def _do(self, action) -> None:
        try:
            action(self._connection.h2)
            self._connection.send()
        except h2.exceptions.ProtocolError:
            pass


class HTTP2:
    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        self.writer = writer
        self._room = asyncio.Event()
        self.exchanges: dict[int, HTTP2Exchange] = {}

    def send(self) -> None:
        self.writer.write(self.h2.data_to_send())

    async def flush(self) -> None:
        self.send()
        await self.writer.drain()

    async def wait_for_room(self) -> None:
        self._room.clear()
        await self._room.wait()

    def heard(self, event, begins) -> None:
        match event:
            case h2.events.RequestReceived():
                exchange = HTTP2Exchange(self, event.stream_id, dict(event.headers))
                self.exchanges[event.stream_id] = exchange
                begins(exchange)
            case h2.events.DataReceived():
                self.exchanges[event.stream_id].tell("data", event.data)
                if event.flow_controlled_length:
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            case h2.events.StreamEnded():
                self.exchanges[event.stream_id].tell("ended")
            case h2.events.StreamReset():
                self._room.set()
                self.exchanges[event.stream_id].tell("cut")
            case h2.events.WindowUpdated() | h2.events.RemoteSettingsChanged():
                self._room.set()


async def serve_http2(first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, begins) -> None:
    connection = HTTP2(writer)
    connection.h2.update_settings({h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 10_000})
    connection.h2.initiate_connection()
    data = first
    try:
        while data:
            for event in connection.h2.receive_data(data):
                connection.heard(event, begins)
            await connection.flush()
            data = await reader.read(65_536)
    except h2.exceptions.ProtocolError:
        await connection.flush()
    finally:
        for exchange in connection.exchanges.values():
            exchange.tell("cut")


class HTTP1Exchange(Exchange):
    http = "1.1"

    def __init__(self, writer: asyncio.StreamWriter, path: str, headers: dict) -> None:
        super().__init__(headers, writer)
        self.path = path
        self.over = asyncio.Event()

    async def head(self, status: int, headers: dict) -> None:
        lines = [f"{name}: {text}" for name, text in headers.items()]
        lines = [f"HTTP/1.1 {status} x", *lines, "transfer-encoding: chunked", "", ""]
        await self._write("\r\n".join(lines).encode())

    async def body(self, data: bytes) -> None:
        if data:
            await self._write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    async def end(self) -> None:
        await self._write(b"0\r\n\r\n")
        self.over.set()

    def reset(self) -> None:
        self.connection.close()
        self.over.set()

    async def _write(self, data: bytes) -> None:
        if not self.connection.is_closing():
            self.connection.write(data)
            await self.connection.drain()


async def serve_http1(first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, begins) -> None:
    buffer = bytearray(first)

    async def until(end: bytes) -> bytes:
        while end not in buffer:
            data = await reader.read(65_536)
            if not data:
                raise asyncio.IncompleteReadError(bytes(buffer), None)
            buffer.extend(data)
        place = buffer.index(end)
        found = bytes(buffer[:place])
        del buffer[: place + len(end)]
        return found

    while True:
        line, *rest = (await until(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.strip().lower(): text.strip() for name, text in (one.split(":", 1) for one in rest)}
        exchange = HTTP1Exchange(writer, line.split(" ")[1], headers)
        begins(exchange)
        try:
            if headers.get("transfer-encoding") == "chunked":
                while size := int(await until(b"\r\n"), 16):
                    while len(buffer) < size + 2:
                        data = await reader.read(65_536)
                        if not data:
                            raise asyncio.IncompleteReadError(bytes(buffer), size)
                        buffer.extend(data)
                    exchange.tell("data", bytes(buffer[:size]))
                    del buffer[: size + 2]
                await until(b"\r\n")
            exchange.tell("ended")
            if not exchange.over.is_set():
                # Either the response ends, or the server closes the connection.
                closed = asyncio.ensure_future(reader.read(1))
                over = asyncio.ensure_future(exchange.over.wait())
                done, pending = await asyncio.wait([closed, over], return_when=asyncio.FIRST_COMPLETED)
                for task in pending:
                    task.cancel()
                await asyncio.wait([closed, over])
                if closed in done:
                    if not closed.result():
                        raise asyncio.IncompleteReadError(b"", 1)
                    buffer.extend(closed.result())
                    await exchange.over.wait()
        except (ConnectionError, asyncio.IncompleteReadError):
            exchange.tell("cut")
            raise
