package group

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/setting"
	"github.com/magpie-im/magpie/internal/wire"
)

// Profile is what a change sets of a group; nil leaves a field as it is.
type Profile struct {
	Name, Introduction, Notification, FaceURL *string
	ApplyOption, InviteOption                 *string
	MuteAll                                   *bool
	History                                   *History
	MaxMembers                                *int64
	// Owner is the new owner.
	Owner *account.Account
	// Custom are fields of the application's own; nil changes none.
	Custom map[string]string
}

// profileFields are the members of requests that say something of a group's profile. Some names have an older spelling.
type profileFields struct {
	Name         *string       `json:"Name"`
	Introduction *string       `json:"Introduction"`
	Notification *string       `json:"Notification"`
	FaceURL      *string       `json:"FaceUrl"`
	MaxCount     *wire.Number  `json:"MaxMemberCount"`
	MaxNumber    *wire.Number  `json:"MaxMemberNum"`
	ApplyOption  *string       `json:"ApplyJoinOption"`
	InviteOption *string       `json:"InviteJoinOption"`
	MuteAll      *string       `json:"MuteAllMember"`
	ShutUpAll    *string       `json:"ShutUpAllMember"`
	Custom       []customField `json:"AppDefinedData"`
}

// customField is a field of the application's own.
type customField struct {
	Key   string `json:"Key"`
	Value string `json:"Value"`
}

// read checks what can be checked without the group.
func (f *profileFields) read(call *command.Call) (*Profile, error) {
	p := &Profile{ApplyOption: f.ApplyOption, InviteOption: f.InviteOption}
	for _, text := range []struct {
		name   string
		given  *string
		most   *setting.Setting[int]
		result **string
	}{
		{"Name", f.Name, nameBytes, &p.Name}, {"Introduction", f.Introduction, introductionBytes, &p.Introduction},
		{"Notification", f.Notification, notificationBytes, &p.Notification}, {"FaceUrl", f.FaceURL, avatarBytes, &p.FaceURL},
	} {
		clean, err := checkText(call, text.name, text.given, text.most)
		if err != nil {
			return nil, err
		}
		*text.result = clean
	}
	if p.Name != nil && *p.Name == "" {
		return nil, im.Errorf(im.CodeGroupParameter, "Name is empty")
	}
	if most := firstOf(f.MaxNumber, f.MaxCount); most != nil {
		n := int64(*most)
		p.MaxMembers = &n
	}
	if err := p.readMuteAll(firstOf(f.MuteAll, f.ShutUpAll)); err != nil {
		return nil, err
	}
	var err error
	p.Custom, err = readCustom(f.Custom, groupFields.Of(call.App))
	return p, err
}

func firstOf[T any](newer, older *T) *T {
	if newer != nil {
		return newer
	}
	return older
}

func checkText(call *command.Call, name string, given *string, most *setting.Setting[int]) (*string, error) {
	if given == nil {
		return nil, nil //nolint:nilnil // nil says that it was not given
	}
	text := wire.Text(*given)
	if n := most.Of(call.App); len(text) > n {
		return nil, im.Errorf(im.CodeGroupParameter, "%s has %d bytes, at most %d", name, len(text), n)
	}
	return &text, nil
}

func (p *Profile) readMuteAll(text *string) error {
	if text == nil {
		return nil
	}
	if *text != "On" && *text != "Off" {
		return im.Errorf(im.CodeGroupParameter, "MuteAllMember is %.20q: want On or Off", *text)
	}
	on := *text == "On"
	p.MuteAll = &on
	return nil
}

func (p *Profile) readHistory(text *string) error {
	if text == nil {
		return nil
	}
	chosen := HistoryOff
	if *text == "On" {
		chosen = HistoryOn
	} else if *text != "Off" {
		return im.Errorf(im.CodeGroupParameter, "HistoryMsgBeforeJoin is %.20q: want On or Off", *text)
	}
	p.History = &chosen
	return nil
}

func onOff(on bool) string {
	if on {
		return "On"
	}
	return "Off"
}

// readCustom checks fields of the application's own: an undeclared one is a mistake that is hard to find if it is passed over.
func readCustom(given []customField, declared []string) (map[string]string, error) {
	if len(given) == 0 {
		return nil, nil //nolint:nilnil // nil says that none was given
	}
	read := make(map[string]string, len(given))
	for _, field := range given {
		if !slices.Contains(declared, field.Key) {
			return nil, im.Errorf(im.CodeGroupParameter, "the application has declared no field %.40q", field.Key)
		}
		read[field.Key] = wire.Text(field.Value)
	}
	return read, nil
}

// checkCustom bounds the values by the rule of the type.
func checkCustom(t Type, rule string, fields map[string]string) error {
	for key, value := range fields {
		if most := t.Number(rule); int64(len(value)) > most {
			return im.Errorf(im.CodeGroupParameter, "the field %s has %d bytes, at most %d", key, len(value), most)
		}
	}
	return nil
}

// mergeCustom writes stored fields with changes as JSON.
func mergeCustom(kept string, changes map[string]string) (string, error) {
	all := customOf(kept)
	maps.Copy(all, changes)
	text, err := json.Marshal(all)
	return string(text), err
}

// customOf reads stored fields.
func customOf(kept string) map[string]string {
	all := map[string]string{}
	_ = json.Unmarshal([]byte(kept), &all) // it was written by mergeCustom
	return all
}

// customList gives those stored fields that the application still declares and somebody wants, in the order of their keys.
func customList(kept string, declared []string, wanted func(key string) bool) []customField {
	all := customOf(kept)
	list := []customField{}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if slices.Contains(declared, key) && wanted(key) {
			list = append(list, customField{key, all[key]})
		}
	}
	return list
}
