package conversation

import (
	"context"
	"fmt"
	"math/bits"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// folder is a named set of an owner's conversations.
type folder struct {
	Number int    `json:"GroupId"`
	Name   string `json:"GroupName"`
}

// folders lists an owner's folders.
func (c *Conversations) folders(ctx context.Context, from db.Source, owner im.AccountID) ([]folder, error) {
	all, err := db.All(ctx, from, func(row db.Scanner) (one folder, err error) { return one, row(&one.Number, &one.Name) },
		`SELECT number, name FROM folder WHERE owner_id = $1 ORDER BY number`, int64(owner))
	if err != nil {
		return nil, fmt.Errorf("read folders: %w", err)
	}
	return append([]folder{}, all...), nil
}

// text writes the set as the interface writes marks: 64 digits, the rightmost for 0. The empty set is empty.
func (b bitSet) text() string {
	if b == 0 {
		return ""
	}
	return fmt.Sprintf("%064b", uint64(b))
}

// list gives the numbers of the set in their order.
func (b bitSet) list() []int {
	list := make([]int, 0, bits.OnesCount64(uint64(b)))
	for n := range 64 {
		if b.has(n) {
			list = append(list, n)
		}
	}
	return list
}
