-- When an account wants to hear of no messages: level is how it hears of them then, as choice.receive, from starts_at to ends_at, unix
-- seconds, and if repeated at the same time of every day.
CREATE TABLE do_not_disturb (
	owner_id BIGINT PRIMARY KEY,
	level BIGINT NOT NULL,
	starts_at BIGINT NOT NULL,
	ends_at BIGINT NOT NULL,
	repeated BOOLEAN NOT NULL
);
