-- A running server and what joins it with others: joined is whether it has a bus. process tells its process from others of
-- the same machine. The row 0 is locked by a server that looks at the others before it adds its own row.
CREATE TABLE node_bus (
	id BIGINT PRIMARY KEY,
	joined BOOLEAN NOT NULL,
	process TEXT NOT NULL,
	until BIGINT NOT NULL
);

-- What a server writes to see whether it can.
CREATE TABLE node_probe (
	id BIGINT PRIMARY KEY,
	written_at BIGINT NOT NULL,
	filler BYTEA NOT NULL
);
