package group

import (
	"slices"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/setting"
)

// What an application may switch off for a type of groups.
var (
	clientsCreate = declare(func(t typeWord) *setting.Setting[bool] {
		return setting.Bool(setting.Spec[bool]{
			Name: "group." + t.word + ".client_create", Default: true, Doc: "clients make " + t.word + " groups",
		})
	})

	bans = declare(func(t typeWord) *setting.Setting[bool] {
		return setting.Bool(setting.Spec[bool]{
			Name: "group." + t.word + ".ban", Default: true, Doc: "accounts are banned from " + t.word + " groups",
		})
	})

	communities = setting.Bool(setting.Spec[bool]{
		Name: "group.community.enabled", Default: true, Doc: "new communities are made; those that are there live on",
	})
)

func switches() []setting.Declaration {
	return slices.Concat(clientsCreate.list(), bans.list(), []setting.Declaration{communities})
}

// of is the setting of a type; nil of one that cannot choose.
func (p perType[T]) of(t Type) *setting.Setting[T] { return p[t.name] }

// creatable refuses new groups of a type that the application does not want at this door, or not at all.
func creatable(call *command.Call, t Type) error {
	if t.Yes("create.support_topic") && !communities.Of(call.App) {
		return im.Errorf(im.CodeCommunities, "the application has no communities")
	}
	if one := clientsCreate.of(t); !call.Admin() && one != nil && !one.Of(call.App) {
		return im.Errorf(im.CodeGroupDisabled, "groups of the type %s are made by the application's back end only", t)
	}
	return nil
}

// bansOn reports whether accounts are banned from groups of the type.
func bansOn(call *command.Call, t Type) bool {
	one := bans.of(t)
	return one == nil || one.Of(call.App)
}
