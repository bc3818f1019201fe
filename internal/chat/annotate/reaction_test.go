package annotate_test

import (
	"fmt"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// react is the request of an account that reacts.
func (m *said) react(reaction, userID string) M {
	return m.with(M{"Reaction": reaction, "Add_Account": []string{userID}})
}

func (m *said) unreact(reaction, userID string) M {
	return m.with(M{"Reaction": reaction, "Del_Account": []string{userID}})
}

type summary struct {
	Reaction    string
	Count       int
	Users       []string `json:"Reaction_Account"`
	ReactedByMe int
}

// summaries asks for the reactions to the message, and tells each in a line. An unknown message has none.
func (m *said) summaries(t *testing.T, c *Conn, more M) []string {
	t.Helper()
	var reply struct {
		Results []struct {
			Key     any       `json:"MsgKey"`
			Seq     any       `json:"MsgSeq"`
			Summary []summary `json:"MsgReactionSummary"`
		}
	}
	c.MustCall(t, m.dotted("reaction_multi_stat"), m.several(more), &reply)
	if len(reply.Results) != 2 || len(reply.Results[1].Summary) != 0 || reply.Results[0].Key == nil && reply.Results[0].Seq == nil {
		t.Fatalf("the results are %+v", reply.Results)
	}
	return lines(reply.Results[0].Summary, func(s summary) string {
		return fmt.Sprintf("%s by %d %v %d", s.Reaction, s.Count, s.Users, s.ReactedByMe)
	})
}

// Whoever sees a message reacts to it and takes it back; all who see it are told how many, and his other devices that it was he.
func TestReactions(t *testing.T) {
	story(t, nil, func(t *testing.T, m *said) {
		alice, bob, phone, dave := m.Login(t, "alice"), m.Login(t, "bob"), m.Login(t, "bob", magpietest.Platform(2)), m.Login(t, "dave")
		for _, c := range []*Conn{alice, bob, phone} {
			c.Pushes(t)
		}
		bob.MustCall(t, m.dotted("reaction_add"), m.react("👍", "bob"), nil)
		line := m.where + ": 👍 by 1 [bob]"
		alice.Sees(t, line)
		bob.Sees(t, line)
		phone.Sees(t, m.where+": own 👍 1", line)
		// The same again changes nothing.
		bob.MustCall(t, m.dotted("reaction_add"), m.react("👍", "bob"), nil)
		bob.MustCall(t, m.dotted("reaction_del"), m.unreact("heart", "bob"), nil)
		alice.SeesNothing(t)
		phone.SeesNothing(t)

		m.MustREST(t, m.command("reaction_add"), m.react("👍", "alice"), nil)
		alice.MustCall(t, m.dotted("reaction_add"), m.react("heart", "alice"), nil)
		alice.Sees(t, m.where+": own 👍 1", m.where+": 👍 by 2 [bob alice]", m.where+": heart by 1 [alice]")
		wantLines(t, "alice asks", m.summaries(t, alice, nil), "👍 by 2 [bob alice] 1", "heart by 1 [alice] 1")
		wantLines(t, "bob asks", m.summaries(t, bob, M{"Count": 1}), "👍 by 2 [bob] 1", "heart by 1 [alice] 0")
		wantLines(t, "bob asks for numbers", m.summaries(t, bob, M{"Count": 0}), "👍 by 2 [] 1", "heart by 1 [] 0")

		phone.Pushes(t)
		bob.Pushes(t)
		phone.MustCall(t, m.dotted("reaction_del"), m.unreact("👍", "bob"), nil)
		bob.Sees(t, m.where+": own 👍 2", m.where+": 👍 by 1 [alice]")
		alice.MustCall(t, m.dotted("reaction_del"), m.unreact("heart", "alice"), nil)
		alice.Sees(t, m.where+": 👍 by 1 [alice]", m.where+": heart by 0 []")
		dave.SeesNothing(t)
		m.recall(t)
		wantLines(t, "after the recall", m.summaries(t, alice, nil))
	})
}

// Those who gave a reaction are listed by pages.
func TestReactors(t *testing.T) {
	story(t, nil, func(t *testing.T, m *said) {
		bob := m.Login(t, "bob")
		for _, who := range []string{"bob", "alice"} {
			m.MustREST(t, m.command("reaction_add"), m.react("ok", who), nil)
		}
		var page struct {
			Users   []string `json:"Reaction_Account"`
			NextSeq int
		}
		bob.MustCall(t, m.dotted("reaction_iterate"), m.with(M{"Reaction": "ok", "Count": 10}), &page)
		wantLines(t, "all", page.Users, "bob", "alice")
		if page.NextSeq != 0 {
			t.Errorf("behind all of them there is a page at %d", page.NextSeq)
		}
		bob.MustCall(t, m.dotted("reaction_iterate"), m.with(M{"Reaction": "ok", "Count": 1}), &page)
		wantLines(t, "the first page", page.Users, "bob")
		bob.MustCall(t, m.dotted("reaction_iterate"), m.with(M{"Reaction": "ok", "Count": 1, "NextSeq": page.NextSeq}), &page)
		wantLines(t, "the second page", page.Users, "alice")
		if page.NextSeq != 0 {
			t.Errorf("behind the second page there is one at %d", page.NextSeq)
		}
		bob.MustCall(t, m.dotted("reaction_iterate"), m.with(M{"Reaction": "other"}), &page)
		wantLines(t, "of what nobody gave", page.Users)
		// With a deleted account its reactions go.
		m.MustREST(t, "im_open_login_svc/account_delete", M{"DeleteItem": []M{{"UserID": "alice"}}}, nil)
		bob.MustCall(t, m.dotted("reaction_iterate"), m.with(M{"Reaction": "ok"}), &page)
		wantLines(t, "without alice", page.Users, "bob")
	})
}

// A message has ten reactions at most.
func TestReactionLimit(t *testing.T) {
	story(t, nil, func(t *testing.T, m *said) {
		bob, alice := m.Login(t, "bob"), m.Login(t, "alice")
		for n := range 10 {
			bob.MustCall(t, m.dotted("reaction_add"), m.react(fmt.Sprint(n), "bob"), nil)
		}
		refuses(t, bob, m.dotted("reaction_add"), m.react("one more", "bob"), 10004)
		alice.MustCall(t, m.dotted("reaction_add"), m.react("3", "alice"), nil)
		bob.MustCall(t, m.dotted("reaction_del"), m.unreact("5", "bob"), nil)
		bob.MustCall(t, m.dotted("reaction_add"), m.react("one more", "bob"), nil)
	})
}

// A reaction is given by a hundred accounts at most.
func TestReactorLimit(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob", "carol")
		m := sayToGroup(t, s, nil)
		names, members := make([]string, 99), make([]M, 99)
		for i := range names {
			names[i] = fmt.Sprintf("user%d", i)
			members[i] = M{"Member_Account": names[i]}
		}
		s.Import(t, names...)
		s.MustREST(t, "group_open_http_svc/import_group_member", M{"GroupId": m.group, "MemberList": members}, nil)
		for _, name := range append(names, "bob") {
			s.MustREST(t, m.command("reaction_add"), m.react("ok", name), nil)
		}
		s.Refuses(t, m.command("reaction_add"), m.react("ok", "carol"), 10004)
		s.MustREST(t, m.command("reaction_add"), m.react("fine", "carol"), nil)
		wantLines(t, "carol asks", m.summaries(t, s.Login(t, "carol"), M{"Count": 2}), "ok by 100 [user0 user1] 0", "fine by 1 [carol] 1")
	})
}

