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

// groupBits gives the bits of an account's groups of those names. Groups that are missing are made, all of them or, where one may not
// be, none. names are the account's groups as the change knows them.
func (c *change) groupBits(owner im.AccountID, names *groupNames, wanted ...string) (bits int64, err error) {
	var missing []string
	for _, name := range wanted {
		name = wire.Text(name)
		if bit := names.bit(name); bit != 0 {
			bits |= bit
		} else if err := checkGroupName(name); err != nil {
			return 0, err
		} else if !slices.Contains(missing, name) {
			missing = append(missing, name)
		}
		if most := maxGroups.Of(c.call.App); len(missing) > 0 && names.count()+len(missing) > most {
			return 0, im.Errorf(im.CodeFriendGroups, "an account has at most %d friend groups", most)
		}
	}
	made, err := c.makeGroups(owner, names, missing)
	return bits | made, err
}

// makeGroups makes groups in free slots, of which there are enough.
func (c *change) makeGroups(owner im.AccountID, names *groupNames, missing []string) (bits int64, err error) {
	if len(missing) == 0 {
		return 0, nil
	}
	const width = 3
	args := make([]any, 0, width*len(missing))
	for _, name := range missing {
		slot := slices.Index(names[:], "")
		args = append(args, int64(owner), int64(slot), name)
		names[slot] = name
		bits |= 1 << slot
	}
	c.books[owner].groupSeq += int64(len(missing))
	_, err = c.tx.Exec(`INSERT INTO friend_group (owner_id, slot, name) VALUES `+db.RowsOf(len(missing), `(?,?,?)`), args...)
	return bits, err
}
