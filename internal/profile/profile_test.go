package profile_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// The stories of this room go through the doors of a whole server, once on each database.

type (
	// M is a JSON object.
	M = magpietest.M
	// Server is a running Magpie.
	Server = magpietest.Server
)

// story runs a scenario in which alice and bob have accounts, with a nick and nothing else.
func story(t *testing.T, tell func(t *testing.T, s *Server)) {
	t.Helper()
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob")
		tell(t, s)
	})
}

// allTags are the standard fields and one of an application's own.
var allTags = []string{
	"Tag_Profile_IM_Nick", "Tag_Profile_IM_Gender", "Tag_Profile_IM_BirthDay", "Tag_Profile_IM_Location",
	"Tag_Profile_IM_SelfSignature", "Tag_Profile_IM_AllowType", "Tag_Profile_IM_Language", "Tag_Profile_IM_Image",
	"Tag_Profile_IM_MsgSettings", "Tag_Profile_IM_AdminForbidType", "Tag_Profile_IM_Level", "Tag_Profile_IM_Role",
	"Tag_Profile_Custom_Test",
}

// user is one account in a reply.
type user struct {
	To          string `json:"To_Account"`
	ProfileItem []struct {
		Tag   string
		Value json.RawMessage
	}
	ResultCode int
	ResultInfo string
}

// fields writes the user's fields as "Tag=value", values in JSON.
func (u *user) fields() []string {
	all := []string{}
	for _, item := range u.ProfileItem {
		all = append(all, item.Tag+"="+string(item.Value))
	}
	slices.Sort(all)
	return all
}

type reply struct {
	UserProfileItem []user
	FailAccount     []string `json:"Fail_Account"`
	ErrorDisplay    *string
}

// get reads profile fields by REST.
func get(t *testing.T, s *Server, users, tags []string) reply {
	t.Helper()
	var got reply
	s.MustREST(t, "profile/portrait_get", M{"To_Account": users, "TagList": tags}, &got)
	return got
}

func wantFields(t *testing.T, s *Server, userID string, want ...string) {
	t.Helper()
	got := get(t, s, []string{userID}, allTags)
	slices.Sort(want)
	if fields := got.UserProfileItem[0].fields(); !slices.Equal(fields, want) {
		t.Errorf("%s has %q, want %q", userID, fields, want)
	}
}

func set(userID string, items ...any) M {
	list := []M{}
	for i := 0; i < len(items); i += 2 {
		list = append(list, M{"Tag": items[i], "Value": items[i+1]})
	}
	return M{"From_Account": userID, "ProfileItem": list}
}

// A field is read back as it was written, text as text and numbers as numbers. What was never set is not returned.
func TestFields(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		wantFields(t, s, "alice", `Tag_Profile_IM_Nick="nick of alice"`)
		for _, row := range []struct {
			tag   string
			value any
			want  string
		}{
			{"Tag_Profile_IM_Nick", "Al 中😀", `"Al 中😀"`},
			{"Tag_Profile_IM_Nick", strings.Repeat("x", 500), `"` + strings.Repeat("x", 500) + `"`},
			{"Tag_Profile_IM_Gender", "Gender_Type_Female", `"Gender_Type_Female"`},
			{"Tag_Profile_IM_BirthDay", 20190419, `20190419`},
			{"Tag_Profile_IM_Location", "\u0001\u0002 sixteen byte.", `"\u0001\u0002 sixteen byte."`},
			{"Tag_Profile_IM_SelfSignature", "", `""`},
			{"Tag_Profile_IM_AllowType", "AllowType_Type_DenyAny", `"AllowType_Type_DenyAny"`},
			{"Tag_Profile_IM_Language", 0, `0`},
			{"Tag_Profile_IM_Image", "http://x/a.png?b=c&d=<e>", `"http://x/a.png?b=c&d=<e>"`},
			{"Tag_Profile_IM_MsgSettings", 1, `1`},
			{"Tag_Profile_IM_AdminForbidType", "AdminForbid_Type_SendOut", `"AdminForbid_Type_SendOut"`},
			{"Tag_Profile_IM_Level", 4294967295, `4294967295`},
			{"Tag_Profile_IM_Role", 7, `7`},
			{"Tag_Profile_IM_Role", "8", `8`}, // as the official Java library has to write it
			{"Tag_Profile_IM_BirthDay", "20190420", `20190420`},
			{"Tag_Profile_Custom_Test", `{"any":"text"}`, `"{\"any\":\"text\"}"`},
			{"Tag_Profile_Custom_Test", 5, `5`},
			{"Tag_Profile_Custom_A", "x", `"x"`},
			{"Tag_Profile_Custom_abcdefgh", "x", `"x"`},
		} {
			var answer reply
			s.MustREST(t, "profile/portrait_set", set("alice", row.tag, row.value), &answer)
			if answer.ErrorDisplay == nil {
				t.Error("the reply has no ErrorDisplay")
			}
			got := get(t, s, []string{"alice"}, []string{row.tag})
			if fields := got.UserProfileItem[0].fields(); !slices.Equal(fields, []string{row.tag + "=" + row.want}) {
				t.Errorf("%s was set to %s and is %q", row.tag, row.want, fields)
			}
		}
		wantFields(t, s, "bob", `Tag_Profile_IM_Nick="nick of bob"`)
	})
}

