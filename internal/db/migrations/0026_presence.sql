-- The custom status of an account, what it says of itself while it is online. away_at is 0, or the unix millisecond in which the
-- account lost its last device: some time after it the row goes.
CREATE TABLE custom_status (
	account_id BIGINT PRIMARY KEY,
	status TEXT NOT NULL,
	away_at BIGINT NOT NULL
);

-- An account that watches the presence of another one. since rises with the order in which they were asked for; an account that
-- watches too many stops watching those of the lowest.
CREATE TABLE presence_watch (
	account_id BIGINT NOT NULL,
	target_id BIGINT NOT NULL,
	since BIGINT NOT NULL,
	PRIMARY KEY (account_id, target_id)
);
