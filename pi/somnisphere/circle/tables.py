"""The tables of the circle in the household's file. Apart from who uses them: a backup needs no cryptography."""

MIGRATIONS = (
    """
    CREATE TABLE circle (
        one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL, name TEXT NOT NULL, household_name TEXT NOT NULL,
        serial INTEGER NOT NULL, invited_by TEXT NOT NULL, proof BLOB NOT NULL, has_left INTEGER NOT NULL,
        host TEXT NOT NULL, port INTEGER NOT NULL, tls INTEGER NOT NULL);
    CREATE TABLE circle_member (
        household TEXT PRIMARY KEY, name TEXT NOT NULL, key BLOB NOT NULL, state TEXT NOT NULL,
        serial INTEGER NOT NULL, vouches_for_us INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE circle_invitation (
        nonce BLOB PRIMARY KEY, expires_at_s INTEGER NOT NULL, used_by TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE circle_offer (
        household TEXT NOT NULL, sha256 TEXT NOT NULL, payload BLOB NOT NULL, mine INTEGER NOT NULL,
        withdrawn INTEGER NOT NULL, PRIMARY KEY (household, sha256));
    CREATE TABLE circle_owner (sha256 TEXT PRIMARY KEY, household TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE circle_take (
        sha256 TEXT PRIMARY KEY, household TEXT NOT NULL, state TEXT NOT NULL, problem TEXT NOT NULL,
        path TEXT NOT NULL DEFAULT '') WITHOUT ROWID;
    CREATE TABLE circle_taken_back (
        household TEXT NOT NULL, sha256 TEXT NOT NULL, payload BLOB NOT NULL, PRIMARY KEY (household, sha256));
    """,
)
