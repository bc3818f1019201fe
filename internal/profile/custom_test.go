package profile_test

import (
	"slices"
	"testing"
)

// An application declares its own fields: what each holds, who reads it and who writes it.
func TestDeclaredFields(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		const team, score, trust, notes = "Tag_Profile_Custom_Team", "Tag_Profile_Custom_Score", "Tag_Profile_Custom_Trust", "Tag_Profile_Custom_Notes"
		s.MustREST(t, "profile/portrait_set", set("alice", "Tag_Profile_Custom_Old", "before the declaration"), nil)
		s.Configure(t, "profile.custom_fields", "Team,Score:number,Trust:number:app:admin,Notes:text:admin:admin")
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		s.MustREST(t, "profile/portrait_set", set("alice", trust, 7, notes, "secret"), nil)
		alice.Sees(t, `alice: Tag_Profile_Custom_Trust=7`)
		alice.MustCall(t, "profile.portrait_set", set("", team, "red", score, 5), nil)
		alice.MustCall(t, "profile.portrait_set", set("", team, 9), nil) // without a type both are right
		for _, row := range []struct {
			name string
			body M
			code int
		}{
			{"what is not declared", set("", "Tag_Profile_Custom_Other", "x"), 40009},
			{"text for a number", set("", score, "5"), 40610},
			{"what administrators write", set("", trust, 8), 40008},
			{"what administrators read and write", set("", notes, "x"), 40008},
		} {
			if e := alice.Call(t, "profile.portrait_set", row.body, nil); e.ErrorCode != row.code {
				t.Errorf("%s: %+v, want %d", row.name, e, row.code)
			}
		}
		s.Refuses(t, "profile/portrait_set", set("alice", notes, 5), 40610)

		tags := []string{team, score, trust, notes}
		got := get(t, s, []string{"alice"}, tags)
		if fields := got.UserProfileItem[0].fields(); !slices.Equal(fields, []string{notes + `="secret"`, score + "=5", team + "=9", trust + "=7"}) {
			t.Errorf("a back end reads %q", fields)
		}
		s.Refuses(t, "profile/portrait_get", M{"To_Account": []string{"alice"}, "TagList": []string{"Tag_Profile_Custom_Old"}}, 40009)
		if e := bob.Call(t, "profile.portrait_get", M{"To_Account": []string{"alice"}, "TagList": tags}, nil); e.ErrorCode != 40007 {
			t.Errorf("a client that asks for what administrators read: %+v, want 40007", e)
		}
		var all reply
		bob.MustCall(t, "profile.portrait_get_all", M{"UserItem": []M{{"To_Account": "alice"}}}, &all)
		if fields := all.UserProfileItem[0].fields(); !slices.Equal(fields, []string{score + "=5", team + "=9", trust + "=7", `Tag_Profile_IM_Nick="nick of alice"`}) {
			t.Errorf("a client reads %q", fields)
		}
	})
}
