#!/usr/bin/env python3
"""Random messages of the service protocol, by Google's protobuf runtime.

    reference.py generate SEED COUNT   one JSON object a line: type, version, payload (hex), fields
    reference.py check SEED COUNT      reads re-encoded payloads (hex, one a line) and compares them with
                                       the messages that the same seed generates

The messages are defined by the table below, which is written down from the protocol's page and not from
our own code. Needs the package protobuf (Scripts/python-env).
"""
import json
import random
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

# A field: number, name, type; `?` optional, `*` repeated, `|` a member of the message's oneof (named by what
# stands behind it). Types with a capital letter are messages.
TABLE = """
Value: 1 content bytes
Void:
FailureMetadata: 1 key string; 2 value string
Failure: 1 code uint32; 2 message string; 3 metadata FailureMetadata*
Header: 1 key string; 2 value string
StateKeys: 1 keys bytes*
StateEntry: 1 key bytes; 2 value bytes
WorkflowTarget: 1 workflow_name string; 2 workflow_key string; 3 scope string?
IdempotentRequestTarget: 1 service_name string; 2 service_key string?; 3 handler_name string; 4 idempotency_key string; 5 scope string?
Future: 1 waiting_completions uint32*; 2 waiting_signals uint32*; 3 waiting_named_signals string*; 4 nested_futures Future*; 5 combinator_type uint32

Start: 1 id bytes; 2 debug_id string; 3 known_entries uint32; 4 state_map StateEntry*; 5 partial_state bool; 6 key string; 7 retry_count_since_last_stored_entry uint32; 8 duration_since_last_stored_entry uint64; 9 random_seed uint64; 10 scope string?; 11 limit_key string?; 12 idempotency_key string?
Suspension: 1 waiting_completions uint32*; 2 waiting_signals uint32*; 3 waiting_named_signals string*; 4 awaiting_on Future
Error: 1 code uint32; 2 message string; 3 stacktrace string; 4 related_command_index uint32?; 5 related_command_name string?; 6 related_command_type uint32?; 8 next_retry_delay uint64?; 9 behavior uint32
End:
CommandAck: 1 command_index uint32
ProposeRunCompletion: 1 result_completion_id uint32; 14 value bytes|result; 15 failure Failure|result
AwaitingOn: 1 awaiting_on Future; 2 executing_side_effects bool
ProposeRunCompletionAck: 1 completion_id uint32

Input: 1 headers Header*; 14 value Value; 12 name string
Output: 14 value Value|result; 15 failure Failure|result; 12 name string
GetLazyState: 1 key bytes; 11 result_completion_id uint32; 12 name string
SetState: 1 key bytes; 3 value Value; 12 name string
ClearState: 1 key bytes; 12 name string
ClearAllState: 12 name string
GetLazyStateKeys: 11 result_completion_id uint32; 12 name string
GetEagerState: 1 key bytes; 13 void Void|result; 14 value Value|result; 12 name string
GetEagerStateKeys: 14 value StateKeys; 12 name string
GetPromise: 1 key string; 11 result_completion_id uint32; 12 name string
PeekPromise: 1 key string; 11 result_completion_id uint32; 12 name string
CompletePromise: 1 key string; 2 completion_value Value|completion; 3 completion_failure Failure|completion; 11 result_completion_id uint32; 12 name string
Sleep: 1 wake_up_time uint64; 11 result_completion_id uint32; 12 name string
Call: 1 service_name string; 2 handler_name string; 3 parameter bytes; 4 headers Header*; 5 key string; 6 idempotency_key string?; 7 scope string?; 8 limit_key string?; 10 invocation_id_notification_idx uint32; 11 result_completion_id uint32; 12 name string
OneWayCall: 1 service_name string; 2 handler_name string; 3 parameter bytes; 4 invoke_time uint64; 5 headers Header*; 6 key string; 7 idempotency_key string?; 8 scope string?; 9 limit_key string?; 10 invocation_id_notification_idx uint32; 12 name string
SendSignal: 1 target_invocation_id string; 2 signal_idx uint32|signal_id; 3 signal_name string|signal_id; 4 void Void|result; 5 value Value|result; 6 failure Failure|result; 12 entry_name string
Run: 11 result_completion_id uint32; 12 name string
AttachInvocation: 1 invocation_id string|target; 3 idempotent_request_target IdempotentRequestTarget|target; 4 workflow_target WorkflowTarget|target; 11 result_completion_id uint32; 12 name string
GetInvocationOutput: 1 invocation_id string|target; 3 idempotent_request_target IdempotentRequestTarget|target; 4 workflow_target WorkflowTarget|target; 11 result_completion_id uint32; 12 name string
CompleteAwakeable: 1 awakeable_id string; 2 value Value|result; 3 failure Failure|result; 12 name string

Notification: 1 completion_id uint32|id; 2 signal_idx uint32|id; 3 signal_name string|id; 4 void Void|result; 5 value Value|result; 6 failure Failure|result; 16 invocation_id string|result; 17 state_keys StateKeys|result
"""

