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
-- brought to a device that was away. flags: see message/flags.go. key_time is the clock in the client's message key.
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
	changed_at BIGINT NOT NULL
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
