-- What a group's attributes and counters have together. attribute_sequence counts the changes of its attributes, and
-- counter_sequence those of its counters. rate_second is the unix second of the latest change of an attribute, and rate_count how
-- many there were in it.
CREATE TABLE group_data (
	group_id BIGINT PRIMARY KEY,
	attribute_sequence BIGINT NOT NULL,
	counter_sequence BIGINT NOT NULL,
	rate_second BIGINT NOT NULL,
	rate_count BIGINT NOT NULL
);

-- An attribute of a group: a text under a key that the application chose. sequence is the attribute_sequence of the
-- change that wrote it.
CREATE TABLE group_attribute (
	group_id BIGINT NOT NULL,
	name TEXT NOT NULL,
	value TEXT NOT NULL,
	sequence BIGINT NOT NULL,
	PRIMARY KEY (group_id, name)
);

-- A counter of a group: a number under a key that the application chose.
CREATE TABLE group_counter (
	group_id BIGINT NOT NULL,
	name TEXT NOT NULL,
	value BIGINT NOT NULL,
	PRIMARY KEY (group_id, name)
);
