-- Times are unix milliseconds, but for sent_at, read_time and client_time, which the interface counts in seconds.

-- One row: the secret that signs session tokens, made at the first start.
CREATE TABLE secret (
	name TEXT PRIMARY KEY,
	value BYTEA NOT NULL
);

CREATE TABLE app (
	id BIGINT PRIMARY KEY,
	secret TEXT NOT NULL,
	public_key TEXT NOT NULL,
	admins TEXT NOT NULL,
	settings TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL
);

-- id is the account's TinyId. valid_after: UserSigs issued before that unix second are void.
CREATE TABLE account (
	id BIGINT PRIMARY KEY,
	app_id BIGINT NOT NULL,
	user_id TEXT NOT NULL,
	nick TEXT NOT NULL,
	face_url TEXT NOT NULL,
	valid_after BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	deleted_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX account_name ON account (app_id, user_id);
-- Robots are few and known by their names: see account/robot.go.
CREATE INDEX account_robot ON account (app_id) WHERE substr(user_id, 1, 5) = '@RBT#';

CREATE TABLE profile (
	account_id BIGINT NOT NULL,
	tag TEXT NOT NULL,
	value TEXT NOT NULL,
	is_number BOOLEAN NOT NULL,
	PRIMARY KEY (account_id, tag)
);

-- A running server. Its devices are online while lease_until lies ahead.
CREATE TABLE node (
	id BIGINT PRIMARY KEY,
	lease_until BIGINT NOT NULL,
	started_at BIGINT NOT NULL
);

-- A device that logged in. online_on is the node that holds its connection, 0 when it has none.
-- signature is a fingerprint of the UserSig it logged in with; issued_at and expires_at are that UserSig's, in seconds.
-- revoked is 0, or the reason for which the device may not come back (account.KickType).
CREATE TABLE device (
	account_id BIGINT NOT NULL,
	instance_id BIGINT NOT NULL,
	platform BIGINT NOT NULL,
	online_on BIGINT NOT NULL,
	node_started BIGINT NOT NULL,
	signature BIGINT NOT NULL,
	issued_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	revoked BIGINT NOT NULL,
	changed_at BIGINT NOT NULL,
	PRIMARY KEY (account_id, instance_id)
);

-- A chat is what two accounts share; low_id and high_id are theirs in order. last_sequence counts its messages.
CREATE TABLE chat (
	id BIGINT PRIMARY KEY,
	app_id BIGINT NOT NULL,
	low_id BIGINT NOT NULL,
	high_id BIGINT NOT NULL,
	last_sequence BIGINT NOT NULL,
	last_time BIGINT NOT NULL
);
CREATE UNIQUE INDEX chat_pair ON chat (low_id, high_id);

-- hidden: 1 the sender does not see it, 2 the receiver does not. offline_until: unix second after which it is no longer
-- brought to a device that was away. flags: see message/message.go. key_time is the clock in the client's message key.
-- version counts how often body or cloud_data were edited.
CREATE TABLE message (
	id BIGINT PRIMARY KEY,
	chat_id BIGINT NOT NULL,
	sequence BIGINT NOT NULL,
	sent_at BIGINT NOT NULL,
	from_id BIGINT NOT NULL,
	msg_seq BIGINT NOT NULL,
	msg_random BIGINT NOT NULL,
	key_time BIGINT NOT NULL,
	client_time BIGINT NOT NULL,
	flags BIGINT NOT NULL,
	hidden BIGINT NOT NULL,
	offline_until BIGINT NOT NULL,
	body TEXT NOT NULL,
	cloud_data TEXT NOT NULL,
	nick TEXT NOT NULL,
	face_url TEXT NOT NULL,
	revoker TEXT NOT NULL,
	revoke_reason TEXT NOT NULL,
	changed_at BIGINT NOT NULL,
	version BIGINT NOT NULL
);
CREATE UNIQUE INDEX message_order ON message (chat_id, sent_at, sequence);
CREATE UNIQUE INDEX message_key ON message (chat_id, msg_seq, msg_random, key_time, from_id);

-- A conversation is one account's view of a chat. unread counts the peer's messages after read_time; everything at or
-- below cleared is gone from this view; listed is false after the account removed it from its list, and what stood at or
-- below uncounted then is not unread any more, though nobody has read it.
CREATE TABLE conversation (
	owner_id BIGINT NOT NULL,
	chat_id BIGINT NOT NULL,
	peer_id BIGINT NOT NULL,
	unread BIGINT NOT NULL,
	read_time BIGINT NOT NULL,
	last_id BIGINT NOT NULL,
	last_time BIGINT NOT NULL,
	cleared BIGINT NOT NULL,
	uncounted BIGINT NOT NULL,
	listed BOOLEAN NOT NULL,
	changed_at BIGINT NOT NULL,
	PRIMARY KEY (owner_id, chat_id)
);

-- Callbacks that were stored together for one address and wait for their first attempt, packed as webhook/pack.go says.
-- hook names the application's address; last_id is the id of the last one.
CREATE TABLE webhook_outbox (
	id BIGINT PRIMARY KEY,
	app_id BIGINT NOT NULL,
	hook TEXT NOT NULL,
	last_id BIGINT NOT NULL,
	stored_at BIGINT NOT NULL,
	events BYTEA NOT NULL
);
CREATE INDEX webhook_outbox_order ON webhook_outbox (app_id, hook, id);

-- A callback whose first attempt failed: it waits for the next one until next_at, or is a dead letter when dead_at is not 0.
-- Those of one lane go out in the order of their ids. since is when the time for retrying began.
CREATE TABLE webhook_event (
	id BIGINT PRIMARY KEY,
	app_id BIGINT NOT NULL,
	hook TEXT NOT NULL,
	command TEXT NOT NULL,
	lane BIGINT NOT NULL,
	address TEXT NOT NULL,
	platform TEXT NOT NULL,
	body TEXT NOT NULL,
	attempts BIGINT NOT NULL,
	since BIGINT NOT NULL,
	next_at BIGINT NOT NULL,
	dead_at BIGINT NOT NULL
);
CREATE INDEX webhook_event_order ON webhook_event (app_id, hook, dead_at, lane, id);

-- Attempts to deliver callbacks, as JSON: one that failed, or that was not the first, has a row of its own; others share
-- one. first_event and last_event are the lowest and the highest id of their callbacks.
CREATE TABLE webhook_attempt (
	id BIGINT PRIMARY KEY,
	app_id BIGINT NOT NULL,
	first_event BIGINT NOT NULL,
	last_event BIGINT NOT NULL,
	attempts TEXT NOT NULL
);
CREATE INDEX webhook_attempt_single ON webhook_attempt (first_event) WHERE first_event = last_event;

-- The node that does a work which only one may do. holder is a number that the process drew.
CREATE TABLE lease (
	name TEXT PRIMARY KEY,
	holder BIGINT NOT NULL,
	until BIGINT NOT NULL
);
