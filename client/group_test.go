package client_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/magpie-im/magpie/client"
	"github.com/magpie-im/magpie/magpietest"
)

// member connects a user whose group messages go to the channel.
func member(t *testing.T, s *magpietest.Server, user string) (*client.Client, <-chan client.GroupMessage) {
	t.Helper()
	received := make(chan client.GroupMessage, 100)
	c, _ := login(t, s, user, client.Options{OnGroupMessage: func(m client.GroupMessage) { received <- m }})
	return c, received
}

func nextOfGroup(t *testing.T, from <-chan client.GroupMessage) client.GroupMessage {
	t.Helper()
	select {
	case m := <-from:
		return m
	case <-time.After(20 * time.Second):
		t.Fatal("no message")
		return client.GroupMessage{}
	}
}

func say(t *testing.T, c *client.Client, group, text string) client.Sent {
	t.Helper()
	sent, err := c.Send(t.Context(), client.Outgoing{Group: group, Elements: []client.Element{client.Text(text)}})
	if err != nil {
		t.Fatalf("send to %s: %v", group, err)
	}
	return sent
}

// Members talk, one joins and leaves, and the history tells all of it in the order of its sequences.
func TestAGroupAtARealServer(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *magpietest.Server) {
		alice, _ := member(t, s, "alice")
		bob, toBob := member(t, s, "bob")
		const group = "meeting"
		s.MustREST(t, "group_open_http_svc/create_group",
			magpietest.M{"Type": "ChatRoom", "Name": "meeting", "GroupId": group, "Owner_Account": "alice"}, nil)
		if joined, err := bob.JoinGroup(t.Context(), group, ""); err != nil || !joined {
			t.Fatalf("bob joined: %v, %v", joined, err)
		}
		first := say(t, alice, group, "one")
		got := nextOfGroup(t, toBob)
		if got.Text() != "one" || got.From != "alice" || got.Group != group || got.Sequence != first.Sequence || got.Random != first.Random {
			t.Fatalf("bob received %+v, alice sent %+v", got, first)
		}
		second, third := say(t, alice, group, "two"), say(t, alice, group, "three")
		if second.Sequence != first.Sequence+1 || third.Sequence != first.Sequence+2 || third.Time == 0 || third.Dropped != "" {
			t.Fatalf("sent %+v, %+v and %+v", first, second, third)
		}
		if err := alice.RecallInGroup(t.Context(), group, second.Sequence); err != nil {
			t.Fatal(err)
		}
		var refused *client.Error
		if err := bob.RecallInGroup(t.Context(), group, third.Sequence); !errors.As(err, &refused) {
			t.Fatalf("bob recalls what alice said: %v", err)
		}
		if err := bob.QuitGroup(t.Context(), group); err != nil {
			t.Fatal(err)
		}
		if _, err := bob.GroupHistory(t.Context(), group, client.GroupQuery{}); !errors.As(err, &refused) {
			t.Fatalf("bob reads the group that he left: %v", err)
		}
		wantHistory(t, alice, group, []int64{first.Sequence, second.Sequence, third.Sequence})
	})
}

// wantHistory reads a group's history in pages of one message.
func wantHistory(t *testing.T, c *client.Client, group string, sequences []int64) {
	t.Helper()
	var found []int64
	for m, err := range c.GroupMessages(t.Context(), group, client.GroupQuery{Limit: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		if recalled := m.Sequence == sequences[1]; m.Recalled != recalled {
			t.Errorf("message %d is recalled: %v", m.Sequence, m.Recalled)
		}
		if m.Tip == nil {
			found = append(found, m.Sequence)
		}
	}
	slices.Reverse(found)
	if !slices.Equal(found, sequences) {
		t.Errorf("the history has the sequences %v, want %v", found, sequences)
	}
}
