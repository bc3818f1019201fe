package annotate

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Reader is an account that reads a chat now.
type Reader struct {
	Account im.AccountID
	// After is the sequence behind which it may read.
	After int64
}

// may reports whether the message is for the reader.
func (r *Reader) may(m *chat.Message) bool {
	return m.Sequence > r.After && m.From != r.Account && m.ReadBy(r.Account)
}

// Receipts are those of one message.
type Receipts struct {
	// Read is how many accounts have read it, also those that read the chat no more; Unread how many readers have not.
	Read, Unread int64
}

// numbered are the readers of a chat with the numbers that they have in its receipts.
type numbered struct {
	readers []Reader
	numbers map[im.AccountID]int64
}

func (n *numbered) has(read bitmap, who im.AccountID) bool {
	number, known := n.numbers[who]
	return known && read.has(number)
}

// number reads the numbers of a chat's readers.
func number(ctx context.Context, from db.Source, chat int64, readers []Reader) (*numbered, error) {
	n := &numbered{readers, make(map[im.AccountID]int64, len(readers))}
	err := db.Each(ctx, from, func(scan db.Scanner) error {
		var (
			who    im.AccountID
			number int64
		)
		err := scan(&who, &number)
		n.numbers[who] = number
		return err
	}, `SELECT account_id, number FROM chat_reader WHERE chat_id = $1`, chat)
	if err != nil {
		return nil, fmt.Errorf("read the readers of a chat: %w", err)
	}
	return n, nil
}

func bitmaps(ctx context.Context, from db.Source, messages []int64) (map[int64]bitmap, error) {
	found := make(map[int64]bitmap, len(messages))
	err := db.Each(ctx, from, func(scan db.Scanner) error {
		var (
			id   int64
			read []byte
		)
		err := scan(&id, &read)
		found[id] = read
		return err
	}, `SELECT message_id, read_by FROM annotation WHERE message_id IN ($1...)`, db.Ints(messages))
	if err != nil {
		return nil, fmt.Errorf("read receipts: %w", err)
	}
	return found, nil
}

// Count counts the receipts of messages of one chat, by their ids, against those who read it now.
func (a *Annotations) Count(ctx context.Context, from db.Source, messages []*chat.Message, readers []Reader) (map[int64]Receipts, error) {
	counts := make(map[int64]Receipts, len(messages))
	if len(messages) == 0 {
		return counts, nil
	}
	all, err := number(ctx, from, messages[0].Chat, readers)
	if err != nil {
		return nil, err
	}
	read, err := bitmaps(ctx, from, idsOf(messages))
	if err != nil {
		return nil, err
	}
	for _, m := range messages {
		of := Receipts{Read: read[m.ID].count()}
		for i := range readers {
			if one := &readers[i]; one.may(m) && !all.has(read[m.ID], one.Account) {
				of.Unread++
			}
		}
		counts[m.ID] = of
	}
	return counts, nil
}

// List asks for a part of those who have read a message, or have not.
type List struct {
	// Unread asks for those who have not.
	Unread bool
	// After is where the page before ended, 0 for the first one.
	After int64
	Limit int
}

// Who lists a page of those who have read a message, or of the readers, who are in the order of their ids, that have not. next is where the page ends, 0 if it is
// the last.
func (a *Annotations) Who(ctx context.Context, from db.Source, m *chat.Message, readers []Reader, l List) (
	found []im.AccountID, next int64, err error,
) {
	read, err := bitmaps(ctx, from, []int64{m.ID})
	if err != nil {
		return nil, 0, err
	}
	if l.Unread {
		all, err := number(ctx, from, m.Chat, readers)
		if err != nil {
			return nil, 0, err
		}
		found, next = all.whoNot(m, read[m.ID], l)
		return found, next, nil
	}
	numbers := read[m.ID].after(l.After, l.Limit+1)
	if len(numbers) > l.Limit {
		numbers = numbers[:l.Limit]
		next = numbers[l.Limit-1]
	}
	found, err = db.All(ctx, from, func(scan db.Scanner) (who im.AccountID, err error) { return who, scan(&who) },
		`SELECT account_id FROM chat_reader WHERE chat_id = $1 AND number IN ($2...) ORDER BY number`, m.Chat, db.Ints(numbers))
	if err != nil {
		return nil, 0, fmt.Errorf("list readers: %w", err)
	}
	return found, next, nil
}

// whoNot is Who of the readers who have not read. They come in the order of their ids.
func (n *numbered) whoNot(m *chat.Message, read bitmap, l List) (found []im.AccountID, next int64) {
	for i := range n.readers {
		one := &n.readers[i]
		switch {
		case int64(one.Account) <= l.After || !one.may(m) || n.has(read, one.Account):
		case len(found) == l.Limit:
			return found, int64(found[l.Limit-1])
		default:
			found = append(found, one.Account)
		}
	}
	return found, 0
}
