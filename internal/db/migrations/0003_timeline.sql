-- A chat has a kind: 1 is what two accounts share, named by both in order. Others are named by low_id, and high_id is 0, which
-- is no account.
ALTER TABLE chat ADD COLUMN kind BIGINT NOT NULL DEFAULT 1;

-- A message stands where its order and its sequence say: chat_id, ord, sequence. ord is the second by which a chat of two
-- accounts is sorted, never less than the chat's newest one, so that a clock that is set back moves nothing; sent_at is
-- what the clock said.
ALTER TABLE chat RENAME COLUMN last_time TO last_ord;
ALTER TABLE message ADD COLUMN ord BIGINT NOT NULL DEFAULT 0;
UPDATE message SET ord = sent_at;
DROP INDEX message_order;
CREATE UNIQUE INDEX message_position ON message (chat_id, ord, sequence);

-- What is read is a matter of sequences: everything at or below read_sequence. Unread messages stand at read_ord or behind
-- it, but for imports of older ones. read_time is what others are told.
ALTER TABLE conversation RENAME COLUMN last_time TO last_ord;
ALTER TABLE conversation ADD COLUMN read_sequence BIGINT NOT NULL DEFAULT 0;
ALTER TABLE conversation ADD COLUMN read_ord BIGINT NOT NULL DEFAULT 0;
UPDATE conversation SET read_ord = read_time, read_sequence = COALESCE(
	(SELECT MIN(m.sequence) - 1 FROM message m WHERE m.chat_id = conversation.chat_id AND m.ord > conversation.read_time),
	(SELECT c.last_sequence FROM chat c WHERE c.id = conversation.chat_id), 0);
-- A second in which a message came after it had been read says nothing of it; what still counts as unread is not read.
UPDATE conversation SET read_sequence = (SELECT c.last_sequence FROM chat c WHERE c.id = conversation.chat_id) - unread
WHERE unread > 0 AND read_sequence > (SELECT c.last_sequence FROM chat c WHERE c.id = conversation.chat_id) - unread;
