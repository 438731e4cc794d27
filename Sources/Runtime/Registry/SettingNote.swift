import HoldfastEngine

/// Tells operators that a setting has not the effect that it seems to have (admin §5.1).
struct SettingNote: Sendable, Equatable {
    let code: String
    let message: String
}

/// Finds the notes on the settings of services and handlers.
enum SettingNotes {
    static func ofService(
        _ settings: HandlerSettings, _ kind: ServiceKind, _ mode: ProtocolMode, _ defaults: InvocationDefaults
    ) -> [SettingNote] {
        inactivity(settings, mode, of: "service")
            + clamped("journal", settings.journalRetention ?? defaults.journalRetention, defaults.journalRetentionMax)
            + clamped(
                "idempotency", settings.idempotencyRetention ?? defaults.idempotencyRetention,
                defaults.idempotencyRetentionMax)
            + (kind == .workflow
                ? clamped(
                    "workflow_completion",
                    settings.workflowCompletionRetention ?? defaults.workflowCompletionRetention,
                    defaults.workflowCompletionRetentionMax) : [])
    }

    /// Of a handler only what it sets itself counts; the rest is noted at its service.
    static func ofHandler(
        _ settings: HandlerSettings, _ kind: TargetKind, _ mode: ProtocolMode, _ defaults: InvocationDefaults
    ) -> [SettingNote] {
        inactivity(settings, mode, of: "handler")
            + clamped("journal", settings.journalRetention, defaults.journalRetentionMax)
            + clamped("idempotency", settings.idempotencyRetention, defaults.idempotencyRetentionMax)
            + (kind == .workflowRun
                ? clamped(
                    "workflow_completion", settings.workflowCompletionRetention,
                    defaults.workflowCompletionRetentionMax) : [])
    }

    private static func inactivity(
        _ settings: HandlerSettings, _ mode: ProtocolMode, of what: String
    ) -> [SettingNote] {
        guard mode == .requestResponse, let timeout = settings.inactivityTimeout else { return [] }
        return [
            SettingNote(
                code: "RT0021",
                message: "The configured inactivity_timeout \(formatDuration(.milliseconds(timeout))) will not be "
                    + "applied because the \(what) is exposed in Request/Response mode.")
        ]
    }

    private static func clamped(_ setting: String, _ value: UInt64?, _ maximum: UInt64?) -> [SettingNote] {
        guard let value, let maximum, value > maximum else { return [] }
        return [
            SettingNote(
                code: "RT0022",
                message: "The configured \(setting)_retention is clamped to the maximum server limit.")
        ]
    }
}
