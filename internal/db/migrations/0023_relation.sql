-- What an account's relations add up to: one row of each account that has any. The *_last columns number the rows of a list, 1, 2, 3, …,
-- and never go back; the *_seq columns count the changes that clients are told apart by. requests_read_at is in unix milliseconds.
CREATE TABLE relation (
	account_id BIGINT PRIMARY KEY,
	app_id BIGINT NOT NULL,
	friends BIGINT NOT NULL,
	friend_last BIGINT NOT NULL,
	standard_seq BIGINT NOT NULL,
	custom_seq BIGINT NOT NULL,
	group_seq BIGINT NOT NULL,
	requests BIGINT NOT NULL,
	request_seq BIGINT NOT NULL,
	requests_read_at BIGINT NOT NULL,
	blocked BIGINT NOT NULL,
	block_last BIGINT NOT NULL,
	followers BIGINT NOT NULL,
	following BIGINT NOT NULL,
	mutual BIGINT NOT NULL
);
-- Finds whether any account of an application has a blocklist.
CREATE INDEX relation_blocking ON relation (app_id) WHERE blocked > 0;

-- A friend in an account's list. That the other has the account too is another row. group_bits has the bit 1 << slot of each friend
-- group that the friend is in. custom is a JSON object. added_at is a unix second.
CREATE TABLE friend (
	owner_id BIGINT NOT NULL,
	friend_id BIGINT NOT NULL,
	number BIGINT NOT NULL,
	remark TEXT NOT NULL,
	source TEXT NOT NULL,
	wording TEXT NOT NULL,
	group_bits BIGINT NOT NULL,
	custom TEXT NOT NULL,
	added_at BIGINT NOT NULL,
	PRIMARY KEY (owner_id, friend_id)
);
CREATE INDEX friend_number ON friend (owner_id, number);
CREATE INDEX friend_of ON friend (friend_id, owner_id);

-- A friend group of an account. slot is 0 to 61.
CREATE TABLE friend_group (
	owner_id BIGINT NOT NULL,
	slot BIGINT NOT NULL,
	name TEXT NOT NULL,
	PRIMARY KEY (owner_id, slot)
);

-- from_id asks to_id to become friends. remark and group_name are what from_id calls the other then. asked_at is in unix
-- milliseconds.
CREATE TABLE friend_request (
	from_id BIGINT NOT NULL,
	to_id BIGINT NOT NULL,
	remark TEXT NOT NULL,
	source TEXT NOT NULL,
	wording TEXT NOT NULL,
	group_name TEXT NOT NULL,
	asked_at BIGINT NOT NULL,
	PRIMARY KEY (from_id, to_id)
);
CREATE INDEX friend_request_to ON friend_request (to_id, asked_at);

-- Who is on an account's blocklist. added_at is a unix second.
CREATE TABLE block (
	owner_id BIGINT NOT NULL,
	blocked_id BIGINT NOT NULL,
	number BIGINT NOT NULL,
	added_at BIGINT NOT NULL,
	PRIMARY KEY (owner_id, blocked_id)
);
CREATE INDEX block_number ON block (owner_id, number);
CREATE INDEX block_of ON block (blocked_id, owner_id);

-- follower_id follows followed_id. number rises with time. mutual says that the other follows back. followed_at is a unix second.
CREATE TABLE follow (
	follower_id BIGINT NOT NULL,
	followed_id BIGINT NOT NULL,
	number BIGINT NOT NULL,
	mutual BOOLEAN NOT NULL,
	followed_at BIGINT NOT NULL,
	PRIMARY KEY (follower_id, followed_id)
);
CREATE INDEX follow_following ON follow (follower_id, number);
CREATE INDEX follow_followers ON follow (followed_id, number);
CREATE INDEX follow_mutual ON follow (follower_id, number) WHERE mutual;

-- Deleted accounts that others still have in their lists, from which they are removed a bounded number of rows at a time.
CREATE TABLE relation_leaving (
	account_id BIGINT PRIMARY KEY
);
