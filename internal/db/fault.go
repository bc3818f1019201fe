package db

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Fault says in few words why the store did not take a write, without anything of the error that only operators may
// read, such as a path or a host's name.
func Fault(err error) string {
	if fault := KnownFault(err); fault != "" {
		return fault
	}
	return "the store does not take writes"
}

// KnownFault is Fault for an error that may be another's; it is "" unless the store itself says that it is the store's.
func KnownFault(err error) string {
	const full, readOnly = "the disk is full", "the store is read-only"
	var embedded *sqlite.Error
	if errors.As(err, &embedded) {
		switch embedded.Code() & 0xff { // the low byte is the kind, the others say more
		case sqlite3.SQLITE_FULL:
			return full
		case sqlite3.SQLITE_READONLY:
			return readOnly
		case sqlite3.SQLITE_IOERR:
			return "the disk fails"
		case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
			return "the store is damaged"
		case sqlite3.SQLITE_BUSY:
			return "another process holds the store"
		}
	}
	var postgres *pgconn.PgError
	if errors.As(err, &postgres) {
		switch postgres.Code {
		case "53100":
			return full
		case "25006":
			return readOnly
		}
	}
	return ""
}
