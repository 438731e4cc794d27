#if os(Linux)
    import CHoldfastAIO
    import Glibc

    /// Writes that the kernel performs while their caller does something else.
    ///
    /// The kernel only does so past the page cache (`O_DIRECT`); elsewhere the write is over before the caller goes on,
    /// which is right, too.
    ///
    /// `@unchecked Sendable`: used by one thread at a time, the one that has the log's files.
    final class OverlappedWrites: @unchecked Sendable {
        private let context: io_context_t

        /// Nil if the kernel has no room for it, or doesn't know of it.
        init?() {
            var context: io_context_t?
            guard io_setup(1, &context) == 0, let context else { return nil }
            self.context = context
        }

        deinit { io_destroy(context) }

        /// As `pwrite`, with `body` called once the kernel has taken the write.
        ///
        /// - Returns: Nil if the kernel doesn't take it; then `body` was not called.
        func write(
            _ bytes: UnsafeRawBufferPointer, to descriptor: CInt, at offset: Int, meanwhile body: () -> Void
        ) -> Int? {
            var request = iocb()
            io_prep_pwrite(
                &request, descriptor, UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count,
                Int64(offset))
            let taken = withUnsafeMutablePointer(to: &request) { request in
                var requests: UnsafeMutablePointer<iocb>? = request
                return io_submit(context, 1, &requests)
            }
            guard taken == 1 else { return nil }
            body()
            var event = io_event()
            while true {
                let count = io_getevents(context, 1, 1, &event, nil)
                if count == 1 { break }
                // Until it is over the kernel reads the caller's memory.
                precondition(count == -EINTR, "the kernel tells how a write ended that it took")
            }
            let result = Int(bitPattern: event.res)
            guard result < 0 else { return result }
            errno = CInt(-result)
            return -1
        }
    }
#endif
