#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Negative, zero or positive, as `left` comes before, is, or comes after `right` in byte order.
@inline(__always)
func compareBytes(
    _ left: some RandomAccessCollection<UInt8>, _ right: some RandomAccessCollection<UInt8>
) -> Int {
    let order = left.withContiguousStorageIfAvailable { left in
        right.withContiguousStorageIfAvailable { right in
            compareBuffers(UnsafeRawBufferPointer(left), UnsafeRawBufferPointer(right))
        }
    }
    if let order, let order { return order }
    return left.lexicographicallyPrecedes(right) ? -1 : (left.elementsEqual(right) ? 0 : 1)
}

@inline(__always)
func compareBuffers(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
    let shared = min(left.count, right.count)
    if shared > 0, let leftBase = left.baseAddress, let rightBase = right.baseAddress {
        let order = memcmp(leftBase, rightBase, shared)
        if order != 0 { return Int(order) }
    }
    return left.count - right.count
}