// All of a call's fields are set, or none: one that is wrong spoils the whole.
func TestSetIsAllOrNothing(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		long := strings.Repeat("x", 501)
		for _, row := range []struct {
			name  string
			tag   any
			value any
			code  int
		}{
			{"an unknown tag", "Tag_Profile_IM_Shoe", "43", 40009},
			{"no tag", "", "x", 40009},
			{"a custom tag without a name", "Tag_Profile_Custom_", "x", 40009},
			{"a custom name that is too long", "Tag_Profile_Custom_abcdefghi", "x", 40009},
			{"a custom name with a digit", "Tag_Profile_Custom_a1", "x", 40009},
			{"a nick that is too long", "Tag_Profile_IM_Nick", long, 40601},
			{"a nick that is too long in bytes", "Tag_Profile_IM_Nick", strings.Repeat("中", 167), 40601},
			{"a signature that is too long", "Tag_Profile_IM_SelfSignature", long, 40601},
			{"an avatar that is too long", "Tag_Profile_IM_Image", long, 40601},
			{"a custom value that is too long", "Tag_Profile_Custom_Test", long, 40601},
			{"a location that is too long", "Tag_Profile_IM_Location", strings.Repeat("x", 17), 40601},
			{"no gender", "Tag_Profile_IM_Gender", "Gender_Type_Other", 40605},
			{"no way to be added", "Tag_Profile_IM_AllowType", "", 40605},
			{"no way to be forbidden", "Tag_Profile_IM_AdminForbidType", "yes", 40605},
			{"a number for a nick", "Tag_Profile_IM_Nick", 7, 40610},
			{"text for a birthday", "Tag_Profile_IM_BirthDay", "in April", 40610},
			{"too large a number as text", "Tag_Profile_IM_Level", "4294967296", 40610},
			{"no digits as text", "Tag_Profile_IM_Level", "", 40610},
			{"a fraction for a level", "Tag_Profile_IM_Level", 1.5, 40610},
			{"a negative level", "Tag_Profile_IM_Level", -1, 40610},
			{"a level beyond 32 bits", "Tag_Profile_IM_Level", 4294967296, 40610},
			{"a truth for a role", "Tag_Profile_IM_Role", true, 40610},
			{"null for a nick", "Tag_Profile_IM_Nick", json.RawMessage("null"), 40610},
			{"an object for a custom value", "Tag_Profile_Custom_Test", M{"a": 1}, 40610},
			{"a list for a nick", "Tag_Profile_IM_Nick", []string{"x"}, 40610},
			{"a number for a tag", 7, "x", 40001},
		} {
			request := set("alice", "Tag_Profile_IM_Nick", "changed", "Tag_Profile_IM_Level", 7, row.tag, row.value)
			if e := s.REST(t, "profile/portrait_set", request, nil); e.ErrorCode != row.code || e.ActionStatus != "FAIL" || e.ErrorInfo == "" {
				t.Errorf("%s: answered %+v, want %d", row.name, e, row.code)
			}
		}
		for _, row := range []struct {
			name string
			body any
			code int
		}{
			{"an unknown account", set("nobody", "Tag_Profile_IM_Nick", "x"), 40003},
			{"no account", set("", "Tag_Profile_IM_Nick", "x"), 40003},
			{"no fields", set("alice"), 40001},
			{"fields that are no list", M{"From_Account": "alice", "ProfileItem": "x"}, 40001},
			{"an account that is a number", M{"From_Account": 7, "ProfileItem": []M{}}, 40001},
			{"not JSON", `{`, 40001},
		} {
			if e := s.REST(t, "profile/portrait_set", row.body, nil); e.ErrorCode != row.code || e.ActionStatus != "FAIL" {
				t.Errorf("%s: answered %+v, want %d", row.name, e, row.code)
			}
		}
		wantFields(t, s, "alice", `Tag_Profile_IM_Nick="nick of alice"`)
		alice.SeesNothing(t)
		bob.SeesNothing(t)
	})
}

