import HoldfastWire

/// The encoding is that of protocol version 7, which is also how futures are stored:
///
///     1 completions (packed) · 2 signals (packed) · 3 named signals · 4 inner futures · 5 combinator
extension Future {
    /// How a message presents a future.
    enum Form {
        /// The lists of versions 5 and 6: only fields 1 to 3.
        case lists
        /// The tree of version 7.
        case tree
    }

    /// Decodes what `encoded` has made.
    ///
    /// - Throws: RT0012 for what cannot be decoded and for a future without any notification; RT0025 for more than
    ///   `maximumDepth` levels.
    public init(decoding bytes: Bytes, maximumDepth: Int = Future.maximumDepth) throws(ProtocolError) {
        try self.init(decoding: bytes, in: .suspension, form: .tree, maximumDepth: maximumDepth)
    }

    /// The encoded form. A single notification becomes a node that is completed first by it.
    public var encoded: [UInt8] {
        var bytes: [UInt8] = []
        ProtobufWriter.append(to: &bytes) { write(to: &$0) }
        return bytes
    }

    init(decoding bytes: Bytes, in type: MessageType, form: Form, maximumDepth: Int) throws(ProtocolError) {
        var nodes: [Node] = []
        var pending = [(message: bytes, depth: 1)]
        while let (message, depth) = pending.popLast() {
            guard depth <= maximumDepth else { throw .futureTooDeep(limit: maximumDepth) }
            var fields = Fields()
            do { try fields.read(message, form) } catch { throw .undecodable(type, error) }
            nodes += Self.flat(
                fields.combinator, fields.completions, fields.signals, fields.namedSignals,
                innerNodes: fields.inner.count)
            for inner in fields.inner.reversed() { pending.append((inner, depth + 1)) }
            guard nodes.count + pending.count <= Self.maximumNodeCount else {
                throw .futureTooLarge(limit: Self.maximumNodeCount)
            }
        }
        self.init(nodes: nodes)
        if isEmpty { throw .emptyFuture(type) }
    }

    /// The fields of one node.
    private struct Fields {
        var completions: [UInt32] = []
        var signals: [UInt32] = []
        var namedSignals: [String] = []
        var inner: [Bytes] = []
        var combinator = Combinator.unknown

        mutating func read(_ message: Bytes, _ form: Form) throws(WireError) {
            var reader = ProtobufReader(message)
            while let field = try reader.next() {
                switch (field.number, form) {
                case (1, _): try field.appendU32(to: &completions)
                case (2, _): try field.appendU32(to: &signals)
                case (3, _): namedSignals.append(try field.string)
                case (4, .tree): inner.append(try field.bytes)
                case (5, .tree): combinator = Combinator(rawValue: try field.u32) ?? .unknown
                default: break
                }
            }
        }
    }
}

extension Future {
    /// Writes the future as a nested message.
    func write(to writer: inout ProtobufWriter, field: UInt32) {
        let future = asNode
        writer.header(field, length: future.sizes[0])
        future.writeTree(to: &writer)
    }

    /// Writes the fields of the future.
    func write(to writer: inout ProtobufWriter) { asNode.writeTree(to: &writer) }

    /// Writes all leaves as lists.
    func writeLists(to writer: inout ProtobufWriter) {
        let node = Future.node(.unknown, Array(Set(leaves)).sorted(by: Self.isBefore).map(Future.leaf))
        Leaves(node.nodes[1...]).write(to: &writer)
    }

    private static func isBefore(_ left: Notification.ID, _ right: Notification.ID) -> Bool {
        switch (left, right) {
        case (.completion(let left), .completion(let right)), (.signal(let left), .signal(let right)): left < right
        case (.namedSignal(let left), .namedSignal(let right)): left < right
        case (.completion, _), (.signal, .namedSignal): true
        default: false
        }
    }

    private var asNode: Future {
        if case .leaf = nodes.first { .node(.firstCompleted, [self]) } else { self }
    }

    private func writeTree(to writer: inout ProtobufWriter) {
        let sizes = self.sizes
        // The nodes whose inner nodes are being written, with how many are left.
        var open: [(combinator: Combinator, innerNodes: Int)] = []
        for (index, node) in nodes.enumerated() {
            guard case .combinator(let combinator, let childCount) = node else { continue }
            if index > 0 { writer.header(4, length: sizes[index]) }
            let leaves = Leaves(nodes[(index + 1)...].prefix(childCount))
            leaves.write(to: &writer)
            open.append((combinator, childCount - leaves.count))
            while let last = open.last, last.innerNodes == 0 {
                writer.number(5, last.combinator.rawValue)
                open.removeLast()
                if let parent = open.indices.last { open[parent].innerNodes -= 1 }
            }
        }
    }

    /// The encoded size of each combinator, by its index in `nodes`; 0 for leaves.
    private var sizes: [Int] {
        var sizes = [Int](repeating: 0, count: nodes.count)
        var inner: [Int] = []
        for index in nodes.indices.reversed() {
            guard case .combinator(let combinator, let childCount) = nodes[index] else { continue }
            let leaves = Leaves(nodes[(index + 1)...].prefix(childCount))
            var size = leaves.size + (combinator == .unknown ? 0 : 2)
            for innerSize in inner.suffix(childCount - leaves.count) { size += Self.nestedSize(innerSize) }
            inner.removeLast(childCount - leaves.count)
            inner.append(size)
            sizes[index] = size
        }
        return sizes
    }

    private static func nestedSize(_ size: Int) -> Int { 1 + ProtobufWriter.size(ofVarint: UInt64(size)) + size }

    /// The leaves that stand at the beginning of a node's children.
    private struct Leaves {
        private(set) var count = 0
        private var completions: [UInt32] = []
        private var signals: [UInt32] = []
        private var namedSignals: [String] = []

        init(_ children: ArraySlice<Node>) {
            loop: for child in children {
                switch child {
                case .leaf(.completion(let id)): completions.append(id)
                case .leaf(.signal(let index)): signals.append(index)
                case .leaf(.namedSignal(let name)): namedSignals.append(name)
                case .combinator: break loop
                }
                count += 1
            }
        }

        var size: Int {
            let numbers = [completions, signals].filter { !$0.isEmpty }.reduce(0) { size, numbers in
                size + nestedSize(numbers.reduce(0) { $0 + ProtobufWriter.size(ofVarint: UInt64($1)) })
            }
            return namedSignals.reduce(numbers) { $0 + nestedSize($1.utf8.count) }
        }

        func write(to writer: inout ProtobufWriter) {
            writer.packed(1, completions)
            writer.packed(2, signals)
            for name in namedSignals { writer.string(3, optional: name) }
        }
    }
}
