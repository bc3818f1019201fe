-- An account that may not speak: not in chats with others until chat_until, and in no group until group_until. Both are unix
-- seconds; what has passed, or is below zero, is no mute.
CREATE TABLE global_mute (
	account_id BIGINT PRIMARY KEY,
	chat_until BIGINT NOT NULL,
	group_until BIGINT NOT NULL
);
