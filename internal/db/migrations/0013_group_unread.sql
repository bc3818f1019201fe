-- What a member sees of the group's chat beside his read mark. read_counted is how many messages at or below read_sequence ever
-- counted as unread (of chat.low_counted). The conversation is listed while a message that moves the list stands behind
-- hidden_sequence, and everything at or below cleared_sequence is gone from the member's history.
ALTER TABLE group_member ADD COLUMN read_counted BIGINT NOT NULL DEFAULT 0;
ALTER TABLE group_member ADD COLUMN hidden_sequence BIGINT NOT NULL DEFAULT 0;
ALTER TABLE group_member ADD COLUMN cleared_sequence BIGINT NOT NULL DEFAULT 0;
UPDATE group_member SET read_counted = COALESCE((SELECT c.low_counted - (SELECT COUNT(*) FROM message m
		WHERE m.chat_id = c.id AND m.ord = 0 AND m.sequence > group_member.read_sequence AND (m.flags & 4) = 0)
	FROM chat c WHERE c.low_id = group_member.group_id AND c.high_id = 0), 0);

-- The messages of a group by their senders, the only ones that have no order: when a member spoke last, all that he said, and what
-- of it stands behind his read mark and counts no more as unread.
CREATE INDEX message_sender ON message (chat_id, from_id, sequence) WHERE ord = 0;

-- Recalled messages of groups, without those that never counted as unread (flag 4; flag 32 is a recalled one).
CREATE INDEX message_recalled ON message (chat_id, sequence) WHERE ord = 0 AND (flags & 36) = 32;
