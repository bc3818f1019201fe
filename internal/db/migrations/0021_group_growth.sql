-- How many groups an application has more than at the beginning of a day, a number of days since 1970 in UTC: those that were made
-- less those that were destroyed. It is counted while the application has a bound for it.
CREATE TABLE group_growth (
	app_id BIGINT NOT NULL,
	day BIGINT NOT NULL,
	more BIGINT NOT NULL,
	PRIMARY KEY (app_id, day)
);
