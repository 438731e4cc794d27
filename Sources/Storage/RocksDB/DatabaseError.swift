import CHoldfastRocksDB
import HoldfastEngine

/// Calls a function of the C library that reports an error through a string that the caller frees.
func throwing<Result>(
    _ operation: @autoclosure () -> String,
    _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
) throws(StorageError) -> Result {
    var message: UnsafeMutablePointer<CChar>?
    let result = body(&message)
    guard let message else { return result }
    defer { rocksdb_free(message) }
    throw .database(operation(), String(cString: message))
}

extension Array where Element == UInt8 {
    /// Calls `body` with the bytes as the C library names them.
    @inline(__always)
    func withCharacters<Result, Failure: Error>(
        _ body: (UnsafePointer<CChar>?, Int) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try withUnsafeBufferPointer { (buffer) throws(Failure) in
            try body(UnsafeRawPointer(buffer.baseAddress)?.assumingMemoryBound(to: CChar.self), buffer.count)
        }
    }
}

extension Array where Element == UInt8 {
    /// A copy of bytes of the C library.
    @inline(__always)
    init(copying start: UnsafePointer<CChar>, count: Int) {
        self.init(UnsafeRawBufferPointer(start: start, count: count))
    }
}
