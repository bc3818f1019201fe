-- What a merged message holds that is too large to stand in it: messages as JSON, kept apart under a key, which is the id and the
-- secret. used_at is when it was stored or last read, in unix milliseconds.
CREATE TABLE bundle (
	id BIGINT PRIMARY KEY,
	app_id BIGINT NOT NULL,
	secret TEXT NOT NULL,
	owner_id BIGINT NOT NULL,
	used_at BIGINT NOT NULL,
	bytes BIGINT NOT NULL,
	body TEXT NOT NULL
);
CREATE INDEX bundle_used ON bundle (app_id, used_at);

-- How many bytes the bundles of an application take together.
CREATE TABLE bundle_usage (
	app_id BIGINT PRIMARY KEY,
	bytes BIGINT NOT NULL
);
