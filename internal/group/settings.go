package group

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/setting"
)

var (
	maxJoined = setting.Int(setting.Spec[int]{
		Name: "group.max_joined", Default: 3000, Low: 1, High: 10_000, Doc: "groups that one account may be in",
	})

	maxMembers = setting.Int(setting.Spec[int]{
		Name: "group.max_members", Default: usualMembers, Low: 1, High: 100_000, Doc: "members of a group, where its type names no other bound",
	})

	typeMaxMembers = declare(func(t typeWord) *setting.Setting[int] {
		if t.word == "community" {
			return nil
		}
		return setting.Int(setting.Spec[int]{
			Name: "group." + t.word + ".max_members", Default: 0, Low: 0, High: 100_000,
			Doc: "members of " + t.word + " groups; 0 is what group.max_members says",
		})
	})

	communityMaxMembers = setting.Int(setting.Spec[int]{
		Name: "group.community.max_members", Default: 1_000_000, Low: 1, High: 1_000_000, Doc: "members of a community",
	})

	memberPresence = setting.Bool(setting.Spec[bool]{
		Name: "group.member_online_status", Default: true, Doc: "members learn which of them are online, and how many",
	})

	groupFields = setting.List(setting.Spec[[]string]{
		Name: "group.custom_fields", High: 10, Doc: "keys of the fields of its own that the application has for groups", Check: checkKeys,
	})

	memberFields = setting.List(setting.Spec[[]string]{
		Name: "group.member_fields", High: 5, Doc: "keys of the fields of its own that the application has for members", Check: checkKeys,
	})

	nameBytes         = bytesOf("group.name_bytes", 100, "group's name")
	introductionBytes = bytesOf("group.introduction_bytes", 400, "group's introduction")
	notificationBytes = bytesOf("group.notification_bytes", 400, "group's notification")
	avatarBytes       = bytesOf("group.avatar_bytes", 500, "group's FaceUrl")
	nameCardBytes     = bytesOf("group.name_card_bytes", 100, "member's name card")
)

// checkKeys allows keys of 1 to 16 letters, digits and underscores that do not begin with a digit.
func checkKeys(keys []string) error {
	const most = 16
	for _, key := range keys {
		if len(key) > most || strings.Trim(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" || key[0] <= '9' {
			return errors.New("want keys of 1 to 16 letters, digits and underscores that do not begin with a digit")
		}
	}
	return nil
}

const usualMembers = 6000

func bytesOf(name string, usual int, of string) *setting.Setting[int] {
	const most = 4000
	return setting.Int(setting.Spec[int]{Name: name, Default: usual, Low: 1, High: most, Unit: "bytes", Doc: "longest text of a " + of})
}

// mostMembers is how many members a group of the type may have; 0 is any number.
func mostMembers(app *im.App, t Type) int64 {
	if t.Rule("create.max_members.default") == "unlimited" {
		return 0
	}
	if t.Number("create.max_members.default") > usualMembers {
		return int64(communityMaxMembers.Of(app))
	}
	return int64(cmp.Or(typeMaxMembers.Of(app, t, 0), maxMembers.Of(app)))
}

// Settings lists what an operator may choose in this room.
func (g *Groups) Settings() []setting.Declaration {
	return slices.Concat([]setting.Declaration{
		maxJoined, maxMembers, communityMaxMembers, dailyGrowth, memberPresence,
	}, typeMaxMembers.List(), mostGroups.List(), recycleAfter.List(), []setting.Declaration{
		groupFields, memberFields, nameBytes,
		introductionBytes, notificationBytes, avatarBytes, nameCardBytes,
	}, typeSettings())
}