// The account's devices learn of a change, and messages carry the new nick and avatar at once.
func TestSetIsToldAndUsed(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice, phone, bob := s.Login(t, "alice"), s.Login(t, "alice", magpietest.Platform(2)), s.Login(t, "bob")
		s.MustREST(t, "profile/portrait_set", set("alice", "Tag_Profile_IM_Nick", "Al", "Tag_Profile_IM_Level", 7,
			"Tag_Profile_IM_Image", "http://x/al.png"), nil)
		line := `alice: Tag_Profile_IM_Nick="Al", alice: Tag_Profile_IM_Level=7, alice: Tag_Profile_IM_Image="http://x/al.png"`
		alice.Sees(t, line)
		phone.Sees(t, line)
		bob.SeesNothing(t)
		s.Send(t, "alice", "bob", "hi")
		if m := bob.Pushes(t)[0].Messages[0]; m.Nick != "Al" || m.FaceURL != "http://x/al.png" {
			t.Errorf("the message carries %q and %q", m.Nick, m.FaceURL)
		}
		// Her own client changes her profile; her other device is told, the asking one is answered.
		alice.MustCall(t, "profile.portrait_set", M{"ProfileItem": []M{{"Tag": "Tag_Profile_IM_Nick", "Value": "Ally"}}}, nil)
		phone.Sees(t, `alice: Tag_Profile_IM_Nick="Ally"`)
		alice.SeesNothing(t)
		wantFields(t, s, "alice", `Tag_Profile_IM_Nick="Ally"`, `Tag_Profile_IM_Image="http://x/al.png"`, `Tag_Profile_IM_Level=7`)
	})
}

// A client changes its own profile only, and not what its administrator decides.
func TestClientSets(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		alice.MustCall(t, "profile.portrait_set", set("bob", "Tag_Profile_IM_Nick", "mine"), nil)
		wantFields(t, s, "bob", `Tag_Profile_IM_Nick="nick of bob"`)
		wantFields(t, s, "alice", `Tag_Profile_IM_Nick="mine"`)
		bob.SeesNothing(t)
		for code, request := range map[int]M{
			40008: set("alice", "Tag_Profile_IM_AdminForbidType", "AdminForbid_Type_None"),
			40009: set("alice", "Tag_Profile_IM_Shoe", "43"),
			40605: set("alice", "Tag_Profile_IM_Gender", "x"),
		} {
			if e := alice.Call(t, "profile.portrait_set", request, nil); e.ErrorCode != code {
				t.Errorf("%v: answered %+v, want %d", request, e, code)
			}
		}
	})
}

// An application has up to twenty fields of its own; clients cannot invent more and more of them.
func TestCustomFieldsAreBounded(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice := s.Login(t, "alice")
		name := func(n int) string { return "Tag_Profile_Custom_F" + string(rune('a'+n)) }
		const most = 20
		for n := range most {
			alice.MustCall(t, "profile.portrait_set", set("alice", name(n), "x"), nil)
		}
		for what, e := range map[string]magpietest.Envelope{
			"a client":                       alice.Call(t, "profile.portrait_set", set("alice", name(most), "x"), nil),
			"a back end":                     s.REST(t, "profile/portrait_set", set("alice", name(most), "x"), nil),
			"two at once, one of them known": alice.Call(t, "profile.portrait_set", set("alice", name(0), "y", name(most), "x"), nil),
		} {
			if e.ErrorCode != 40009 {
				t.Errorf("%s: answered %+v, want 40009", what, e)
			}
		}
		alice.MustCall(t, "profile.portrait_set", set("alice", name(0), "changed", name(most-1), "changed"), nil)
		wantFields(t, s, "alice", `Tag_Profile_IM_Nick="nick of alice"`) // of the tags asked for
		got := get(t, s, []string{"alice"}, []string{name(0), name(most)})
		if fields := got.UserProfileItem[0].fields(); !slices.Equal(fields, []string{name(0) + `="changed"`}) {
			t.Errorf("alice has %q", fields)
		}
	})
}

