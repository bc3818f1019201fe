-- What an account has chosen for one of its conversations: of kind 1 with the account peer_id, of kind 2 of the group peer_id.
-- pinned_at and changed_at are unix milliseconds, pinned_at 0 where the conversation is not pinned. receive is how the owner hears
-- of the messages of an account: 0 told, 1 not at all, 2 silently; how it hears of a group's is the member's msg_flag. The bits of
-- marks are numbered as the interface has them, those of folders by the numbers of the owner's folders.
CREATE TABLE choice (
	owner_id BIGINT NOT NULL,
	kind BIGINT NOT NULL,
	peer_id BIGINT NOT NULL,
	pinned_at BIGINT NOT NULL,
	receive BIGINT NOT NULL,
	marks BIGINT NOT NULL,
	folders BIGINT NOT NULL,
	custom TEXT NOT NULL,
	changed_at BIGINT NOT NULL,
	PRIMARY KEY (owner_id, kind, peer_id)
);

-- A named set of an account's conversations; number is its GroupId on the wire.
CREATE TABLE folder (
	owner_id BIGINT NOT NULL,
	number BIGINT NOT NULL,
	name TEXT NOT NULL,
	PRIMARY KEY (owner_id, number)
);
