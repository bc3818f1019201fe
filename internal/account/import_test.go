package account_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Importing is repeatable: what is given changes, what is not stays.
func TestImport(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		for _, row := range []struct {
			request       M
			nick, faceURL string
		}{
			{M{"UserID": "zoe"}, "", ""},
			{M{"UserID": "zoe", "Nick": "Zoë 中", "FaceUrl": "http://x/zoe.png"}, "Zoë 中", "http://x/zoe.png"},
			{M{"UserID": "zoe"}, "Zoë 中", "http://x/zoe.png"},
			{M{"UserID": "zoe", "Nick": "Z"}, "Z", "http://x/zoe.png"},
			{M{"UserID": "zoe", "Nick": ""}, "Z", "http://x/zoe.png"}, // as typed languages write what they were not given
			{M{"UserID": "zoe", "FaceUrl": ""}, "Z", "http://x/zoe.png"},
			{M{"UserID": "zoe", "Nick": strings.Repeat("x", 500)}, strings.Repeat("x", 500), "http://x/zoe.png"},
			{M{"Identifier": "zoe", "Nick": "by the older name"}, "by the older name", "http://x/zoe.png"},
			{M{"UserID": "zoe", "Identifier": "bob", "Nick": "by both names"}, "by both names", "http://x/zoe.png"},
			{M{"UserID": "zoe", "Nick": "with\x00a NUL"}, "witha NUL", "http://x/zoe.png"},
		} {
			s.MustREST(t, login+"account_import", row.request, nil)
			wantProfile(t, s, "zoe", row.nick, row.faceURL)
		}
		wantProfile(t, s, "bob", "nick of bob", "")
	})
}

// A new nick is what messages carry from now on.
func TestImportReachesMessages(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		bob := s.Login(t, "bob")
		s.Send(t, "alice", "bob", "hi")
		if nick := bob.Pushes(t)[0].Messages[0].Nick; nick != "nick of alice" {
			t.Errorf("the nick is %q", nick)
		}
		s.MustREST(t, login+"account_import", M{"UserID": "alice", "Nick": "Al"}, nil)
		s.Send(t, "alice", "bob", "hi")
		if nick := bob.Pushes(t)[0].Messages[0].Nick; nick != "Al" {
			t.Errorf("the nick is %q, want the new one", nick)
		}
	})
}

// The names that an account may have, and those that are refused.
func TestImportNames(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		for _, name := range []string{"a", "7", strings.Repeat("x", 32), "with blank", "a.b-c_d@e#f", "@TGS#1", "ünïcode", "Alice"} {
			s.MustREST(t, login+"account_import", M{"UserID": name}, nil)
			if !exists(t, s, name) {
				t.Errorf("%q was imported and does not exist", name)
			}
		}
		for name, request := range map[string]any{
			"no name":                      M{},
			"an empty name":                M{"UserID": ""},
			"33 bytes":                     M{"UserID": strings.Repeat("x", 33)},
			"33 bytes of 17 letters":       M{"UserID": strings.Repeat("ü", 16) + "x"},
			"a line feed":                  M{"UserID": "a\nb"},
			"a NUL":                        M{"UserID": "a\x00b"},
			"a DEL":                        M{"UserID": "a\x7fb"},
			"a number":                     M{"UserID": 7},
			"a robot":                      M{"UserID": "@RBT#1"},
			"an official account":          M{"UserID": "@TOA#_1"},
			"the system":                   M{"UserID": "@TIM#SYSTEM"},
			"what the client calls nobody": M{"UserID": "@TLS#NOT_FOUND"},
			"a nick that is too long":      M{"UserID": "zoe", "Nick": strings.Repeat("x", 501)},
			"an avatar that is too long":   M{"UserID": "zoe", "FaceUrl": strings.Repeat("x", 501)},
			"a nick that is a number":      M{"UserID": "zoe", "Nick": 7},
			"no JSON":                      `{"UserID":`,
			"a list":                       `[{"UserID":"zoe"}]`,
			"a name twice":                 `{"UserID":"zoe","UserID":"zoe"}`,
		} {
			if e := s.REST(t, login+"account_import", request, nil); e.ErrorCode != 70402 || e.ActionStatus != "FAIL" || e.ErrorInfo == "" {
				t.Errorf("%s: answered %+v, want 70402", name, e)
			}
		}
		if exists(t, s, "zoe") {
			t.Error("zoe was refused and exists")
		}
	})
}

