package relation_test

import "testing"

// Friends hear of a changed profile, and nobody else does; each sees what it calls the other in its list of conversations.
func TestFriendsWatch(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Configure(t, "profile.custom_fields", "Team,Notes:text:admin:admin")
		comes(t, s, "sns/friend_add", asking("bob", "alice"), "alice 0")
		request := asking("carol", "alice")
		request["AddType"], request["AddFriendItem"].([]M)[0]["Remark"] = "Add_Type_Single", "Al"
		comes(t, s, "sns/friend_add", request, "alice 0")
		alice, bob, carol, dave := s.Login(t, "alice"), s.Login(t, "bob"), s.Login(t, "carol"), s.Login(t, "dave")
		alice.MustCall(t, "profile.portrait_set", M{"ProfileItem": []M{{"Tag": "Tag_Profile_IM_Nick", "Value": "Ally"}}}, nil)
		alice.SeesNothing(t)
		dave.SeesNothing(t)
		for _, friend := range []*Conn{bob, carol} {
			friend.Sees(t, `alice: Tag_Profile_IM_Nick="Ally"`)
		}
		s.MustREST(t, "profile/portrait_set", M{"From_Account": "alice", "ProfileItem": []M{{"Tag": "Tag_Profile_Custom_Notes", "Value": "secret"}}}, nil)
		bob.SeesNothing(t)

		s.Send(t, "alice", "carol", "hi")
		s.Send(t, "alice", "bob", "hi")
		for _, row := range []struct {
			conn *Conn
			want string
		}{{carol, "Al"}, {bob, ""}} {
			var page struct {
				Items []struct {
					To     string `json:"To_Account"`
					Remark string `json:"C2cRemark"`
				} `json:"SessionItem"`
			}
			row.conn.MustCall(t, "recentcontact.page_get", M{}, &page)
			if len(page.Items) != 1 || page.Items[0].Remark != row.want {
				t.Errorf("%s lists %+v, want the remark %q", row.conn.UserID, page.Items, row.want)
			}
		}
	})
}
