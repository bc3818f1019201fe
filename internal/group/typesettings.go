package group

import (
	"slices"
	"strings"

	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/setting"
)

// PerType is a setting that types of groups have of their own, by the type's name on the wire. A type that is not there cannot
// choose.
type PerType[T any] map[string]*setting.Setting[T]

// typeWord is a type's name in the names of settings.
type typeWord struct{ wire, word string }

// settable are the types that have settings of their own, in the order in which they are listed.
func settable() []typeWord {
	return []typeWord{{"Private", "work"}, {"Public", "public"}, {"ChatRoom", "meeting"}, {"Community", "community"}}
}

// room is the word of live rooms, of which only some settings are in this room.
func room() typeWord { return typeWord{"AVChatRoom", "avchatroom"} }

func declare[T any](of func(t typeWord) *setting.Setting[T]) PerType[T] { return declareWith(of) }

// declareWith is declare of further types too.
func declareWith[T any](of func(t typeWord) *setting.Setting[T], more ...typeWord) PerType[T] {
	all := PerType[T]{}
	for _, t := range append(settable(), more...) {
		if one := of(t); one != nil {
			all[t.wire] = one
		}
	}
	return all
}

// EachType declares a setting for each type of groups whose members are stored: word is the type's name in the names of settings,
// and a nil setting one that the type does not have.
func EachType[T any](of func(word string) *setting.Setting[T]) PerType[T] {
	return declare(func(t typeWord) *setting.Setting[T] { return of(t.word) })
}

// Of is what the application chose for groups of the type; usual where the type cannot choose.
func (p PerType[T]) Of(app *im.App, t Type, usual T) T {
	if one := p[t.name]; one != nil {
		return one.Of(app)
	}
	return usual
}

// List is in the order of the types.
func (p PerType[T]) List() []setting.Declaration {
	var all []setting.Declaration
	for _, t := range append(settable(), room()) {
		if one := p[t.wire]; one != nil {
			all = append(all, one)
		}
	}
	return all
}

// tips declares how members learn of changes of a class. usual are the defaults in the order of settable; "" of a type that has no
// such changes.
func tips(class, doc string, usual ...TipMode) PerType[TipMode] {
	return declare(func(t typeWord) *setting.Setting[TipMode] {
		mode := usual[slices.Index(settable(), t)]
		if mode == "" {
			return nil
		}
		return setting.Choice(setting.Spec[TipMode]{
			Name: "group." + t.word + ".tips." + class, Default: mode, Doc: "tips of " + t.word + " groups about " + doc,
		}, TipNone, TipPushed, TipKept)
	})
}

// The tips that an application chooses, by the class that rules.tsv names, and whether members read what was said before they joined.
var (
	tipsMember     = tips("member", "who joins, leaves or is removed", TipKept, TipKept, TipNone, TipKept)
	tipsRole       = tips("role", "who becomes an administrator", "", TipKept, TipNone, TipKept)
	tipsProfile    = tips("profile", "name, introduction, notification, avatar and owner", TipKept, TipKept, TipKept, TipKept)
	tipsCustom     = tips("custom", "fields of the application's own", TipKept, TipKept, TipKept, TipKept)
	tipsMuteAll    = tips("mute_all", "the mute of all", TipNone, TipNone, TipNone, TipNone)
	tipsJoinOption = tips("join_option", "who may join and invite", TipNone, TipNone, TipNone, TipNone)
	tipsMute       = tips("mute", "who is muted", "", TipKept, TipNone, TipKept)

	historyBefore = declare(func(t typeWord) *setting.Setting[bool] {
		return setting.Bool(setting.Spec[bool]{
			Name: "group." + t.word + ".history_before_join", Default: t.word == "meeting",
			Doc: "members of " + t.word + " groups read what was said before they joined, where the group does not say otherwise",
		})
	})
)

// receiveWord is a way to receive by its name on the wire.
type receiveWord string

// receiveOptions is how new members of a type hear of messages.
var receiveOptions = declare(func(t typeWord) *setting.Setting[receiveWord] {
	usual := AcceptAndNotify
	if t.word == "meeting" {
		usual = AcceptNotNotify
	}
	return setting.Choice(setting.Spec[receiveWord]{
		Name: "group." + t.word + ".receive_option", Default: receiveWord(usual.String()),
		Doc: "how new members of " + t.word + " groups hear of messages",
	}, receiveWord(AcceptAndNotify.String()), receiveWord(AcceptNotNotify.String()), receiveWord(Discard.String()),
		receiveWord(AcceptNotNotifyExceptAt.String()))
})

func tipClasses() map[string]PerType[TipMode] {
	return map[string]PerType[TipMode]{
		"member": tipsMember, "role": tipsRole, "profile": tipsProfile, "custom": tipsCustom, "mute_all": tipsMuteAll,
		"join_option": tipsJoinOption, "mute": tipsMute,
	}
}

func typeSettings() []setting.Declaration {
	return slices.Concat(
		tipsMember.List(), tipsRole.List(), tipsProfile.List(), tipsCustom.List(), tipsMuteAll.List(), tipsJoinOption.List(), tipsMute.List(),
		historyBefore.List(), receiveOptions.List(), switches(),
	)
}

// tipMode is how members learn of what a rule is about: as the application chose, or as the rule's cell says. silent leaves the tip
// out, and so does a type in which the rule has no meaning.
func (t Type) tipMode(app *im.App, rule string, silent bool) TipMode {
	mode := TipMode(t.Rule(rule))
	if silent || mode != TipNone && mode != TipPushed && mode != TipKept {
		return TipNone
	}
	if chosen := tipClasses()[t.tipClass(rule)][t.name]; chosen != nil {
		return chosen.Of(app)
	}
	return mode
}

// tipClass is the last part of the setting that changes a rule, as the table names it: "member" of "group.TYPE.tips.member=cell".
func (t Type) tipClass(rule string) string {
	one := t.rules.byName[rule]
	if one == nil {
		return ""
	}
	name, _, _ := strings.Cut(one.Setting, "=")
	class, _ := strings.CutPrefix(name, "group.TYPE.tips.")
	return class
}

// ReadsBefore reports whether members of the group read what was said before they joined.
func (g *Group) ReadsBefore(app *im.App) bool {
	chosen := historyBefore[g.Type.name]
	switch {
	case g.History == HistoryOn:
		return true
	case g.History == HistoryOff || chosen == nil:
		return false
	}
	return chosen.Of(app)
}

// History is what one group says of what was said before a member joined. Its numbers are stored; the zero History leaves it to the
// setting of the type.
type History int64

// What a group may say.
const (
	HistoryUsual History = iota
	HistoryOn
	HistoryOff
)
