#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A moment of the clock that never jumps.
struct Moment {
    private let nanoseconds: UInt64

    /// Now.
    init() {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        nanoseconds = UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    var elapsedNanoseconds: UInt64 { Moment().nanoseconds - nanoseconds }
    /// In seconds.
    var elapsed: Double { Double(elapsedNanoseconds) / 1e9 }
}

/// Blocks the calling thread.
func pause(_ seconds: Double) { usleep(UInt32(seconds * 1e6)) }

extension Array where Element: BinaryInteger {
    /// The value below which this fraction of the elements lies; 0 without elements.
    func quantile(_ fraction: Double) -> Element {
        isEmpty ? 0 : sorted()[Int((Double(count - 1) * fraction).rounded())]
    }
}