// Some of the accounts do not exist: each has an item that says so, and is named once more.
func TestGetUnknown(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		got := get(t, s, []string{"nobody", "alice", "no one"}, []string{"Tag_Profile_IM_Nick"})
		codes := map[string]int{}
		for _, one := range got.UserProfileItem {
			codes[one.To] = one.ResultCode
			if one.ResultCode != 0 && (len(one.ProfileItem) != 0 || one.ResultInfo == "") {
				t.Errorf("%s: %+v", one.To, one)
			}
		}
		if fmt.Sprint(codes) != fmt.Sprint(map[string]int{"alice": 0, "nobody": 40003, "no one": 40003}) {
			t.Errorf("the items' codes are %v", codes)
		}
		if !slices.Equal(got.FailAccount, []string{"nobody", "no one"}) {
			t.Errorf("Fail_Account is %v", got.FailAccount)
		}
		if all := get(t, s, []string{"alice"}, []string{"Tag_Profile_IM_Nick"}); all.FailAccount == nil || len(all.FailAccount) != 0 {
			t.Errorf("Fail_Account is %v for nobody", all.FailAccount)
		}
		if none := get(t, s, []string{"nobody"}, []string{"Tag_Profile_IM_Nick"}); len(none.UserProfileItem) != 1 {
			t.Errorf("all unknown: %+v", none)
		}
	})
}

func TestGetRefuses(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		nick := []string{"Tag_Profile_IM_Nick"}
		for _, row := range []struct {
			name string
			body any
			code int
		}{
			{"nobody named", M{"TagList": nick}, 40002},
			{"an empty list", M{"To_Account": []string{}, "TagList": nick}, 40002},
			{"more than 100", M{"To_Account": slices.Repeat([]string{"alice"}, 101), "TagList": nick}, 40001},
			{"no tags", M{"To_Account": []string{"alice"}}, 40001},
			{"an unknown tag", M{"To_Account": []string{"alice"}, "TagList": []string{"Tag_Profile_IM_Shoe"}}, 40009},
			{"text for a list", M{"To_Account": "alice", "TagList": nick}, 40001},
			{"numbers", M{"To_Account": []int{1}, "TagList": nick}, 40001},
			{"not JSON", `{`, 40001},
			{"a list", `[]`, 40001},
		} {
			if e := s.REST(t, "profile/portrait_get", row.body, nil); e.ErrorCode != row.code || e.ActionStatus != "FAIL" {
				t.Errorf("%s: answered %+v, want %d", row.name, e, row.code)
			}
		}
		if got := get(t, s, slices.Repeat([]string{"alice"}, 100), nick); len(got.UserProfileItem) != 100 {
			t.Errorf("a hundred questions have %d answers", len(got.UserProfileItem))
		}
	})
}

// The web client reads whole profiles, its own at login; accounts that it asks for and that do not exist are left out.
func TestGetAll(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.MustREST(t, "profile/portrait_set", set("bob", "Tag_Profile_IM_Level", 7, "Tag_Profile_Custom_Test", "x"), nil)
		alice := s.Login(t, "alice")
		var got reply
		alice.MustCall(t, "profile.portrait_get_all", M{"UserItem": []M{
			{"To_Account": "alice", "StandardSequence": 0, "CustomSequence": 0}, {"To_Account": "nobody"}, {"To_Account": "bob"},
		}}, &got)
		if len(got.UserProfileItem) != 2 {
			t.Fatalf("answered %+v", got)
		}
		if fields := got.UserProfileItem[1].fields(); got.UserProfileItem[1].To != "bob" || !slices.Equal(fields, []string{
			`Tag_Profile_Custom_Test="x"`, `Tag_Profile_IM_Level=7`, `Tag_Profile_IM_Nick="nick of bob"`}) {
			t.Errorf("bob has %q", fields)
		}
		many := slices.Repeat([]M{{"To_Account": "bob"}}, 101)
		if e := alice.Call(t, "profile.portrait_get_all", M{"UserItem": many}, nil); e.ErrorCode != 40001 {
			t.Errorf("101 users: answered %+v, want 40001", e)
		}
	})
}
