import GRDB

/// The tables of `registry.sqlite`, and how older ones become today's.
///
/// Text is kept as people write it (`10.0.0.71`, `52:54:00:12:34:56`), so that `sqlite3` shows something readable;
/// moments are microseconds since 1970. A migration is never changed once released: the next one follows it.
enum RegistrySchema {
    /// Every migration, oldest first; a file that knows one more comes from a newer version and is refused.
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 fleet, leases, boots") { database in
            try database.execute(sql: firstTables)
        }
        migrator.registerMigration("2 settings by key") { database in
            // Settings are kept under the keys of the fleet file.
            for table in ["profile", "node"] {
                for (old, new) in [("via", "root.via"), ("writes", "root.writes")] {
                    try database.execute(
                        sql: """
                            UPDATE \(table) SET settings = json_remove(
                                json_set(settings, '$."\(new)"', json_extract(settings, '$.\(old)')), '$.\(old)'
                            ) WHERE json_extract(settings, '$.\(old)') IS NOT NULL
                            """
                    )
                }
            }
            try database.execute(sql: "ALTER TABLE profile ADD COLUMN inherits TEXT NOT NULL DEFAULT '[]'")
        }
        migrator.registerMigration("3 users, tags, selectors") { database in
            try database.execute(sql: usersAndTags)
        }
        migrator.registerMigration("4 unknown machines") { try $0.execute(sql: unknownMachines) }
        migrator.registerMigration("5 leases by journal, networks in full") { database in
            try database.execute(sql: networksInFull)
        }
        // Named, not numbered: it stands by itself, whatever other migrations come before or after it.
        migrator.registerMigration("identities of nodes") { database in
            try database.execute(
                sql: """
                    CREATE TABLE identity (
                        node TEXT PRIMARY KEY NOT NULL,
                        seed BLOB NOT NULL,
                        host_keys TEXT NOT NULL
                    )
                    """
            )
        }
        migrator.registerMigration("agent tokens") { database in
            try database.execute(sql: Registry.agentTokenTable)
        }
        return migrator
    }

    private static let usersAndTags = """
        CREATE TABLE user (
            name TEXT PRIMARY KEY NOT NULL,
            uid INTEGER NOT NULL UNIQUE,
            groups TEXT NOT NULL,
            full_name TEXT,
            shell TEXT NOT NULL,
            home TEXT NOT NULL,
            password TEXT,
            ssh_keys TEXT NOT NULL,
            profiles TEXT NOT NULL
        );
        CREATE TABLE tag (
            name TEXT PRIMARY KEY NOT NULL,
            number INTEGER NOT NULL
        );
        ALTER TABLE profile ADD COLUMN selectors TEXT NOT NULL DEFAULT '[]';
        ALTER TABLE boot ADD COLUMN facts TEXT;
        """

    private static let firstTables = """
        CREATE TABLE network (
            name TEXT PRIMARY KEY NOT NULL,
            interface TEXT,
            subnet TEXT NOT NULL,
            dhcp TEXT NOT NULL,
            pools TEXT NOT NULL,
            router TEXT,
            nameservers TEXT NOT NULL,
            domain TEXT,
            lease_seconds INTEGER NOT NULL,
            unknown_nodes TEXT NOT NULL
        );
        CREATE TABLE profile (
            name TEXT PRIMARY KEY NOT NULL,
            settings TEXT NOT NULL
        );
        CREATE TABLE node (
            name TEXT PRIMARY KEY NOT NULL,
            macs TEXT NOT NULL,
            uuid TEXT UNIQUE,
            address TEXT UNIQUE,
            profiles TEXT NOT NULL,
            settings TEXT NOT NULL
        );
        CREATE TABLE lease (
            address TEXT PRIMARY KEY NOT NULL,
            mac TEXT NOT NULL,
            network TEXT NOT NULL,
            state TEXT NOT NULL,
            granted INTEGER NOT NULL,
            expires INTEGER NOT NULL,
            hostname TEXT
        );
        CREATE TABLE boot (
            id TEXT PRIMARY KEY NOT NULL,
            node TEXT NOT NULL,
            mac TEXT NOT NULL,
            started INTEGER NOT NULL,
            progress TEXT NOT NULL,
            image TEXT,
            architecture INTEGER,
            up INTEGER,
            failure TEXT
        );
        CREATE INDEX boot_of_node ON boot (node, started);
        CREATE INDEX boot_by_start ON boot (started);
        CREATE TABLE event (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            boot TEXT,
            time INTEGER NOT NULL,
            node TEXT NOT NULL,
            mac TEXT NOT NULL,
            kind TEXT NOT NULL,
            address TEXT,
            file TEXT,
            bytes INTEGER,
            seconds REAL,
            detail TEXT
        );
        CREATE INDEX event_of_boot ON event (boot, id);
        CREATE INDEX event_by_time ON event (time);
        CREATE TRIGGER boot_takes_its_events AFTER DELETE ON boot BEGIN
            DELETE FROM event WHERE boot = OLD.id;
        END;
        """

    /// An older version, which knows nothing of the journal, refuses a file that has this.
    private static let networksInFull = """
        ALTER TABLE lease ADD COLUMN kept INTEGER NOT NULL DEFAULT 0;
        UPDATE lease SET kept = expires;
        CREATE TABLE lease_journal (generation INTEGER NOT NULL);
        INSERT INTO lease_journal VALUES (0);
        ALTER TABLE network ADD COLUMN terms TEXT NOT NULL DEFAULT '{}';
        ALTER TABLE node ADD COLUMN identities TEXT NOT NULL DEFAULT '[]';
        """
}
