package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/magpie-im/magpie/client"
	"github.com/magpie-im/magpie/internal/bus/bustest"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/internal/gateway"
	"github.com/magpie-im/magpie/magpietest"
)

// Alice is on one node and bob on another. They do not notice, whichever door and node a message comes through.
func TestNodesAreOneService(t *testing.T) {
	all, _ := nodes(t, 2)
	a, b := all[0], all[1]
	alice, bob := a.Login(t, "alice"), b.Login(t, "bob")
	alice.MustCall(t, "openim.sendmsg", magpietest.Message("alice", "bob", "from alice's node"), nil)
	sees(t, bob, "alice → bob: from alice's node")
	bob.MustCall(t, "openim.sendmsg", magpietest.Message("bob", "alice", "from bob's node"), nil)
	sees(t, alice, "bob → alice: from bob's node")
	a.Send(t, "alice", "bob", "REST at alice's node")
	sees(t, bob, "alice → bob: REST at alice's node")
	sent := b.Send(t, "alice", "bob", "REST at bob's node")
	sees(t, bob, "alice → bob: REST at bob's node")

	// What one does at his node, the other sees at his.
	b.MustREST(t, "openim/admin_msgwithdraw", M{"From_Account": "alice", "To_Account": "bob", "MsgKey": sent.MsgKey}, nil)
	recall := fmt.Sprintf("alice → bob: %s recalled by administrator", sent.MsgKey)
	sees(t, alice, recall)
	sees(t, bob, recall)
	bob.MustCall(t, "openim.msgreaded", M{"C2CMsgReaded": M{"C2CMsgReadedItem": []M{{"To_Account": "alice", "LastedMsgTime": sent.MsgTime}}}}, nil)
	sees(t, alice, fmt.Sprintf("bob has read up to %d", sent.MsgTime))

	// A second device of bob's, on the other node.
	phone := a.Login(t, "bob", magpietest.Platform(2))
	alice.MustCall(t, "openim.sendmsg", magpietest.Message("alice", "bob", "to both"), nil)
	sees(t, phone, "alice → bob: to both")
	sees(t, bob, "alice → bob: to both")
	phone.MustCall(t, "openim.sendmsg", magpietest.Message("bob", "alice", "from the phone"), nil)
	sees(t, bob, "bob → alice: from the phone")
	sees(t, alice, "bob → alice: from the phone")
	sees(t, phone)
}

// Kicks, presence and coming back do not stop at a node's border.
func TestSessionsCrossNodes(t *testing.T) {
	all, _ := nodes(t, 2)
	a, b := all[0], all[1]
	online := func(at *Server, want string) {
		t.Helper()
		magpietest.Eventually(t, "alice is "+want, func() bool { return status(t, at, "alice") == want })
	}
	first := a.Login(t, "alice")
	online(a, "Online")
	online(b, "Online")

	// Another login at the other node.
	second := b.Login(t, "alice")
	if reason := first.Kicked(t); reason != 1 {
		t.Errorf("the first was told %d, want 1", reason)
	}
	first.MustCall(t, "im_open_status.wslogout", M{"wslogout_type": 1}, nil)
	online(a, "Online")

	// Its connection comes back at the first node, and the older one at the second is closed.
	third := a.Connect(t)
	if e := third.Resume(t, "alice", second.Session); e.ErrorCode != 0 {
		t.Fatalf("come back at another node: %+v", e)
	}
	third.Pull(t, second.Cookie)
	if got, want := second.Closed(t), fmt.Sprintf("%d %s", gateway.Replaced.Code, gateway.Replaced.Reason); got != want {
		t.Errorf("the older connection was closed with %q, want %q", got, want)
	}
	online(a, "Online")
	online(b, "Online")

	// Kicked by REST at the other node.
	b.MustREST(t, "im_open_login_svc/kick", M{"UserID": "alice"}, nil)
	if reason := third.Kicked(t); reason != 3 {
		t.Errorf("alice was told %d, want 3", reason)
	}
	online(a, "Offline")
	online(b, "Offline")
	if e := b.Connect(t).Resume(t, "alice", third.Session); e.ErrorCode != 1002 {
		t.Errorf("the session at the other node: answered %+v, want 1002", e)
	}
}

