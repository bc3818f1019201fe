package outbox

import (
	"encoding/binary"
	"errors"

	"github.com/magpie-im/magpie/internal/webhook"
)

// Callbacks that one transaction stores for one address share rows, packed one after the other: a row for each would
// take a third of what a server can do, and nearly all of them are delivered at once and gone together. Each is its id
// and its lane as varints, and then five texts with their lengths in front: command, client's address, platform and body.

// A row ends where its callbacks would be longer than packBytes together; a longer callback has a row of its own. The
// driver's allocator keeps pieces of up to 16 KiB; for a row that is longer it asks the system for memory and gives
// it back, which was a third of what storing the row took.
const packBytes = 12 << 10

// packedSize is about the bytes that a callback takes in a row, and never fewer.
func packedSize(e *webhook.Callback) int {
	return 6*binary.MaxVarintLen64 + len(e.Command) + len(e.ClientIP) + len(e.Platform) + len(e.Body)
}

func appendPacked(to []byte, id int64, e *webhook.Callback) []byte {
	to = binary.AppendVarint(to, id)
	to = binary.AppendVarint(to, e.Lane)
	for _, text := range []string{e.Command, e.ClientIP, e.Platform} {
		to = binary.AppendUvarint(to, uint64(len(text)))
		to = append(to, text...)
	}
	to = binary.AppendUvarint(to, uint64(len(e.Body)))
	return append(to, e.Body...)
}

var errPack = errors.New("webhook: a row of packed callbacks cannot be read")

// unpack reads a row's callbacks.
func unpack(packed []byte) ([]*waiting, error) {
	var all []*waiting
	r := packReader{rest: packed}
	for len(r.rest) > 0 && !r.broken {
		e := &waiting{id: r.number(), lane: r.number()}
		e.command, e.clientIP, e.platform = string(r.text()), string(r.text()), string(r.text())
		e.body = r.text()
		all = append(all, e)
	}
	if r.broken {
		return nil, errPack
	}
	return all, nil
}

// packReader reads from the front; after something that is not there it is broken.
type packReader struct {
	rest   []byte
	broken bool
}

func (r *packReader) number() int64 {
	n, size := binary.Varint(r.rest)
	if size <= 0 {
		r.broken, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *packReader) text() []byte {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 || n > uint64(len(r.rest)-size) {
		r.broken, r.rest = true, nil
		return nil
	}
	text := r.rest[size : size+int(n)]
	r.rest = r.rest[size+int(n):]
	return text
}
