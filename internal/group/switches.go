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

	emptyEnds = declare(func(t typeWord) *setting.Setting[bool] {
		return setting.Bool(setting.Spec[bool]{
			Name: "group." + t.word + ".dismiss_when_empty", Default: true,
			Doc: t.word + " groups are destroyed when their last member leaves; off leaves them to the back end",
		})
	})

	communities = setting.Bool(setting.Spec[bool]{
		Name: "group.community.enabled", Default: true, Doc: "new communities are made; those that are there live on",
	})
)

func switches() []setting.Declaration {
	return slices.Concat(clientsCreate.List(), bans.List(), emptyEnds.List(), []setting.Declaration{communities})
}

// creatable refuses new groups of a type that the application does not want at this door, or not at all.
func creatable(call *command.Call, t Type) error {
	if t.Yes("create.support_topic") && !communities.Of(call.App) {
		return im.Errorf(im.CodeCommunities, "the application has no communities")
	}
	if !call.Admin() && !clientsCreate.Of(call.App, t, true) {
		return im.Errorf(im.CodeGroupDisabled, "groups of the type %s are made by the application's back end only", t)
	}
	return nil
}

// bansOn reports whether accounts are banned from groups of the type.
func bansOn(call *command.Call, t Type) bool { return bans.Of(call.App, t, true) }