func status(t *testing.T, s *Server, userID string) string {
	t.Helper()
	var reply struct{ QueryResult []struct{ Status string } }
	s.MustREST(t, "openim/query_online_status", M{"To_Account": []string{userID}}, &reply)
	return reply.QueryResult[0].Status
}

// What one node changes of an account, the others use soon, though they remember accounts.
func TestAccountsChangeOnAllNodes(t *testing.T) {
	all, _ := nodes(t, 2)
	a, b := all[0], all[1]
	bob := b.Login(t, "bob")
	b.Send(t, "alice", "bob", "b remembers alice now")
	bob.Pushes(t)
	a.MustREST(t, "profile/portrait_set", M{"From_Account": "alice", "ProfileItem": []M{{"Tag": "Tag_Profile_IM_Nick", "Value": "Al"}}}, nil)
	magpietest.Eventually(t, "messages through the other node carry the new nick", func() bool {
		b.Send(t, "alice", "bob", "hi")
		pushes := bob.Pushes(t)
		return len(pushes) > 0 && pushes[len(pushes)-1].Messages[0].Nick == "Al"
	})
	a.MustREST(t, "im_open_login_svc/account_delete", M{"DeleteItem": []M{{"UserID": "alice"}}}, nil)
	magpietest.Eventually(t, "the other node knows that alice is gone", func() bool {
		return b.REST(t, "openim/sendmsg", magpietest.Message("alice", "bob", "ghost"), nil).ErrorCode == 90008
	})
	a.Import(t, "dave")
	b.Send(t, "dave", "bob", "new here")
	// An application that one node adds.
	other := a.App(t, magpietest.AppID+1, "another key")
	there := &Server{}
	*there = *b
	there.AppID, there.Key = other.AppID, other.Key
	magpietest.Eventually(t, "the other node serves the new application", func() bool {
		return there.REST(t, "im_open_login_svc/account_import", M{"UserID": "zoe"}, nil).ErrorCode == 0
	})
}

