-- A group. Its name on the wire is free again when it is destroyed; the row stays, because its number names a chat (chat.low_id).
-- owner_id 0 is a group without an owner. info_seq counts the changes of what members read of the group. All times are unix
-- seconds, and deleted_at is 0 while the group lives.
CREATE TABLE chat_group (
	id BIGINT PRIMARY KEY,
	app_id BIGINT NOT NULL,
	group_id TEXT NOT NULL,
	type TEXT NOT NULL,
	name TEXT NOT NULL,
	introduction TEXT NOT NULL,
	notification TEXT NOT NULL,
	face_url TEXT NOT NULL,
	owner_id BIGINT NOT NULL,
	max_members BIGINT NOT NULL,
	member_count BIGINT NOT NULL,
	apply_option TEXT NOT NULL,
	invite_option TEXT NOT NULL,
	mute_all BOOLEAN NOT NULL,
	custom TEXT NOT NULL,
	info_seq BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	changed_at BIGINT NOT NULL,
	deleted_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX chat_group_name ON chat_group (app_id, group_id) WHERE deleted_at = 0;
CREATE INDEX chat_group_order ON chat_group (app_id, id);

-- Who is in a group. role 0 is no member: a mute outlives membership, so the row of somebody who left stays while he is muted.
-- join_sequence is the chat's newest sequence when the account joined. custom is a JSON object. joined_at and muted_until are
-- unix seconds.
CREATE TABLE group_member (
	group_id BIGINT NOT NULL,
	account_id BIGINT NOT NULL,
	role BIGINT NOT NULL,
	joined_at BIGINT NOT NULL,
	join_sequence BIGINT NOT NULL,
	name_card TEXT NOT NULL,
	muted_until BIGINT NOT NULL,
	custom TEXT NOT NULL,
	msg_flag BIGINT NOT NULL,
	read_sequence BIGINT NOT NULL,
	changed_at BIGINT NOT NULL,
	PRIMARY KEY (group_id, account_id)
);
CREATE INDEX group_member_account ON group_member (account_id, group_id);

-- Who asks to become a member of a group, or is asked for by a member (inviter_id), and waits for a decision. One account has one
-- request in a group, the newest. asked_at, in unix milliseconds, is the MsgKey by which it is decided on; decided_at is 0 while it
-- is open, and a decided one stays so that the next who decides is told.
CREATE TABLE join_request (
	group_id BIGINT NOT NULL,
	account_id BIGINT NOT NULL,
	inviter_id BIGINT NOT NULL,
	text TEXT NOT NULL,
	asked_at BIGINT NOT NULL,
	decided_at BIGINT NOT NULL,
	PRIMARY KEY (group_id, account_id)
);
CREATE INDEX join_request_account ON join_request (account_id, asked_at);
