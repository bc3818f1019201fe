package device

import (
	"cmp"
	"slices"

	"github.com/magpie-im/magpie/internal/im"
)

// key names a device's row; without a device, all rows of an account.
type key struct {
	account im.AccountID
	device  im.DeviceID
}

// inRounds calls do with the values of a commit: once with all, if they have different keys, and else in rounds, each of
// which has every key at most once. The values of one key keep their order, and a round is in the order of the keys: two
// nodes that insert the same rows wait for each other. PostgreSQL may update the rows of one statement in another order,
// and then one of two nodes runs its commit again.
func inRounds[T any](all []T, keyOf func(T) key, do func(round []T) error) error {
	for len(all) > 0 {
		var later []T
		round, taken := make([]T, 0, len(all)), make(map[key]bool, len(all))
		for _, one := range all {
			if k := keyOf(one); taken[k] {
				later = append(later, one)
			} else {
				taken[k] = true
				round = append(round, one)
			}
		}
		slices.SortFunc(round, func(x, y T) int { return compareKeys(keyOf(x), keyOf(y)) })
		if err := do(round); err != nil {
			return err
		}
		all = later
	}
	return nil
}

func compareKeys(x, y key) int {
	return cmp.Or(cmp.Compare(x.account, y.account), cmp.Compare(x.device, y.device))
}

// args gives the parameters for db.Rows of keys.
func args(keys []key) []any {
	list := make([]any, 0, 2*len(keys))
	for _, k := range keys {
		list = append(list, int64(k.account), int64(k.device))
	}
	return list
}
