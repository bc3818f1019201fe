package db

// MostCommitters is the largest number of committers that any database has.
const MostCommitters = 8

// Committers is how many commits may run at once.
func (d *DB) Committers() int { return d.dialect.committers }

// MostPlaces is how many parameters one statement may well have.
func (d *DB) MostPlaces() int { return d.dialect.maxPlaces }

// IDs is a source of ids as a node has it.
type IDs = idSource

// Unnumbered is how SQLite gets a statement's text.
func Unnumbered(text string) string { return unnumbered(text) }
