-- How many groups of a type an application has. A row is there while the application has a bound for the type: it is counted when the
-- first group is made under the bound, and goes with the first that is made or destroyed without one.
CREATE TABLE group_count (
	app_id BIGINT NOT NULL,
	type TEXT NOT NULL,
	living BIGINT NOT NULL,
	PRIMARY KEY (app_id, type)
);
