package official_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

type (
	// M is a JSON object.
	M = magpietest.M
	// Server is a running Magpie.
	Server = magpietest.Server
	// Conn is a client's connection.
	Conn = magpietest.Conn
)

const (
	service = "official_account_open_http_svc/"
	news    = "@TOA#_news"
)

// story runs a scenario with three accounts and an official account that belongs to one of them.
func story(t *testing.T, tell func(t *testing.T, s *Server)) {
	t.Helper()
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob", "carol")
		create(t, s, news, nil)
		tell(t, s)
	})
}

func create(t *testing.T, s *Server, name string, more M) string {
	t.Helper()
	var reply struct {
		ID string `json:"OfficialAccountUserID"`
	}
	s.MustREST(t, service+"create_official_account",
		magpietest.With(M{"Owner_Account": "alice", "Name": "The News", "FaceUrl": "http://x/news.png", "OfficialAccountUserID": name}, more), &reply)
	return reply.ID
}

func list(names ...string) (all []M) {
	for _, name := range names {
		all = append(all, M{"Subscriber_Account": name})
	}
	return all
}

// subscribe has accounts subscribe, and gives what became of each.
func subscribe(t *testing.T, s *Server, command string, names ...string) string {
	t.Helper()
	return results(t, s, command, M{"Official_Account": news, "SubscriberList": list(names...)})
}

func results(t *testing.T, s *Server, command string, body M) string {
	t.Helper()
	var reply struct {
		List []struct {
			Name   string `json:"Subscriber_Account"`
			Result int
		} `json:"SubscriberList"`
	}
	s.MustREST(t, service+command, body, &reply)
	return fmt.Sprint(reply.List)
}

func wants(t *testing.T, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func words(text string, random int) M {
	return M{"Official_Account": news, "Random": random, "MsgBody": magpietest.Text(text)}
}

// say has the official account say something, and gives its key.
func say(t *testing.T, s *Server, text string, random int) string {
	t.Helper()
	var reply struct {
		MsgKey  string
		MsgTime int64
	}
	s.MustREST(t, service+"send_official_account_msg", words(text, random), &reply)
	if !strings.HasSuffix(reply.MsgKey, fmt.Sprintf("_1_%d", reply.MsgTime)) {
		t.Errorf("the key is %q of a message of %d", reply.MsgKey, reply.MsgTime)
	}
	return reply.MsgKey
}

// heard is what was pushed to a client of what the official account said.
func heard(t *testing.T, c *Conn) (texts []string) {
	t.Helper()
	for _, p := range c.Pushes(t) {
		for i := range p.Messages {
			if p.Messages[i].From != news || p.Messages[i].Nick != "The News" {
				t.Errorf("%s hears %+v", c.UserID, p.Messages[i])
			}
			texts = append(texts, p.Messages[i].Text())
		}
	}
	return texts
}

// history is what an account reads of the official account.
func history(t *testing.T, s *Server, who string) (texts []string) {
	t.Helper()
	var page struct{ MsgList []magpietest.Item }
	s.MustREST(t, "openim/admin_getroammsg", M{
		"Operator_Account": who, "Peer_Account": news, "MaxCnt": 50, "MinTime": 0, "MaxTime": 4000000000,
	}, &page)
	for i := range page.MsgList {
		text := page.MsgList[i].Text()
		if page.MsgList[i].FlagBits != 0 {
			text = "recalled"
		}
		texts = append(texts, text)
	}
	return texts
}

// unread is how much of what the official account said an account has not read.
func unread(t *testing.T, s *Server, who string) int {
	t.Helper()
	var reply struct{ AllC2CUnreadMsgNum int }
	s.MustREST(t, "openim/get_c2c_unread_msg_num", M{"To_Account": who}, &reply)
	return reply.AllC2CUnreadMsgNum
}

// What an official account says reaches those who subscribe, from then on until they do not any more, and nobody else.
func TestSubscribersHear(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		say(t, s, "before", 1)
		bob, carol := s.Login(t, "bob"), s.Login(t, "carol")
		wants(t, "subscribed", subscribe(t, s, "add_subscriber", "bob", "nobody"), "[{bob 1} {nobody 0}]")
		wants(t, "again", subscribe(t, s, "add_subscriber", "bob"), "[{bob 2}]")
		magpietest.Eventually(t, "bob hears", func() bool {
			s.MustREST(t, service+"send_official_account_msg", magpietest.With(words("are you there", 2), M{"OnlineOnlyFlag": 1}), nil)
			return len(heard(t, bob)) > 0
		})
		say(t, s, "one", 3)
		say(t, s, "two", 4)
		wants(t, "bob hears", slices.DeleteFunc(heard(t, bob), func(text string) bool { return text == "are you there" }), "[one two]")
		wants(t, "carol hears", heard(t, carol), "[]")
		wants(t, "bob reads", history(t, s, "bob"), "[one two]")
		wants(t, "carol reads", history(t, s, "carol"), "[]")
		wants(t, "bob's unread", unread(t, s, "bob"), 2)
		wants(t, "carol's unread", unread(t, s, "carol"), 0)

		wants(t, "out", subscribe(t, s, "delete_subscriber", "bob", "carol"), "[{bob 1} {carol 2}]")
		say(t, s, "three", 5)
		wants(t, "bob hears nothing more", heard(t, bob), "[]")
		wants(t, "bob reads nothing more", history(t, s, "bob"), "[]")
		wants(t, "bob's unread", unread(t, s, "bob"), 0)
		subscribe(t, s, "add_subscriber", "bob")
		say(t, s, "four", 6)
		wants(t, "bob is back", history(t, s, "bob"), "[four]")
	})
}