// What is refused: messages that are not there, whoever does not see them, and what is not well-formed.
func TestReactionRefused(t *testing.T) {
	story(t, nil, func(t *testing.T, m *said) {
		bob, dave := m.Login(t, "bob"), m.Login(t, "dave")
		refuses(t, dave, m.dotted("reaction_add"), m.react("ok", "dave"), m.stranger)
		refuses(t, dave, m.dotted("reaction_multi_stat"), m.several(nil), m.stranger)
		refuses(t, dave, m.dotted("reaction_iterate"), m.with(M{"Reaction": "ok"}), m.stranger)
		m.Refuses(t, m.command("reaction_add"), m.react("ok", "nobody"), 10019)
		m.Refuses(t, m.command("reaction_add"), m.with(M{"Reaction": "ok"}), 10004)
		refuses(t, bob, m.dotted("reaction_add"), m.react("ok", "alice"), 10004)
		refuses(t, bob, m.dotted("reaction_add"), m.react("", "bob"), 10004)
		refuses(t, bob, m.dotted("reaction_multi_stat"), m.with(nil), 10004)
		elsewhere := *m
		elsewhere.name = m.with(M{"MsgKey": "1_2_3", "MsgSeq": 9})
		refuses(t, bob, m.dotted("reaction_add"), elsewhere.react("ok", "bob"), m.unknown)
		refuses(t, bob, m.dotted("reaction_iterate"), elsewhere.with(M{"Reaction": "ok"}), m.unknown)
		m.recall(t)
		refuses(t, bob, m.dotted("reaction_add"), m.react("ok", "bob"), m.unknown)
		m.Configure(t, "message.reactions", "off")
		refuses(t, bob, m.dotted("reaction_add"), m.react("ok", "bob"), 10008)
		refuses(t, bob, m.dotted("reaction_multi_stat"), m.several(nil), 10008)
	})
}

// Groups of every type that keeps its messages have reactions.
func TestReactionByType(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob")
		for _, kind := range []string{"Private", "Public", "ChatRoom", "Community"} {
			var made struct {
				GroupID string `json:"GroupId"`
			}
			s.MustREST(t, "group_open_http_svc/create_group", M{"Type": kind, "Name": "x", "Owner_Account": "alice"}, &made)
			s.MustREST(t, "group_open_http_svc/send_group_msg", M{
				"GroupId": made.GroupID, "From_Account": "alice", "Random": 7, "MsgBody": magpietest.Text("look"),
			}, nil)
			named := M{"GroupId": made.GroupID, "MsgSeq": 1, "Reaction": "ok"}
			s.MustREST(t, service+"/group_reaction_add", magpietest.With(named, M{"Add_Account": []string{"alice"}}), nil)
			s.Refuses(t, service+"/group_reaction_add", magpietest.With(named, M{"Add_Account": []string{"bob"}}), 10007)
		}
	})
}
