package client

import (
	"context"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Names of profile fields. An app's own ones begin with Tag_Profile_Custom_.
const (
	TagNick      = "Tag_Profile_IM_Nick"
	TagFaceURL   = "Tag_Profile_IM_Image"
	TagGender    = "Tag_Profile_IM_Gender"        // Gender_Type_Unknown, _Female or _Male
	TagBirthday  = "Tag_Profile_IM_BirthDay"      // a number, YYYYMMDD
	TagLocation  = "Tag_Profile_IM_Location"      // the app's own text
	TagSignature = "Tag_Profile_IM_SelfSignature" // what users say about themselves
	TagAllowType = "Tag_Profile_IM_AllowType"     // AllowType_Type_AllowAny, _NeedConfirm or _DenyAny
	TagLanguage  = "Tag_Profile_IM_Language"      // a number
	TagLevel     = "Tag_Profile_IM_Level"         // a number
	TagRole      = "Tag_Profile_IM_Role"          // a number
)

// Profile is what an account shows of itself.
type Profile struct {
	UserID string
	// Fields are by their names; a value is a string or an int64.
	Fields map[string]any
}

// Nick is the account's name to show, FaceURL its picture; empty when not set.
func (p Profile) Nick() string { return p.text(TagNick) }

// FaceURL is the address of the account's picture.
func (p Profile) FaceURL() string { return p.text(TagFaceURL) }

func (p Profile) text(tag string) string {
	text, _ := p.Fields[tag].(string)
	return text
}

type profileRequest struct {
	Users []profileUser `json:"UserItem"`
}

type profileUser struct {
	UserID   string `json:"To_Account"`
	Standard int    `json:"StandardSequence"`
	Custom   int    `json:"CustomSequence"`
}

type profileReply struct {
	Users []struct {
		UserID string        `json:"To_Account"`
		Items  []profileItem `json:"ProfileItem"`
	} `json:"UserProfileItem"`
}

type profileItem struct {
	Tag   string         `json:"Tag"`
	Value jsontext.Value `json:"Value"`
}

// Profile reads profiles, in the server's order; accounts it does not know are left out. More than 100 users are read in
// several calls.
func (c *Client) Profile(ctx context.Context, users ...string) ([]Profile, error) {
	const atOnce = 100
	var found []Profile
	for some := range slices.Chunk(users, atOnce) {
		var request profileRequest
		for _, user := range some {
			request.Users = append(request.Users, profileUser{UserID: user})
		}
		var page profileReply
		if err := c.Call(ctx, "profile.portrait_get_all", &request, &page); err != nil {
			return nil, err
		}
		for _, user := range page.Users {
			if user.UserID != "" && user.UserID != "@TLS#NOT_FOUND" {
				found = append(found, Profile{UserID: user.UserID, Fields: fields(user.Items)})
			}
		}
	}
	return found, nil
}

func fields(items []profileItem) map[string]any {
	values := make(map[string]any, len(items))
	for _, item := range items {
		var text string
		var n int64
		if decode(item.Value, &text) == nil {
			values[item.Tag] = text
		} else if decode(item.Value, &n) == nil {
			values[item.Tag] = n
		}
	}
	return values
}

// SetProfile changes fields of the user's own profile and leaves the others. Values are strings or integers, as the
// field has it.
func (c *Client) SetProfile(ctx context.Context, fields map[string]any) error {
	type item struct {
		Tag   string
		Value any
	}
	var body struct {
		Items []item `json:"ProfileItem"`
	}
	for tag, value := range fields {
		body.Items = append(body.Items, item{Tag: tag, Value: value})
	}
	slices.SortFunc(body.Items, func(a, b item) int { return strings.Compare(a.Tag, b.Tag) })
	return c.Call(ctx, "profile.portrait_set", &body, nil)
}
