package client_test

import (
	"context"
	"testing"
	"time"

	"github.com/magpie-im/magpie/client"
	"github.com/magpie-im/magpie/magpietest"
)

// login connects a user to a real server; what he receives goes to the channel.
func login(t *testing.T, s *magpietest.Server, user string, o client.Options) (*client.Client, <-chan client.Message) {
	t.Helper()
	received := make(chan client.Message, 100)
	o.URL, o.AppID, o.UserID, o.UserSig = s.WebSocketURL, s.AppID, user, s.UserSig(t, user)
	o.OnMessage = func(m client.Message) { received <- m }
	c, err := client.Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, received
}

func next(t *testing.T, from <-chan client.Message) client.Message {
	t.Helper()
	select {
	case m := <-from:
		return m
	case <-time.After(20 * time.Second):
		t.Fatal("no message")
		return client.Message{}
	}
}

func TestTwoClientsAtARealServer(t *testing.T) {
	s := magpietest.Start(t)
	alice, toAlice := login(t, s, "alice", client.Options{})
	bob, toBob := login(t, s, "bob", client.Options{})

	sent, err := alice.Send(t.Context(), client.Outgoing{To: "bob", Elements: []client.Element{client.Text("hello")}})
	if err != nil {
		t.Fatal(err)
	}
	got := next(t, toBob)
	if got.Text() != "hello" || got.From != "alice" || got.Key() != sent.Key() {
		t.Fatalf("bob received %+v, alice sent %+v", got, sent)
	}
	if _, err := bob.Send(t.Context(), client.Outgoing{To: "alice", Elements: []client.Element{client.Text("hi")}}); err != nil {
		t.Fatal(err)
	}
	next(t, toAlice)

	page, err := alice.History(t.Context(), "bob", client.HistoryQuery{})
	if err != nil || len(page.Messages) != 2 || page.Messages[0].Text() != "hello" || page.Messages[1].Text() != "hi" {
		t.Fatalf("history %+v, %v", page, err)
	}
	if err := bob.MarkRead(t.Context(), "alice", sent.Time); err != nil {
		t.Fatal(err)
	}
	if unread, err := bob.Unread(t.Context()); err != nil || unread["alice"] != 0 {
		t.Fatalf("unread %v, %v", unread, err)
	}
}

// What is edited arrives as it stands now: at once, or with the next login for who was away.
func TestEditsArrive(t *testing.T) {
	s := magpietest.Start(t)
	edits := make(chan client.Message, 10)
	watch := client.Options{OnEdited: func(m client.Message) { edits <- m }}
	alice, _ := login(t, s, "alice", client.Options{})
	bob, toBob := login(t, s, "bob", watch)
	sent, err := alice.Send(t.Context(), client.Outgoing{To: "bob", Elements: []client.Element{client.Text("helo")}})
	if err != nil {
		t.Fatal(err)
	}
	next(t, toBob)
	edit := func(text string) {
		s.MustREST(t, "openim/modify_c2c_msg", magpietest.M{
			"From_Account": "alice", "To_Account": "bob", "MsgKey": sent.Key().String(),
			"MsgBody": []client.Element{client.Text(text)},
		}, nil)
	}
	edit("hello")
	if got := next(t, edits); got.Text() != "hello" || got.Key() != sent.Key() || got.From != "alice" || got.Version != 1 {
		t.Fatalf("bob saw the edit %+v of %+v", got, sent)
	}
	if err := bob.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	watch.Cookie = bob.Cookie()
	bob.Close()
	edit("hello!")
	edit("hello, bob")
	login(t, s, "bob", watch)
	for got := next(t, edits); got.Text() != "hello, bob"; got = next(t, edits) {
		if got.Version >= 3 {
			t.Fatalf("bob saw the edit %+v when he came back", got)
		}
	}
}

// A server that restarts loses nothing: a message under way is sent again and stored once, and what came meanwhile is
// delivered once.
func TestClientsOverARestart(t *testing.T) {
	s := magpietest.Start(t)
	quick := client.Options{BackoffMin: 10 * time.Millisecond, BackoffMax: 50 * time.Millisecond}
	alice, _ := login(t, s, "alice", quick)
	_, toBob := login(t, s, "bob", quick)
	const messages = 40
	failed := make(chan error, messages)
	for n := range messages {
		if n == messages/2 {
			go s.Restart(t)
		}
		text := client.Text(string(rune('A' + n)))
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			_, err := alice.Send(ctx, client.Outgoing{To: "bob", Elements: []client.Element{text}})
			failed <- err
		}()
		time.Sleep(5 * time.Millisecond)
	}
	for range messages {
		if err := <-failed; err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]int{}
	for range messages {
		m := next(t, toBob)
		seen[m.Text()]++
	}
	for text, times := range seen {
		if times != 1 {
			t.Errorf("%q was delivered %d times", text, times)
		}
	}
}