// A subscriber that was away gets all by its sync, its list shows the official account, and it reads, clears and deletes the
// conversation as any other.
func TestSubscriberAway(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		subscribe(t, s, "add_subscriber", "bob", "carol")
		bob := s.Login(t, "bob")
		bob.Pull(t, "")
		cookie := bob.Cookie
		say(t, s, "one", 1)
		key := say(t, s, "two", 2)
		wants(t, "new device", texts(s.Login(t, "carol").Pull(t, "")), "[one two]")
		wants(t, "away", texts(bob.Pull(t, cookie)), "[one two]")
		wants(t, "listed", listed(t, bob), "[@TOA#_news two 2]")
		bob.MustCall(t, "openim.msgreaded", M{"C2CMsgReaded": M{"C2CMsgReadedItem": []M{{"To_Account": news, "LastedMsgTime": s.Now().Unix()}}}}, nil)
		wants(t, "read", listed(t, bob), "[@TOA#_news two 0]")
		wants(t, "carol's count", unread(t, s, "carol"), 2)

		recall(t, s, key, 0)
		wants(t, "recalled", history(t, s, "carol"), "[one recalled]")
		recall(t, s, key, 10030)
		recall(t, s, "7_1_7", 10030)
		recall(t, s, "7_2_7", 10004)

		s.MustREST(t, "recentcontact/delete", M{"From_Account": "bob", "Type": 1, "To_Account": news, "ClearRamble": 1}, nil)
		wants(t, "deleted", listed(t, bob), "[]")
		wants(t, "carol reads on", history(t, s, "carol"), "[one recalled]")
		s.Refuses(t, "openim/delete_c2c_msg_ramble", M{"Operator_Account": "carol", "Peer_Account": news, "MsgKeyList": []string{"1_1_1"}}, 130009)
		say(t, s, "three", 3)
		wants(t, "listed again", listed(t, bob), "[@TOA#_news three 1]")
		wants(t, "bob reads", history(t, s, "bob"), "[three]")
	})
}

func recall(t *testing.T, s *Server, key string, code int) {
	t.Helper()
	var reply struct {
		List []struct {
			Key  string `json:"MsgKey"`
			Code int    `json:"RetCode"`
		} `json:"RecallRetList"`
	}
	s.MustREST(t, service+"official_account_msg_recall", M{"Official_Account": news, "MsgKeyList": []string{key}, "Reason": "wrong"}, &reply)
	wants(t, "recall of "+key, reply.List, fmt.Sprintf("[{%s %d}]", key, code))
}

func texts(pulled magpietest.Pulled) (all []string) {
	for i := range pulled.Items {
		all = append(all, pulled.Items[i].Text())
	}
	return all
}

// listed is a client's list of conversations: peers, last messages, unread counts.
func listed(t *testing.T, c *Conn) (all []any) {
	t.Helper()
	var page struct {
		Items []struct {
			To     string `json:"To_Account"`
			Unread int    `json:"UnreadMsgCount"`
			Last   struct {
				Body []struct{ MsgContent struct{ Text string } } `json:"MsgBody"`
			} `json:"LastMsg"`
		} `json:"SessionItem"`
	}
	c.MustCall(t, "recentcontact.page_get", M{
		"From_Account": c.UserID, "TimeStamp": 0, "StartIndex": 0, "TopTimeStamp": 0, "TopStartIndex": 0, "AssistFlags": 15,
	}, &page)
	for _, one := range page.Items {
		text := ""
		if len(one.Last.Body) > 0 {
			text = one.Last.Body[0].MsgContent.Text
		}
		all = append(all, one.To, text, one.Unread)
	}
	return all
}
