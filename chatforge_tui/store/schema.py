"""The tables, version by version, and the two numbers by which the file is recognised.

Nothing here touches a file: migrations.py runs these statements. Those of a version that has been released never
change: the next version adds to them. The full-text index is derived data and not part of the schema: search.py makes
it where the engine can.

Ids are text (UUIDv7), so every row says by itself what it belongs to, also when only some rows can be salvaged.
A text is kept where it is searched or grows: a prompt in `turn`, the text of a part in `part.text`. What streams in goes
to `text_log`, where one row has what all turns of a program got until one commit (text_log.py), and on to `chunk`, by turn,
where a turn goes on for longer than the log may grow; both until the turn ends. All other fields of a part are JSON in
`part.body`. Of attachments, turn and session say what they are; their bytes are in `attached`, once for each session,
however many of its turns they went along with.
"""

APPLICATION_ID = 0x43_46_72_67
""""CFrg" in the file's header: tells a ChatForge store from any other SQLite file."""

_FIRST = (
    """
    CREATE TABLE session (
        id TEXT PRIMARY KEY,
        title TEXT NOT NULL,
        title_is_manual INTEGER NOT NULL,
        endpoint TEXT NOT NULL,
        protocol TEXT NOT NULL,
        model TEXT NOT NULL,
        token_env TEXT NOT NULL,
        position INTEGER NOT NULL,
        is_open INTEGER NOT NULL,
        is_active INTEGER NOT NULL,
        context_id TEXT,
        waiting_task TEXT,
        draft TEXT NOT NULL,
        anchor TEXT NOT NULL,
        unread INTEGER NOT NULL,
        turns INTEGER NOT NULL DEFAULT 0,
        created REAL NOT NULL,
        updated REAL NOT NULL,
        trashed REAL
    ) STRICT
    """,
    """
    CREATE TABLE instance (
        id TEXT PRIMARY KEY,
        host TEXT NOT NULL,
        pid INTEGER NOT NULL,
        terminal TEXT NOT NULL,
        started REAL NOT NULL
    ) STRICT
    """,
    # `key` names a turn in the full-text index: an explicit integer, for VACUUM renumbers implicit ones.
    """
    CREATE TABLE turn (
        key INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        session TEXT NOT NULL REFERENCES session (id) ON DELETE CASCADE,
        ordinal INTEGER NOT NULL,
        state TEXT NOT NULL,
        instance TEXT,
        prompt TEXT NOT NULL,
        form TEXT,
        request_id TEXT NOT NULL,
        started REAL NOT NULL,
        accepted REAL,
        first_output REAL,
        ended REAL,
        agent TEXT NOT NULL,
        protocol TEXT NOT NULL,
        task_id TEXT,
        answers_task TEXT,
        usage TEXT,
        finish_reason TEXT NOT NULL,
        problem TEXT,
        retry_at REAL,
        sha256 TEXT,
        is_indexed INTEGER NOT NULL DEFAULT 0
    ) STRICT
    """,
    # Not unique: two programs may give two turns one ordinal; the id, which sorts by time, decides.
    "CREATE INDEX turn_by_session ON turn (session, ordinal, id)",
    # The turns that a program was running, for the check at the next start; nearly always none.
    "CREATE INDEX turn_live ON turn (instance) WHERE state IN ('queued', 'connecting', 'streaming')",
    "CREATE INDEX turn_not_indexed ON turn (key) WHERE is_indexed = 0",
    # Counted as they come and go: counting all turns of all sessions at every start would be half its time.
    """
    CREATE TRIGGER turn_added AFTER INSERT ON turn BEGIN
        UPDATE session SET turns = turns + 1 WHERE id = new.session;
    END
    """,
    """
    CREATE TRIGGER turn_removed AFTER DELETE ON turn BEGIN
        UPDATE session SET turns = turns - 1 WHERE id = old.session;
    END
    """,
    """
    CREATE TABLE part (
        turn TEXT NOT NULL REFERENCES turn (id) ON DELETE CASCADE,
        idx INTEGER NOT NULL,
        kind TEXT NOT NULL,
        text TEXT,
        body TEXT NOT NULL,
        PRIMARY KEY (turn, idx)
    ) STRICT
    """,
    """
    CREATE TABLE plan (
        turn TEXT NOT NULL REFERENCES turn (id) ON DELETE CASCADE,
        sequence INTEGER NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (turn, sequence)
    ) STRICT
    """,
    # Which program alone may write in a session; it counts while that program's lock is held. `asked` wants it next.
    """
    CREATE TABLE hold (
        session TEXT PRIMARY KEY REFERENCES session (id) ON DELETE CASCADE,
        instance TEXT NOT NULL,
        asked TEXT
    ) STRICT
    """,
    # What the store knows about itself, e.g. that deleted words are still to be wiped out of the full-text index.
    """
    CREATE TABLE fact (
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE chunk (
        turn TEXT NOT NULL REFERENCES turn (id) ON DELETE CASCADE,
        seq INTEGER NOT NULL,
        idx INTEGER NOT NULL,
        field TEXT NOT NULL,
        text TEXT NOT NULL,
        written REAL NOT NULL,
        PRIMARY KEY (turn, seq)
    ) STRICT
    """,
)
_ATTACHMENTS = (
    "ALTER TABLE session ADD COLUMN attachments TEXT",
    "ALTER TABLE turn ADD COLUMN attachments TEXT",
    """
    CREATE TABLE attached (
        session TEXT NOT NULL REFERENCES session (id) ON DELETE CASCADE,
        sha256 TEXT NOT NULL,
        content BLOB NOT NULL,
        PRIMARY KEY (session, sha256)
    ) STRICT
    """,
)
_TEXT_LOG = (
    # The key of the first row of the log that may have text of this turn; NULL when it is not live. Rows before it may have
    # some of an earlier request of the same turn.
    "ALTER TABLE turn ADD COLUMN logged_from INTEGER",
    # AUTOINCREMENT: no key is given twice, also when the log was empty in between.
    """
    CREATE TABLE text_log (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        instance TEXT NOT NULL,
        written REAL NOT NULL,
        body BLOB NOT NULL
    ) STRICT
    """,
    "CREATE INDEX text_log_by_instance ON text_log (instance)",
)

VERSIONS = (_FIRST, _ATTACHMENTS, _TEXT_LOG)
"""VERSIONS[n] makes version n + 1 out of version n; version 0 is a file without tables."""