// Up to a hundred at once, in the older form or the newer; what cannot be imported is named, and the rest is.
func TestImportMany(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		type reply struct{ FailAccounts []string }
		var got reply
		s.MustREST(t, login+"multiaccount_import", M{"Accounts": []string{"u1", "u2", "u1"}}, &got)
		if got.FailAccounts == nil || len(got.FailAccounts) != 0 {
			t.Errorf("FailAccounts is %v, want an empty list", got.FailAccounts)
		}
		s.MustREST(t, login+"multiaccount_import", M{"AccountList": []M{
			{"UserID": "u2", "Nick": "two"}, {"UserID": "u3", "Nick": "three", "FaceUrl": "http://x/3.png"}, {"UserID": "alice"},
		}}, &got)
		wantProfile(t, s, "u1", "", "")
		wantProfile(t, s, "u2", "two", "")
		wantProfile(t, s, "u3", "three", "http://x/3.png")
		wantProfile(t, s, "alice", "nick of alice", "")

		s.MustREST(t, login+"multiaccount_import", M{"Accounts": []string{"u4", "@RBT#x", "", "u5", strings.Repeat("x", 33)}}, &got)
		if !slices.Equal(got.FailAccounts, []string{"@RBT#x", "", strings.Repeat("x", 33)}) {
			t.Errorf("FailAccounts is %q", got.FailAccounts)
		}
		if !exists(t, s, "u4") || !exists(t, s, "u5") {
			t.Error("the good ones beside bad ones were not imported")
		}

		hundred := make([]string, 100)
		for i := range hundred {
			hundred[i] = fmt.Sprint("h", i)
		}
		s.MustREST(t, login+"multiaccount_import", M{"Accounts": hundred}, nil)
		if !exists(t, s, "h99") {
			t.Error("the hundredth was not imported")
		}
		for name, request := range map[string]any{
			"more than a hundred":      M{"Accounts": append(hundred, "one more")},
			"a hundred and one in all": M{"Accounts": hundred, "AccountList": []M{{"UserID": "one more"}}},
			"nobody":                   M{},
			"an empty list":            M{"Accounts": []string{}},
			"nothing":                  ``,
		} {
			if e := s.REST(t, login+"multiaccount_import", request, nil); e.ErrorCode != 70206 {
				t.Errorf("%s: answered %+v, want 70206", name, e)
			}
		}
		for name, request := range map[string]any{"text": M{"Accounts": "u1"}, "numbers": M{"Accounts": []int{1}}, "no JSON": `{`} {
			if e := s.REST(t, login+"multiaccount_import", request, nil); e.ErrorCode != 70402 {
				t.Errorf("%s: answered %+v, want 70402", name, e)
			}
		}
		if exists(t, s, "one more") {
			t.Error("one more than a hundred exists")
		}
	})
}

// Which accounts exist. That one does not is an answer and no error.
func TestCheck(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		got := items(t, s, "account_check", "CheckItem", "alice", "nobody", "", strings.Repeat("x", 5000), "alice", "administrator")
		want := []string{"Imported", "NotImported", "NotImported", "NotImported", "Imported", "Imported"}
		for i, one := range got {
			if one.AccountStatus != want[i] || one.ResultCode != 0 || one.ResultInfo != "" {
				t.Errorf("%.20q: %+v, want %s", one.UserID, one, want[i])
			}
		}
		many := slices.Repeat([]M{{"UserID": "alice"}}, 101)
		s.Refuses(t, login+"account_check", M{"CheckItem": many}, 70206)
		s.MustREST(t, login+"account_check", M{"CheckItem": many[1:]}, nil)
		s.Refuses(t, login+"account_check", M{}, 70206)
		s.Refuses(t, login+"account_check", M{"CheckItem": []string{"alice"}}, 70402)
		s.Refuses(t, login+"account_check", `{`, 70402)
	})
}
