/// What a server needs for TLS.
public struct TLSServerOptions: Sendable {
    /// A PEM file with the certificate, followed by those of the intermediate authorities.
    public var certificateChainFile: String
    /// A PEM file with the private key.
    public var privateKeyFile: String

    /// The paths of both files.
    public init(certificateChainFile: String, privateKeyFile: String) {
        self.certificateChainFile = certificateChainFile
        self.privateKeyFile = privateKeyFile
    }
}

/// Whose certificates a client accepts.
public enum TLSTrust: Sendable, Hashable {
    /// Those of the system's authorities.
    case system
    /// Those of the authorities in a PEM file, and no others.
    case authorities(file: String)
    /// Any. For tests.
    case anything
}
