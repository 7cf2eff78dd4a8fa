-- Runs, in the order of their acceptance. Times are microseconds since 1970.
CREATE TABLE runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    request_id TEXT,
    scenario TEXT NOT NULL,
    summary BLOB NOT NULL,
    version TEXT NOT NULL,
    -- State in src/run.rs.
    state BIGINT NOT NULL,
    -- What ended it: a verdict, or an interruption.
    verdict BIGINT,
    interruption BIGINT,
    -- How often the server ended while it was executed.
    attempts BIGINT NOT NULL DEFAULT 0,
    created BIGINT NOT NULL,
    began BIGINT,
    ended BIGINT,
    virtual_time BIGINT,
    -- How many events are stored, and the size of all that is.
    events BIGINT NOT NULL DEFAULT 0,
    bytes BIGINT NOT NULL,
    UNIQUE (tenant, request_id)
);
CREATE INDEX runs_of_tenant ON runs (tenant, number);
CREATE INDEX runs_by_state ON runs (state, number);

-- What to execute, compressed.
CREATE TABLE requests (
    run BIGINT PRIMARY KEY REFERENCES runs (number) ON DELETE CASCADE,
    content BLOB NOT NULL
);

CREATE TABLE labels (
    run BIGINT NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run, name)
);

-- Consecutive events of a run, compressed.
CREATE TABLE events (
    run BIGINT NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
    first BIGINT NOT NULL,
    count BIGINT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (run, first)
);
