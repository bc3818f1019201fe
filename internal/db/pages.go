package db

import (
	"sync"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// The pages of the store that SQLite keeps in memory, in KiB. SQLite walks through all that the writer keeps in almost
// every commit, and empties a reader's when somebody has written, so many pages cost more than they save; the system
// keeps the file in its memory anyway.
const (
	writerCache = 8 << 10
	readerCache = 2 << 10
	readerConns = 4
)

// givePages gives SQLite one block for the pages that it keeps, before its first connection is opened. Otherwise every
// page comes from the driver's allocator, which returns a piece of 64 KiB to the system when nothing in it is used and
// asks for it again a moment later: with bad luck in each statement, and a commit took up to 1.7 times the processor's
// time (ADR 1). Pages beyond the block come from there as before, and so do all of them when this program has used
// SQLite already. The driver's C library has to be of the version that the driver's own go.mod names.
var givePages = sync.OnceFunc(func() {
	const (
		page  = 4096 + 512 // and what SQLite keeps beside it, which takes 272 bytes today
		spare = 256        // tables of single statements
		pages = (writerCache+readerConns*readerCache)/4 + spare
	)
	thread := libc.NewTLS()
	defer thread.Close()
	block := libc.Xmalloc(thread, pages*page)
	if block == 0 {
		return
	}
	args := libc.NewVaList(block, int32(page), int32(pages))
	defer libc.Xfree(thread, args)
	if sqlite3.Xsqlite3_config(thread, sqlite3.SQLITE_CONFIG_PAGECACHE, args) != sqlite3.SQLITE_OK {
		libc.Xfree(thread, block)
		return
	}
	keepPieces(thread)
})

// keepPieces has the driver's allocator keep some memory for every size of piece that it cuts its blocks of 64 KiB into. It
// returns a block to the system when no piece in it is used, so one piece in use keeps the block. SQLite takes pieces
// for single statements: 1 KiB at a time what it would need to take a statement back, 16 KiB to balance a tree.
func keepPieces(thread *libc.TLS) {
	const (
		block, head       = 64 << 10, 32
		smallest, largest = 16, 16 << 10
		blocks            = 4 // of each size: SQLite uses up to two and a half of some
	)
	for size := smallest; size <= largest; size *= 2 {
		fit := (block - head) / size
		pieces := make([]uintptr, blocks*fit)
		for i := range pieces {
			pieces[i] = libc.Xmalloc(thread, libc.Tsize_t(size))
		}
		for i, piece := range pieces {
			if i%fit > 0 && piece != 0 {
				libc.Xfree(thread, piece)
			}
		}
	}
}