CODES = {
    0x0000: "Start", 0x0001: "Suspension", 0x0002: "Error", 0x0003: "End", 0x0004: "CommandAck",
    0x0005: "ProposeRunCompletion", 0x0006: "AwaitingOn", 0x0007: "ProposeRunCompletionAck",
    0x0400: "Input", 0x0401: "Output", 0x0402: "GetLazyState", 0x0403: "SetState", 0x0404: "ClearState",
    0x0405: "ClearAllState", 0x0406: "GetLazyStateKeys", 0x0407: "GetEagerState", 0x0408: "GetEagerStateKeys",
    0x0409: "GetPromise", 0x040A: "PeekPromise", 0x040B: "CompletePromise", 0x040C: "Sleep", 0x040D: "Call",
    0x040E: "OneWayCall", 0x0410: "SendSignal", 0x0411: "Run", 0x0412: "AttachInvocation",
    0x0413: "GetInvocationOutput", 0x0414: "CompleteAwakeable",
    **dict.fromkeys([0x8002, 0x8006, 0x8009, 0x800A, 0x800B, 0x800C, 0x800D, 0x800E, 0x8011, 0x8012, 0x8013, 0xFBFF],
                    "Notification"),
}


def message_classes():
    """The classes of the messages in the table."""
    file = descriptor_pb2.FileDescriptorProto(name="protocol.proto", package="protocol", syntax="proto3")
    scalar = descriptor_pb2.FieldDescriptorProto
    types = {"bytes": scalar.TYPE_BYTES, "string": scalar.TYPE_STRING, "uint32": scalar.TYPE_UINT32,
             "uint64": scalar.TYPE_UINT64, "bool": scalar.TYPE_BOOL}
    for line in filter(None, TABLE.splitlines()):
        name, _, fields = line.partition(":")
        message = file.message_type.add(name=name)
        optional = []
        for text in filter(None, map(str.strip, fields.split(";"))):
            number, field_name, type_name = text.split(" ")
            type_name, _, oneof = type_name.partition("|")
            base = type_name.rstrip("?*")
            field = message.field.add(name=field_name, number=int(number))
            field.label = scalar.LABEL_REPEATED if type_name.endswith("*") else scalar.LABEL_OPTIONAL
            if base in types:
                field.type = types[base]
            else:
                field.type, field.type_name = scalar.TYPE_MESSAGE, f".protocol.{base}"
            if oneof:
                names = [declaration.name for declaration in message.oneof_decl]
                if oneof not in names:
                    names.append(oneof)
                    message.oneof_decl.add(name=oneof)
                field.oneof_index = names.index(oneof)
            elif type_name.endswith("?"):
                optional.append(field)
        # The oneofs that stand for optional fields have to come last.
        for field in optional:
            field.proto3_optional = True
            field.oneof_index = len(message.oneof_decl)
            message.oneof_decl.add(name=f"_{field.name}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {message.name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"protocol.{message.name}"))
            for message in file.message_type}


