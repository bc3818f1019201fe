package relation

import (
	"errors"

	"github.com/magpie-im/magpie/internal/profile"
	"github.com/magpie-im/magpie/internal/setting"
)

var (
	maxFriends = setting.Int(setting.Spec[int]{
		Name: "friend.max", Default: 3000, Low: 1, High: 10_000, Doc: "friends in an account's list",
	})

	maxRequests = setting.Int(setting.Spec[int]{
		Name: "friend.max_requests", Default: 100, Low: 1, High: 1000, Doc: "requests to become friends that wait, an account's own and those to it",
	})

	maxGroups = setting.Int(setting.Spec[int]{
		Name: "friend.max_groups", Default: 32, Low: 1, High: mostSlots, Doc: "friend groups of an account",
	})

	maxBlocked = setting.Int(setting.Spec[int]{
		Name: "blocklist.max", Default: 1000, Low: 1, High: 10_000, Doc: "accounts on a blocklist",
	})

	followOn = setting.Bool(setting.Spec[bool]{
		Name: "follow.enabled", Doc: "whether accounts follow each other",
	})

	maxFollowing = setting.Int(setting.Spec[int]{
		Name: "follow.max", Default: 5000, Low: 1, High: 10_000, Doc: "accounts that one account follows; its followers have no bound",
	})

	customFields = setting.List(setting.Spec[[]string]{
		Name: "friend.custom_fields", High: 20, Check: checkKeys,
		Doc: "keys of the fields of its own that the application has for friends, Tag_SNS_Custom_KEY",
	})

	allowType = setting.Choice(setting.Spec[string]{
		Name: "friend.allow_type", Default: allowAny, Doc: "what accounts say to new friends that have not chosen it in their profile",
	}, allowAny, needConfirm, denyAny)
)

// What an account says to those who add it, by its profile.
const (
	allowAny    = "AllowType_Type_AllowAny"
	needConfirm = "AllowType_Type_NeedConfirm"
	denyAny     = "AllowType_Type_DenyAny"
)

func checkKeys(keys []string) error {
	for _, key := range keys {
		if !profile.ValidKey(key) {
			return errors.New("want keys of 1 to 8 letters")
		}
	}
	return nil
}

// Settings lists what an operator may choose in this room.
func (r *Relations) Settings() []setting.Declaration {
	return []setting.Declaration{maxFriends, maxRequests, maxGroups, maxBlocked, friendCheck, blockCheck, followOn, maxFollowing, customFields, allowType}
}
