package relation

import (
	"context"
	"slices"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// mostSlots is how many friend groups the bits of a friend have room for.
const mostSlots = 62

// groupNames are an account's friend groups by slot; a slot without one is empty.
type groupNames [mostSlots]string

// readGroups reads an account's friend groups.
func readGroups(ctx context.Context, from db.Source, owner im.AccountID) (*groupNames, error) {
	all, err := groupsOf(ctx, from, []im.AccountID{owner})
	return all[owner], err
}

// groupsOf reads the friend groups of accounts.
func groupsOf(ctx context.Context, from db.Source, owners []im.AccountID) (map[im.AccountID]*groupNames, error) {
	all := make(map[im.AccountID]*groupNames, len(owners))
	for _, owner := range owners {
		all[owner] = &groupNames{}
	}
	err := db.Each(ctx, from, func(row db.Scanner) error {
		var (
			owner im.AccountID
			slot  int64
			name  string
		)
		if err := row(&owner, &slot, &name); err != nil || slot < 0 || slot >= mostSlots {
			return err
		}
		all[owner][slot] = name
		return nil
	}, `SELECT owner_id, slot, name FROM friend_group WHERE owner_id IN ($1...)`, db.Ints(owners))
	return all, err
}

// of names the groups of a friend's bits.
func (n *groupNames) of(bits int64) []string {
	names := []string{}
	for slot, name := range n {
		if name != "" && bits&(1<<slot) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// bit is the bit of a group; 0: there is none of that name.
func (n *groupNames) bit(name string) int64 {
	if slot := slices.Index(n[:], name); slot >= 0 && name != "" {
		return 1 << slot
	}
	return 0
}

func (n *groupNames) count() (count int) {
	for _, name := range n {
		if name != "" {
			count++
		}
	}
	return count
}

// checkGroupName refuses names that no friend group may have.
func checkGroupName(name string) error {
	if name == "" {
		return im.Errorf(im.CodeRelationParameter, "a friend group has a name")
	}
	return checkText("the name of the friend group", name, mostGroup)
}

// groupBit gives the bit of an account's group of that name, which is made if there is none. names are the account's groups as the
// change knows them.
func (c *change) groupBit(owner im.AccountID, names *groupNames, name string) (int64, error) {
	name = wire.Text(name)
	if bit := names.bit(name); bit != 0 {
		return bit, nil
	}
	if err := checkGroupName(name); err != nil {
		return 0, err
	}
	if most := maxGroups.Of(c.call.App); names.count() >= most {
		return 0, im.Errorf(im.CodeFriendGroups, "an account has at most %d friend groups", most)
	}
	slot := slices.Index(names[:], "")
	if _, err := c.tx.Exec(`INSERT INTO friend_group (owner_id, slot, name) VALUES ($1, $2, $3)`, int64(owner), int64(slot), name); err != nil {
		return 0, err
	}
	names[slot] = name
	c.books[owner].groupSeq++
	return 1 << slot, nil
}
