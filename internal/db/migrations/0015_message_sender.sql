-- The messages of a group by their senders; no other messages have the order 0. It finds when a member spoke last, all that he
-- said, and what message_own found.
CREATE INDEX message_sender ON message (chat_id, from_id, sequence) WHERE ord = 0;
DROP INDEX message_own;
