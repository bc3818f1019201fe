// Package profile keeps what an account tells about itself: the standard fields and an application's own.
//
// Nick and avatar live on the account's row, because every message carries them; the other fields have rows of their
// own. The package does not know friends.
package profile

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/webhook"
	"github.com/magpie-im/magpie/internal/wire"
)

const service = "profile"

// family is the profile service's codes.
func family() im.Family {
	return im.Family{
		BadJSON: im.CodeProfileParameter, BadField: im.CodeProfileParameter, NoAccount: im.CodeProfileUnknown,
		NotAdmin: im.CodeProfileNotAdmin, Internal: im.CodeProfileInternal,
	}
}

const (
	maxItems        = 64 // of one change
	maxCustomFields = 20 // an account's fields of the application's own
)

// Profiles is the room's state.
type Profiles struct {
	db       *db.DB
	accounts *account.Accounts
	hooks    *webhook.Webhooks
	friends  Friends
}

// Friends knows who hears of an account's profile beside itself. The relation room does.
type Friends interface {
	// Watchers are the accounts that have another as a friend, as many as are told of one change.
	Watchers(ctx context.Context, of im.AccountID) ([]im.AccountID, error)
}

// ToldTo names the friends. It is called before commands are served.
func (p *Profiles) ToldTo(f Friends) { p.friends = f }

// New makes the room.
func New(d *db.DB, accounts *account.Accounts, hooks *webhook.Webhooks) *Profiles {
	return &Profiles{db: d, accounts: accounts, hooks: hooks}
}

// Commands is the room's table of contents.
func (p *Profiles) Commands() []command.Command {
	return []command.Command{p.getCommand(), p.getAllCommand(), p.setCommand()}
}

// ProfileItem is one field of a profile; Value is JSON text or a JSON number, as the field's type says.
type ProfileItem struct {
	Tag   string   `json:"Tag"`
	Value wire.Raw `json:"Value"`
}

// The standard fields that have columns of their own.
const (
	tagNick  = "Tag_Profile_IM_Nick"
	tagImage = "Tag_Profile_IM_Image"

	tagSignature = "Tag_Profile_IM_SelfSignature"
)

// The fields that other rooms know.
const (
	TagAllowType   = "Tag_Profile_IM_AllowType"       // what the account says to those who add it as a friend
	TagAdminForbid = "Tag_Profile_IM_AdminForbidType" // whether the account may add friends; set by administrators only
	TagCustom      = "Tag_Profile_Custom_"            // how the names of an application's own fields begin
)

// field is what a tag allows (docs/protocol/limits.md#8-profile-fields).
type field struct {
	number bool
	most   int // bytes of text
	values []string
}

// fieldFor tells what the tag allows. An application's own fields are text or numbers as they come, under a short name
// of letters.
func fieldFor(tag string) (field, bool) {
	switch tag {
	case tagNick, tagImage, tagSignature:
		return field{most: im.MaxProfileBytes}, true
	case "Tag_Profile_IM_Location":
		return field{most: 16}, true
	case "Tag_Profile_IM_Gender":
		return field{values: []string{"Gender_Type_Unknown", "Gender_Type_Female", "Gender_Type_Male"}}, true
	case TagAllowType:
		return field{values: []string{"AllowType_Type_NeedConfirm", "AllowType_Type_AllowAny", "AllowType_Type_DenyAny"}}, true
	case TagAdminForbid:
		return field{values: []string{"AdminForbid_Type_None", "AdminForbid_Type_SendOut"}}, true
	case "Tag_Profile_IM_BirthDay", "Tag_Profile_IM_Language", "Tag_Profile_IM_MsgSettings", "Tag_Profile_IM_Level",
		"Tag_Profile_IM_Role":
		return field{number: true}, true
	}
	key, custom := strings.CutPrefix(tag, TagCustom)
	return field{most: im.MaxProfileBytes}, custom && ValidKey(key)
}

// ValidKey reports whether a field of an application's own may have the key: 1 to 8 letters.
func ValidKey(key string) bool {
	const most = 8
	if key == "" || len(key) > most {
		return false
	}
	for _, c := range key {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

// parse checks a field and gives the text to store: text as it is, a number in decimal digits.
func (i ProfileItem) parse() (string, error) {
	allowed, ok := fieldFor(i.Tag)
	if !ok {
		return "", im.Errorf(im.CodeProfileTag, "no profile field %.60q", i.Tag)
	}
	if i.number() {
		n, err := i.digits()
		if err != nil {
			return "", im.Errorf(im.CodeProfileType, "%s wants a whole number from 0 to 4294967295", i.Tag)
		}
		return strconv.FormatUint(n, 10), nil
	}
	var text string
	if err := wire.Unmarshal(i.Value, &text); err != nil || i.Value.Kind() != '"' {
		return "", im.Errorf(im.CodeProfileType, "%s wants text", i.Tag)
	}
	text = wire.Text(text)
	return text, allowed.check(i.Tag, text)
}

// number reports whether the field is stored as a number: by its tag, or by its value where the tag allows both.
func (i ProfileItem) number() bool {
	allowed, _ := fieldFor(i.Tag)
	return allowed.number || strings.HasPrefix(i.Tag, TagCustom) && i.Value.Kind() == '0'
}

// digits reads a number, also one written as text: the official Java library has no other way to write a value.
func (i ProfileItem) digits() (uint64, error) {
	digits := string(i.Value)
	if i.Value.Kind() == '"' {
		if err := wire.Unmarshal(i.Value, &digits); err != nil {
			return 0, err
		}
	}
	return strconv.ParseUint(digits, 10, 32)
}

func (f field) check(tag, text string) error {
	if f.values != nil {
		for _, v := range f.values {
			if v == text {
				return nil
			}
		}
		return im.Errorf(im.CodeProfileValue, "%s must be one of %s", tag, strings.Join(f.values, ", "))
	}
	if len(text) > f.most {
		return im.Errorf(im.CodeProfileTooLong, "%s has %d bytes, at most %d", tag, len(text), f.most)
	}
	return nil
}

// written gives a stored text the form of the interface.
func written(tag, text string, number bool) (ProfileItem, error) {
	if number {
		return ProfileItem{tag, wire.Raw(text)}, nil
	}
	value, err := wire.Marshal(text)
	return ProfileItem{tag, value}, err
}

// fields are an account's fields by tag.
type fields map[string]ProfileItem

// read collects the fields of accounts, nick and avatar included where they are not empty.
func (p *Profiles) read(ctx context.Context, from db.Source, accounts iter.Seq[account.Account]) (map[im.AccountID]fields, error) {
	all := map[im.AccountID]fields{}
	var ids []im.AccountID
	for one := range accounts {
		fields := fields{}
		for tag, value := range map[string]string{tagNick: one.Nick, tagImage: one.FaceURL} {
			if value != "" {
				var err error
				if fields[tag], err = written(tag, value, false); err != nil {
					return nil, err
				}
			}
		}
		all[one.ID] = fields
		ids = append(ids, one.ID)
	}
	err := db.Each(ctx, from, func(row db.Scanner) error {
		var (
			id         im.AccountID
			tag, value string
			number     bool
		)
		if err := row(&id, &tag, &value, &number); err != nil {
			return err
		}
		var err error
		all[id][tag], err = written(tag, value, number)
		return err
	}, `SELECT account_id, tag, value, is_number FROM profile WHERE account_id IN ($1...)`, db.Ints(ids))
	if err != nil {
		return nil, fmt.Errorf("read profiles: %w", err)
	}
	return all, nil
}
