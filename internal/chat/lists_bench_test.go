package chat_test

import (
	"testing"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/internal/im"
)

// What is read of all conversations of an account that has ten thousand.
func BenchmarkManyConversations(b *testing.B) {
	for name, open := range map[string]func() db.Options{
		"sqlite":   func() db.Options { return db.Options{Dir: b.TempDir()} },
		"postgres": func() db.Options { return db.Options{URL: dbtest.Durable(b)} },
	} {
		b.Run(name, func(b *testing.B) {
			d := dbtest.Open(b, open())
			chats, raw := chat.New(d), chat.NewRaw(d)
			const owner, peers = 1, 10_000
			for from := 0; from < peers; from += 500 {
				var some []*chat.Draft
				for i := range 1000 {
					peer := im.AccountID(1<<40 + from + i/2)
					some = append(some, &chat.Draft{App: 1, Chat: chat.Between(owner, peer), From: peer, Seq: int64(i), Lifetime: 3600,
						Body: []byte(`[{"MsgType":"TIMTextElem","MsgContent":{"Text":"One of ten thousand."}}]`)})
				}
				if err := raw.AppendAll(b.Context(), some); err != nil {
					b.Fatal(err)
				}
			}
			for what, read := range map[string]func() error{
				"moved": func() error {
					_, err := chats.Moved(b.Context(), d, owner, chat.Moves{Behind: chat.Change{At: 1}, Limit: 100})
					return err
				},
				"offline": func() error {
					_, err := chats.Moved(b.Context(), d, owner, chat.Moves{Unread: true, Limit: 100})
					return err
				},
				"peers": func() error { _, err := chats.UnreadPeers(b.Context(), d, owner, 500); return err },
				"sum":   func() error { _, err := chats.Unread(b.Context(), d, []im.AccountID{owner}); return err },
				"ends":  func() error { _, err := chats.Ends(b.Context(), d, owner, 1<<60); return err },
				"list":  func() error { return listed(b, d, chats) },
			} {
				b.Run(what, func(b *testing.B) {
					for b.Loop() {
						if err := read(); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		})
	}
}

func listed(b *testing.B, d *db.DB, chats *chat.Chats) error {
	recent, err := chats.Recent(b.Context(), d, 1, nil, 101)
	if err != nil {
		return err
	}
	ids := make([]int64, len(recent))
	for i, one := range recent {
		ids[i] = one.Chat
	}
	_, err = chats.List(b.Context(), d, 1, ids)
	return err
}
