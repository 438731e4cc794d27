/// The version of this program.
public enum ProductVersion {
    /// Semantic versioning.
    public static let text = "0.1.0"

    /// What the admin API reports: clients of Restate choose their features by the first part (admin §3).
    public static let compatibleText = "1.7.12+holdfast.\(text)"
}