// One sender's messages arrive in order on every node, whatever else goes on.
func TestOrderAcrossNodes(t *testing.T) {
	all, _ := nodes(t, 2)
	a, b := all[0], all[1]
	alice, bob := join(t, "alice", a), join(t, "bob", b)
	const messages = 300
	var want []string
	var noise sync.WaitGroup
	noise.Go(func() {
		for range 50 {
			a.Send(t, "carol", "alice", "noise")
			b.Send(t, "bob", "carol", "noise")
		}
	})
	var acked sync.WaitGroup
	for n := range messages {
		acked.Add(1)
		text := fmt.Sprint("message ", n)
		want = append(want, text)
		err := alice.SendAsync(client.Outgoing{To: "bob", Elements: []client.Element{client.Text(text)}}, func(_ client.Sent, err error) {
			defer acked.Done()
			if err != nil {
				t.Errorf("%s: %v", text, err)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	acked.Wait()
	noise.Wait()
	var heard []string
	magpietest.Eventually(t, "bob has heard everything", func() bool {
		heard = slices.DeleteFunc(bob.received(), func(text string) bool { return text == "noise" })
		return len(heard) >= messages
	})
	if !slices.Equal(heard, want) {
		t.Errorf("bob heard something else: %s", difference(heard, want))
	}
}

// Both nodes write into one chat at once. Every message is there once, and the two sides read the same order.
func TestNodesWriteOneChat(t *testing.T) {
	all, _ := nodes(t, 2)
	const each = 40
	var writers sync.WaitGroup
	for i, node := range all {
		for j := range 2 {
			from, to := []string{"alice", "bob"}[j], []string{"bob", "alice"}[j]
			writers.Go(func() {
				for n := range each / 2 {
					node.Send(t, from, to, fmt.Sprintf("%s by node %d: %d", from, i, n))
				}
			})
		}
	}
	writers.Wait()
	read := func(node *Server, viewer, peer string) (texts []string) {
		next := M{"MaxTime": 4_000_000_000}
		for range 100 {
			var page struct {
				Complete    int
				LastMsgTime int64
				LastMsgKey  string
				MsgList     []json.RawMessage
			}
			node.MustREST(t, "openim/admin_getroammsg", magpietest.With(M{"Operator_Account": viewer, "Peer_Account": peer, "MaxCnt": 30, "MinTime": 0}, next), &page)
			var some []string
			for _, raw := range page.MsgList {
				item := magpietest.ReadItem(t, raw)
				some = append(some, item.Text())
			}
			texts = append(some, texts...)
			if page.Complete == 1 {
				return texts
			}
			next = M{"MaxTime": page.LastMsgTime, "LastMsgKey": page.LastMsgKey}
		}
		t.Fatal("the history never ends")
		return nil
	}
	mine, theirs := read(all[0], "alice", "bob"), read(all[1], "bob", "alice")
	if !slices.Equal(mine, theirs) || len(mine) != 2*each {
		t.Errorf("alice reads %d messages, bob %d, want %d in the same order", len(mine), len(theirs), 2*each)
	}
	for i := range all {
		for _, from := range []string{"alice", "bob"} {
			last := -1
			for n := range each / 2 {
				at := slices.Index(mine, fmt.Sprintf("%s by node %d: %d", from, i, n))
				if at <= last {
					t.Fatalf("%s's messages by node %d are out of order at %d", from, i, n)
				}
				last = at
			}
		}
	}
}

// A node stops in the middle of a conversation. Its clients go on at the other one, and nothing is lost or told twice.
func TestNodeStops(t *testing.T) {
	all, _ := nodes(t, 2)
	a, b := all[0], all[1]
	alice, bob := join(t, "alice", a, b), join(t, "bob", a, b)
	const messages = 120
	var want []string
	for n := range messages {
		text := fmt.Sprint("message ", n)
		want = append(want, text)
		if n == messages/3 {
			go a.Stop(t)
		}
		alice.says(t, "bob", text)
	}
	bob.hears(t, want)
	if got := status(t, b, "bob"); got != "Online" {
		t.Errorf("bob is %s at the node that is left", got)
	}
	if stats := bob.Stats(); stats.Connects < 2 {
		t.Errorf("bob connected %d times: did the node stop at all?", stats.Connects)
	}
}

// A client that was away for long gets everything it missed, however much that is, also of many at once.
func TestMuchWasMissed(t *testing.T) {
	all, _ := nodes(t, 2)
	a, b := all[0], all[1]
	bob := join(t, "bob", a)
	a.Send(t, "alice", "bob", "before")
	bob.hears(t, []string{"before"})
	cookie := bob.Cookie()
	if err := bob.Close(); err != nil {
		t.Fatal(err)
	}
	<-bob.Done()
	var want []string
	for n := range 150 {
		for _, from := range []string{"alice", "carol"} {
			text := fmt.Sprintf("%s %d", from, n)
			want = append(want, text)
			b.Send(t, from, "bob", text)
		}
	}
	back := &person{}
	c, err := client.Dial(t.Context(), client.Options{
		URL: b.WebSocketURL, AppID: b.AppID, UserID: "bob", UserSig: b.UserSig(t, "bob"), Cookie: cookie,
		OnMessage: func(m client.Message) {
			back.mutex.Lock()
			defer back.mutex.Unlock()
			back.texts = append(back.texts, m.Text())
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = c.Close()
		<-c.Done()
	}()
	back.Client = c
	for deadline := time.Now().Add(10 * time.Second); len(back.received()) < len(want) && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	got := slices.DeleteFunc(back.received(), func(text string) bool { return text == "before" }) // from a little before the cookie
	for _, from := range []string{"alice", "carol"} {
		of := func(texts []string) []string {
			return slices.DeleteFunc(slices.Clone(texts), func(text string) bool { return text[:5] != from[:5] })
		}
		if g, w := of(got), of(want); !slices.Equal(g, w) {
			t.Errorf("of %s's %d messages %d came: %s", from, len(w), len(g), difference(g, w))
		}
	}
}

// The bus fails for a while. What is sent meanwhile is stored and acknowledged; when the bus is back, clients are told to
// ask for what they missed.
func TestBusFails(t *testing.T) {
	all, nats := nodes(t, 2)
	a, b := all[0], all[1]
	alice, bob := join(t, "alice", a), join(t, "bob", b)
	alice.says(t, "bob", "before")
	bob.hears(t, []string{"before"})
	nats.Stop()
	magpietest.Eventually(t, "the node says that its bus is away, and takes calls", func() bool {
		code, body := ask(t, a.URL+"/readyz")
		return code == http.StatusOK && strings.Contains(body, "degraded")
	})
	started := time.Now()
	alice.says(t, "bob", "meanwhile")
	if took := time.Since(started); took > 5*time.Second { // a send without a bus waited ten
		t.Errorf("without the bus a message is acknowledged after %v", took)
	}
	nats.Start(t)
	bob.hears(t, []string{"before", "meanwhile"})
	alice.says(t, "bob", "afterwards")
	bob.hears(t, []string{"before", "meanwhile", "afterwards"})
}

// A kick at one node while the bus is away ends the session at the other as soon as the bus is back.
func TestKickWithoutBus(t *testing.T) {
	all, nats := nodes(t, 2)
	a, b := all[0], all[1]
	alice, bob := a.Login(t, "alice"), a.Login(t, "bob")
	nats.Stop()
	b.MustREST(t, "im_open_login_svc/kick", M{"UserID": "alice"}, nil)
	if e := alice.Call(t, "openim.get_peer_read_time", M{"To_Account": []string{"bob"}}, nil); e.ErrorCode != 0 {
		t.Fatalf("a node without a bus has learnt of the kick: %+v", e)
	}
	nats.Start(t)
	if reason := alice.Kicked(t); reason != 3 {
		t.Errorf("alice was told %d, want 3", reason)
	}
	bob.MustCall(t, "openim.get_peer_read_time", M{"To_Account": []string{"alice"}}, nil)
}

// Without a bus a send is acknowledged when it is on disk, a login and a return pass, whether the bus is down or only does
// not answer any more; when it is back, all are told of what they missed.
func TestNobodyWaitsForTheBus(t *testing.T) {
	for _, row := range []struct {
		name      string
		cut, mend func(*testing.T, *bustest.Server, *bustest.Proxy)
	}{
		{
			"stuck", func(_ *testing.T, _ *bustest.Server, p *bustest.Proxy) { p.Stall() },
			func(_ *testing.T, _ *bustest.Server, p *bustest.Proxy) { p.Resume() },
		},
		{
			"down", func(_ *testing.T, s *bustest.Server, _ *bustest.Proxy) { s.Stop() },
			func(t *testing.T, s *bustest.Server, _ *bustest.Proxy) { s.Start(t) },
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			const patience = 5 * time.Second // half of what the official client has for one request
			nats := bustest.StartServer(t)
			proxy := bustest.StartProxy(t, nats)
			s := magpietest.Start(t, magpietest.Database(dbtest.URL(t)), magpietest.Bus(proxy.URL()))
			s.Import(t, "alice", "bob", "carol")
			s.MustREST(t, "group_open_http_svc/create_group", M{
				"Type": "Meeting", "Name": "team", "GroupId": "team", "Owner_Account": "alice", "MemberList": []M{{"Member_Account": "carol"}},
			}, nil)
			alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
			bob.Pushes(t)
			row.cut(t, nats, proxy)
			began := time.Now()
			for i := range 40 {
				alice.MustCall(t, "openim.sendmsg", magpietest.With(magpietest.Message("alice", "bob", "hi"), M{"MsgSeq": i + 1}), nil)
			}
			carol := s.Login(t, "carol")
			back := s.Connect(t)
			if e := back.Resume(t, "alice", alice.Session); e.ErrorCode != 0 {
				t.Errorf("come back: %+v", e)
			}
			s.Send(t, "carol", "bob", "by REST")
			if took := time.Since(began); took > patience {
				t.Errorf("40 sends, a login and a return take %v", took)
			}
			row.mend(t, nats, proxy)
			again := func(f *magpietest.Frame) bool { return strings.Contains(string(f.Body), `"Flag":1`) }
			carol.Next(t, "a push that says to pull", again)
			pulled := bob.Pull(t, bob.Cookie)
			if n := len(pulled.Items); n != 41 {
				t.Errorf("bob pulls %d messages, want 41", n)
			}
			s.MustREST(t, "group_open_http_svc/send_group_msg", M{
				"GroupId": "team", "From_Account": "carol", "Random": 1,
				"MsgBody": []M{{"MsgType": "TIMTextElem", "MsgContent": M{"Text": "to the team"}}},
			}, nil)
			for _, member := range []*magpietest.Conn{back, carol} {
				member.Next(t, "a message of the group", func(f *magpietest.Frame) bool { return strings.Contains(string(f.Body), "to the team") })
			}
		})
	}
}
