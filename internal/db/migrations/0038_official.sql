-- What an official account is beside its account, whose nick and avatar are its name and its FaceUrl. subscribers is how many it has
-- now, created_at is in unix milliseconds, and last_said_at is when it said something last, a unix second; 0 is never.
CREATE TABLE official_account (
	account_id BIGINT PRIMARY KEY,
	app_id BIGINT NOT NULL,
	owner_id BIGINT NOT NULL,
	introduction TEXT NOT NULL,
	organization TEXT NOT NULL,
	custom TEXT NOT NULL,
	max_subscribers BIGINT NOT NULL,
	subscribers BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	last_said_at BIGINT NOT NULL
);
CREATE INDEX official_account_app ON official_account (app_id);

-- Who subscribes to an official account. number is drawn when it does, and rises: lists are in its order. subscribed_at is a unix
-- second. Of an official account that was destroyed the rows go in steps.
CREATE TABLE subscription (
	official_id BIGINT NOT NULL,
	subscriber_id BIGINT NOT NULL,
	number BIGINT NOT NULL,
	subscribed_at BIGINT NOT NULL,
	custom TEXT NOT NULL,
	PRIMARY KEY (official_id, subscriber_id)
);
CREATE UNIQUE INDEX subscription_list ON subscription (official_id, number);
CREATE INDEX subscription_subscriber ON subscription (subscriber_id, number);
