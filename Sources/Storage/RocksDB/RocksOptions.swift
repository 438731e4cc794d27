import CHoldfastRocksDB
import HoldfastEngine

/// The bounds of a store's memory and of its background work. Sizes are bytes.
public struct RocksOptions: Sendable {
    /// Blocks of table files that are kept in memory, indexes and filters among them.
    public var blockCacheSize = 24 << 20
    /// What all memtables together may hold, before they are written to table files.
    public var memtablesSize = 32 << 20
    /// What one memtable may hold.
    public var memtableSize = 16 << 20
    /// What one file of the log may hold; the log needs about `memtablesSize`, and keeps its files.
    public var logFileSize = 16 << 20
    /// Threads that write and compact table files.
    public var backgroundThreads = 2
    /// Table files that are kept open.
    public var openFiles = 256

    /// The defaults, for a server under load in 150 MB of memory.
    public init() {}
}

/// The options of a database and its column families, as the C library wants them.
struct DatabaseOptions: ~Copyable {
    let database: OpaquePointer
    private let cache: OpaquePointer
    private let environment: OpaquePointer
    /// One per family, in the order of `Family.allCases`.
    let families: [OpaquePointer]

    init(_ options: RocksOptions) {
        database = rocksdb_options_create()
        cache = rocksdb_cache_create_lru(options.blockCacheSize)
        environment = rocksdb_create_default_env()
        let cache = cache
        families = Family.allCases.map { Self.family($0, options, cache) }
        rocksdb_env_set_background_threads(environment, CInt(clamping: options.backgroundThreads))
        rocksdb_env_set_high_priority_background_threads(environment, 1)
        setDatabase(options)
    }

    deinit {
        families.forEach(rocksdb_options_destroy)
        rocksdb_options_destroy(database)
        rocksdb_cache_destroy(cache)
        rocksdb_env_destroy(environment)
    }

    private func setDatabase(_ options: RocksOptions) {
        rocksdb_options_set_env(database, environment)
        rocksdb_options_set_create_if_missing(database, 1)
        rocksdb_options_set_create_missing_column_families(database, 1)
        rocksdb_options_set_max_open_files(database, CInt(clamping: options.openFiles))
        rocksdb_options_set_max_file_opening_threads(database, 2)
        rocksdb_options_set_max_background_jobs(database, CInt(clamping: options.backgroundThreads))
        rocksdb_options_set_db_write_buffer_size(database, options.memtablesSize)
        // Without RocksDB's own log, table files must hold the same commits in all families.
        rocksdb_options_set_atomic_flush(database, 1)
        rocksdb_options_set_bytes_per_sync(database, 1 << 20)
        rocksdb_options_set_avoid_unnecessary_blocking_io(database, 1)
        rocksdb_options_set_max_manifest_file_size(database, 4 << 20)
        // Nobody reads RocksDB's statistics; its own log tells of trouble only.
        rocksdb_options_set_stats_dump_period_sec(database, 0)
        rocksdb_options_set_stats_persist_period_sec(database, 0)
        rocksdb_options_set_info_log_level(database, 2)
        rocksdb_options_set_max_log_file_size(database, 1 << 20)
        rocksdb_options_set_keep_log_file_num(database, 2)
    }

    private static func family(
        _ family: Family, _ options: RocksOptions, _ cache: OpaquePointer
    ) -> OpaquePointer {
        let made: OpaquePointer = rocksdb_options_create()
        rocksdb_options_set_write_buffer_size(made, options.memtableSize)
        rocksdb_options_set_max_write_buffer_number(made, 3)
        // A memtable grows by such blocks, and must not be full with the first one.
        rocksdb_options_set_arena_block_size(made, min(256 << 10, options.memtableSize / 8))
        rocksdb_options_set_target_file_size_base(made, 16 << 20)
        rocksdb_options_set_max_bytes_for_level_base(made, 64 << 20)
        rocksdb_options_set_level_compaction_dynamic_level_bytes(made, 1)
        rocksdb_options_set_compression(made, CInt(rocksdb_lz4_compression))
        rocksdb_options_set_bottommost_compression(made, CInt(rocksdb_zstd_compression))
        rocksdb_options_set_block_based_table_factory(made, tables(family, cache))
        switch family {
        case .journals, .queues:
            // What is written here is deleted soon. A file that is mostly deletions is compacted early, so that a
            // scan does not walk over them.
            rocksdb_options_add_compact_on_deletion_collector_factory(made, 4096, 2048)
        case .invocations, .state, .metadata:
            break
        }
        return made
    }

    private static func tables(_ family: Family, _ cache: OpaquePointer) -> OpaquePointer {
        let made: OpaquePointer = rocksdb_block_based_options_create()
        // The table factory copies these options, and owns the filter policy.
        rocksdb_block_based_options_set_block_cache(made, cache)
        rocksdb_block_based_options_set_block_size(made, 8 << 10)
        rocksdb_block_based_options_set_format_version(made, 5)
        // Indexes and filters count against the cache's bound; otherwise memory would grow with the data.
        rocksdb_block_based_options_set_cache_index_and_filter_blocks(made, 1)
        rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(made, 1)
        rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(made, 1)
        switch family {
        case .invocations, .state:
            // Most requests ask for an invocation or a value that does not exist yet.
            rocksdb_block_based_options_set_filter_policy(made, rocksdb_filterpolicy_create_bloom_full(10))
        case .journals, .queues, .metadata:
            break
        }
        return made
    }
}
