/// A slice of bytes: how payloads travel through the program, without being copied.
public typealias Bytes = ArraySlice<UInt8>
