-- Who may not be in a group before a time: banned_until is a unix second. A row whose time has passed means nothing.
CREATE TABLE group_ban (
	group_id BIGINT NOT NULL,
	account_id BIGINT NOT NULL,
	banned_until BIGINT NOT NULL,
	PRIMARY KEY (group_id, account_id)
);
CREATE INDEX group_ban_account ON group_ban (account_id);
