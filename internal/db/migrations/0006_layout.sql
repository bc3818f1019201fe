-- What a message changes of the conversations of its chat stands in the chat's row, for each side: low is the account low_id, or
-- everybody in a chat that has no other side, high the account high_id. counted is how many messages ever counted as unread
-- there, listed the sequence of the newest one that moves the list, last_id and last_ord the one that is last in the chat's
-- order. changed_at is when a message was added, edited or recalled.
ALTER TABLE chat ADD COLUMN changed_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE chat ADD COLUMN low_counted BIGINT NOT NULL DEFAULT 0;
ALTER TABLE chat ADD COLUMN low_listed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE chat ADD COLUMN low_last_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE chat ADD COLUMN low_last_ord BIGINT NOT NULL DEFAULT 0;
ALTER TABLE chat ADD COLUMN high_counted BIGINT NOT NULL DEFAULT 0;
ALTER TABLE chat ADD COLUMN high_listed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE chat ADD COLUMN high_last_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE chat ADD COLUMN high_last_ord BIGINT NOT NULL DEFAULT 0;
UPDATE chat SET
	low_counted = COALESCE((SELECT v.unread FROM conversation v WHERE v.owner_id = chat.low_id AND v.chat_id = chat.id), 0),
	low_listed = COALESCE((SELECT CASE WHEN v.listed THEN chat.last_sequence ELSE 0 END
		FROM conversation v WHERE v.owner_id = chat.low_id AND v.chat_id = chat.id), 0),
	low_last_id = COALESCE((SELECT v.last_id FROM conversation v WHERE v.owner_id = chat.low_id AND v.chat_id = chat.id), 0),
	low_last_ord = COALESCE((SELECT v.last_ord FROM conversation v WHERE v.owner_id = chat.low_id AND v.chat_id = chat.id), 0);
UPDATE chat SET
	high_counted = COALESCE((SELECT v.unread FROM conversation v WHERE v.owner_id = chat.high_id AND v.chat_id = chat.id), 0),
	high_listed = COALESCE((SELECT CASE WHEN v.listed THEN chat.last_sequence ELSE 0 END
		FROM conversation v WHERE v.owner_id = chat.high_id AND v.chat_id = chat.id), 0),
	high_last_id = COALESCE((SELECT v.last_id FROM conversation v WHERE v.owner_id = chat.high_id AND v.chat_id = chat.id), 0),
	high_last_ord = COALESCE((SELECT v.last_ord FROM conversation v WHERE v.owner_id = chat.high_id AND v.chat_id = chat.id), 0)
WHERE low_id <> high_id;

-- A conversation's row changes by what its owner does, and by what is done to his messages. side is the part of the chat's row
-- that speaks of it, 0 low and 1 high. Of the counted messages those that are settled are not unread: they are read, or
-- recalled, or stood in the list when it was removed. It is listed while a message that moves the list stands behind
-- uncounted.
ALTER TABLE conversation ADD COLUMN side BIGINT NOT NULL DEFAULT 0;
ALTER TABLE conversation ADD COLUMN settled BIGINT NOT NULL DEFAULT 0;
UPDATE conversation SET side = 1
WHERE owner_id = (SELECT c.high_id FROM chat c WHERE c.id = conversation.chat_id AND c.low_id <> c.high_id);
ALTER TABLE conversation DROP COLUMN unread;
ALTER TABLE conversation DROP COLUMN last_id;
ALTER TABLE conversation DROP COLUMN last_ord;
ALTER TABLE conversation DROP COLUMN listed;

-- A program that alone writes the store knows itself which messages were stored lately (chat/duplicate.go).
--only sqlite
DROP INDEX message_key;