class Generator:
    """Random messages, each with what the protocol requires and a random choice of the rest."""

    def __init__(self, seed, classes):
        self.random = random.Random(seed)
        self.classes = classes

    def message(self, code, version):
        message = self.classes[CODES[code]]()
        self.fill(message)
        name = CODES[code]
        if name == "Start":
            message.id = self.random.randbytes(24)
            if version < 7:
                for field in ["scope", "limit_key", "idempotency_key"]:
                    message.ClearField(field)
        if name == "Suspension":
            if version < 7:
                message.ClearField("awaiting_on")
                message.waiting_signals.append(1)
            else:
                for field in ["waiting_completions", "waiting_signals", "waiting_named_signals"]:
                    message.ClearField(field)
                self.future(message.awaiting_on, depth=4)
        if name == "AwaitingOn":
            self.future(message.awaiting_on, depth=4)
        if name == "Error":
            message.behavior = self.random.randrange(3)
            if message.HasField("related_command_type"):
                message.related_command_type = self.random.randrange(0x10000)
        if name == "ProposeRunCompletion" and self.random.random() < 0.1:
            message.ClearField("failure")
            message.ClearField("value")
        return message

    def fill(self, message):
        chosen = {oneof.name: self.random.choice(oneof.fields).name for oneof in message.DESCRIPTOR.oneofs}
        for field in message.DESCRIPTOR.fields:
            if field.message_type is not None and field.message_type.name == "Future":
                continue
            if field.is_repeated:
                count = self.random.choice([0, 0, 1, 2, 5])
                if field.message_type is not None:
                    for _ in range(count):
                        self.fill(getattr(message, field.name).add())
                else:
                    getattr(message, field.name).extend(self.scalar(field) for _ in range(count))
            elif field.containing_oneof is not None:
                synthetic = field.containing_oneof.name.startswith("_")
                if chosen[field.containing_oneof.name] != field.name or synthetic and self.random.random() < 0.5:
                    continue
                self.set(message, field)
            elif field.message_type is not None or self.random.random() < 0.7:
                self.set(message, field)

    def set(self, message, field):
        if field.message_type is not None:
            inner = getattr(message, field.name)
            inner.SetInParent()
            self.fill(inner)
        else:
            setattr(message, field.name, self.scalar(field))

    def scalar(self, field):
        kind = self.random.random()
        if field.type == field.TYPE_BOOL:
            return kind < 0.5
        if field.type in (field.TYPE_UINT32, field.TYPE_UINT64):
            bits = 32 if field.type == field.TYPE_UINT32 else 64
            return 0 if kind < 0.1 else self.random.getrandbits(self.random.randint(1, bits))
        length = 0 if kind < 0.1 else self.random.choice([1, 5, 20, 126, 127, 128, 300])
        if field.type == field.TYPE_BYTES:
            return self.random.randbytes(length)
        return "".join(self.random.choice("abc/_-é漢😀\0") for _ in range(length))

    def future(self, future, depth):
        future.SetInParent()
        future.combinator_type = self.random.randrange(5)
        future.waiting_completions.extend(self.random.getrandbits(9) for _ in range(self.random.randrange(3)))
        future.waiting_signals.extend([1, 17][: self.random.randrange(1, 3)])
        future.waiting_named_signals.extend("s" * n for n in range(self.random.randrange(3)))
        if depth > 0:
            for _ in range(self.random.randrange(3)):
                self.future(future.nested_futures.add(), depth - 1)


def fields(message):
    """The fields that are set, as the Swift test spells them."""
    return {field.name: [spell(element) for element in value] if field.is_repeated else spell(value)
            for field, value in message.ListFields()}


def spell(value):
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return {"hex": value.hex()}
    return value if isinstance(value, (int, str)) else fields(value)


def cases(seed, count):
    generator = Generator(seed, message_classes())
    codes = list(CODES)
    for index in range(count):
        version = generator.random.choice([5, 6, 7])
        code = codes[index % len(codes)]
        yield code, version, generator.message(code, version)


def meaning(code, version, message):
    """What has to survive: lists of a suspension are sets."""
    if CODES[code] == "Suspension" and version < 7:
        return {field.name: sorted(set(value)) for field, value in message.ListFields()}
    return message


def main():
    action, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    for index, (code, version, message) in enumerate(cases(seed, count)):
        if action == "generate":
            print(json.dumps({"type": code, "version": version, "payload": message.SerializeToString().hex(),
                              "fields": fields(message)}))
            continue
        line = sys.stdin.readline().strip()
        encoded = type(message).FromString(bytes.fromhex(line))
        if meaning(code, version, encoded) != meaning(code, version, message):
            sys.exit(f"message {index}, {CODES[code]} in version {version}, expected\n{message}\nfound\n{encoded}")


if __name__ == "__main__":
    main()
