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
		// The scratch memory of SQLite's balancing. Keeping one piece of its size keeps the 64 KiB around it.
		scratch = 16 << 10
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
	libc.Xmalloc(thread, scratch)
})
