-- The live rooms in which something was said. sequence is the newest number that a node has taken for messages and tips of the
-- room; nodes take them in blocks, so that a message costs no commit.
CREATE TABLE live_room (
    group_id BIGINT NOT NULL PRIMARY KEY,
    app_id   BIGINT NOT NULL,
    sequence BIGINT NOT NULL
);
CREATE INDEX live_room_app ON live_room (app_id, group_id);
