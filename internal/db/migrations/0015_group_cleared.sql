-- Up to which sequence a back end has cleared a group's history: members read nothing at or below it.
ALTER TABLE chat_group ADD COLUMN cleared_sequence BIGINT NOT NULL DEFAULT 0;
