-- How far the messages of an application were removed whose time was over: all up to the id removed_to were looked at.
CREATE TABLE retention (
	app_id BIGINT PRIMARY KEY,
	removed_to BIGINT NOT NULL
);

-- What a group's chat keeps of messages that were removed because their time was over: the highest sequence, how many of them ever
-- counted as unread, and when the latest one was sent, a unix second.
ALTER TABLE chat ADD COLUMN expired_sequence BIGINT NOT NULL DEFAULT 0;
ALTER TABLE chat ADD COLUMN expired_counted BIGINT NOT NULL DEFAULT 0;
ALTER TABLE chat ADD COLUMN expired_time BIGINT NOT NULL DEFAULT 0;

-- Who has deleted a message for himself, for the message that is removed.
CREATE INDEX deleted_message_chat ON deleted_message (chat_id, sequence);
