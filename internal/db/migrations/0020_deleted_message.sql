-- The messages of groups that a member has deleted for itself; all others see them as before. Of a message between two accounts
-- message.hidden says the same.
CREATE TABLE deleted_message (
	account_id BIGINT NOT NULL,
	chat_id BIGINT NOT NULL,
	sequence BIGINT NOT NULL,
	PRIMARY KEY (account_id, chat_id, sequence)
);
