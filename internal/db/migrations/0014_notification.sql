-- What the server told an account about a group beside messages, for devices of it that were not there: who asks to join, that it
-- was removed, and the like. number names it on the wire, and body is its JSON without the account. made_at is unix milliseconds.
-- An account keeps the newest hundred for a week.
CREATE TABLE notification (
	id BIGINT PRIMARY KEY,
	account_id BIGINT NOT NULL,
	number BIGINT NOT NULL,
	made_at BIGINT NOT NULL,
	body TEXT NOT NULL
);
CREATE INDEX notification_account ON notification (account_id, id);

-- The owner and the administrators of a group, who decide on requests to join.
CREATE INDEX group_member_decides ON group_member (group_id, account_id) WHERE role > 1;
