package official_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// info is what a back end reads of an official account, as JSON.
func info(t *testing.T, s *Server, name string, fields ...string) string {
	t.Helper()
	var reply struct {
		List []json.RawMessage `json:"OfficialAccountInfoList"`
	}
	s.MustREST(t, service+"get_official_account_info", M{
		"OfficialAccountIdList": []M{{"Official_Account": name}}, "ResponseFilter": M{"OfficialAccountBaseInfoFilter": fields},
	}, &reply)
	if len(reply.List) != 1 {
		t.Fatalf("read %s", reply.List)
	}
	return string(reply.List[0])
}

// An official account is made, described, changed and destroyed, and may be made again under its name with nothing of before.
func TestLife(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		if drawn := create(t, s, "", nil); !strings.HasPrefix(drawn, "@TOA#_") || len(drawn) < 12 {
			t.Errorf("the name that was drawn is %q", drawn)
		}
		subscribe(t, s, "add_subscriber", "bob", "carol")
		say(t, s, "one", 1)
		s.MustREST(t, service+"modify_official_account_base_info", M{
			"OfficialAccount": news, "Name": "Old News", "Introduction": "i", "CustomString": "c", "MaxSubscriberNum": 7,
		}, nil)
		wants(t, "described", info(t, s, news, "Name", "Owner_Account", "SubscriberNum", "Introduction", "FaceUrl", "CustomString", "Organization"),
			`{"Official_Account":"@TOA#_news","ErrorCode":0,"ErrorInfo":"","Name":"Old News","Owner_Account":"alice","SubscriberNum":2,`+
				`"Introduction":"i","FaceUrl":"http://x/news.png","Organization":"","CustomString":"c"}`)
		wants(t, "the rest", strings.Contains(info(t, s, news), fmt.Sprintf(`"LastMsgTime":%d,"MaxSubscriberNum":7`, s.Now().Unix())), true)

		s.MustREST(t, service+"destroy_official_account", M{"Official_Account": news}, nil)
		wants(t, "unknown", strings.Contains(info(t, s, news), `"ErrorCode":130004`), true)
		wants(t, "bob reads", history(t, s, "bob"), "[]")
		wants(t, "bob's unread", unread(t, s, "bob"), 0)
		s.Refuses(t, service+"send_official_account_msg", words("x", 2), 130004)
		s.Refuses(t, service+"destroy_official_account", M{"Official_Account": news}, 130004)

		create(t, s, news, nil)
		wants(t, "made again", strings.Contains(info(t, s, news), `"SubscriberNum":0`), true)
		subscribe(t, s, "add_subscriber", "bob")
		say(t, s, "anew", 1)
		wants(t, "bob reads", history(t, s, "bob"), "[anew]")
	})
}

// A back end reads what was said, the newest first, page by page.
func TestSaid(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		var keys []string
		for i := range 5 {
			keys = append(keys, say(t, s, fmt.Sprint(i), i))
		}
		wants(t, "a repeat", say(t, s, "3", 3), keys[3])
		recall(t, s, keys[2], 0)
		type page struct {
			IsFinished int
			LastMsgKey string
			RspMsgList []struct {
				MsgKey     string
				IsPlaceMsg int
				MsgBody    []struct{ MsgContent struct{ Text string } }
			}
		}
		read := func(more M) (said []string, p page) {
			t.Helper()
			s.MustREST(t, service+"official_account_msg_get_simple", magpietest.With(M{"Official_Account": news, "ReqMsgNumber": 3}, more), &p)
			for _, one := range p.RspMsgList {
				text := fmt.Sprint("place ", one.IsPlaceMsg)
				if len(one.MsgBody) > 0 {
					text = one.MsgBody[0].MsgContent.Text
				}
				said = append(said, text)
			}
			return said, p
		}
		said, p := read(nil)
		wants(t, "the first page", fmt.Sprint(said, p.IsFinished, " ", p.LastMsgKey), "[4 3] 0 "+keys[2])
		said, p = read(M{"LastMsgKey": p.LastMsgKey})
		wants(t, "the last page", fmt.Sprint(said, p.IsFinished), "[1 0] 1")
		said, _ = read(M{"WithRecalledMsg": 1})
		wants(t, "with the recalled one", said, "[4 3 place 2]")
	})
}

// Lists of subscribers and of subscriptions.
func TestLists(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		create(t, s, "@TOA#_sports", M{"Name": "Sports"})
		for _, one := range []string{news, "@TOA#_sports"} {
			results(t, s, "add_subscriber", M{"Official_Account": one, "SubscriberList": list("bob", "carol")})
		}
		s.MustREST(t, service+"modify_subscriber_info", M{"Official_Account": news, "Subscriber_Account": "carol", "CustomString": "fan"}, nil)
		s.Login(t, "carol").MustCall(t, "openim.set_c2c_peer_mute_notifications", M{"User_Account": "carol", "Peer_Account": []string{news}, "Mute_Notifications": 2}, nil)
		var page struct {
			Number int `json:"SubscriberNum"`
			List   []struct {
				Name      string `json:"Subscriber_Account"`
				Custom    string `json:"CustomString"`
				MsgFlag   string
				Subscribe int64 `json:"SubscribeTime"`
			} `json:"SubscriberList"`
			Next string
		}
		s.MustREST(t, service+"get_subscriber_info", M{"Official_Account": news, "Limit": 1}, &page)
		wants(t, "the first page", fmt.Sprint(page.Number, page.List[0].Name, page.List[0].MsgFlag, len(page.List), page.Next != ""), "2bobAcceptAndNotify1 true")
		s.MustREST(t, service+"get_subscriber_info", M{"Official_Account": news, "Limit": 1, "Next": page.Next}, &page)
		wants(t, "the last page", fmt.Sprint(page.List[0].Name, page.List[0].Custom, page.List[0].MsgFlag, page.Next == ""), "carolfanAcceptNotNotifytrue")

		var of struct {
			List []struct {
				Name string
				Self struct {
					Custom string `json:"CustomString"`
					Time   int64  `json:"SubscribeTime"`
				} `json:"SelfInfo"`
			} `json:"OfficialAccountInfoList"`
			TotalCount, CompleteFlag, Next int
		}
		s.MustREST(t, service+"get_subscribed_official_account_list", M{"Subscriber_Account": "carol", "Limit": 1}, &of)
		wants(t, "carol's", fmt.Sprint(of.List[0].Name, of.List[0].Self.Custom, of.List[0].Self.Time > 0, of.TotalCount, of.CompleteFlag, of.Next), "The Newsfantrue 2 0 1")
		s.MustREST(t, service+"get_subscribed_official_account_list", M{"Subscriber_Account": "carol", "Limit": 1, "Offset": of.Next}, &of)
		wants(t, "the other", fmt.Sprint(of.List[0].Name, of.CompleteFlag), "Sports1")

		s.MustREST(t, "im_open_login_svc/account_delete", M{"DeleteItem": []M{{"UserID": "carol"}}}, nil)
		wants(t, "one is left", strings.Contains(info(t, s, news), `"SubscriberNum":1`), true)
		s.Import(t, "carol")
		say(t, s, "to one", 1)
		var back struct{ SessionItem []struct{} }
		s.MustREST(t, "recentcontact/get_list", M{"From_Account": "carol", "TimeStamp": 0, "StartIndex": 0, "TopTimeStamp": 0, "TopStartIndex": 0}, &back)
		wants(t, "carol is back, and does not subscribe", fmt.Sprint(history(t, s, "carol"), unread(t, s, "carol"), len(back.SessionItem)), "[] 0 0")
	})
}

// A client subscribes for itself alone.
func TestClientSubscribes(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		bob := s.Login(t, "bob")
		door := strings.Replace(service, "/", ".", 1)
		bob.MustCall(t, door+"add_subscriber", M{"Official_Account": news}, nil)
		say(t, s, "one", 1)
		wants(t, "bob reads", history(t, s, "bob"), "[one]")
		for command, body := range map[string]M{
			"add_subscriber":                       {"Official_Account": news, "SubscriberList": list("carol")},
			"delete_subscriber":                    {"Official_Account": news, "SubscriberList": list("carol")},
			"get_subscribed_official_account_list": {"Subscriber_Account": "carol"},
		} {
			if e := bob.Call(t, door+command, body, nil); e.ErrorCode != 130002 {
				t.Errorf("%s for another: answered %+v", command, e)
			}
		}
		bob.MustCall(t, door+"delete_subscriber", M{"Official_Account": news}, nil)
		wants(t, "bob reads", history(t, s, "bob"), "[]")
	})
}

func TestRefuses(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Configure(t, "official.max_subscribed", "1", "official.max", "2")
		made := M{"Owner_Account": "alice", "Name": "n"}
		refuses := func(what, command string, body M, code int) {
			t.Helper()
			t.Run(what, func(t *testing.T) { s.Refuses(t, service+command, body, code) })
		}
		refuses("another prefix", "create_official_account", magpietest.With(made, M{"OfficialAccountUserID": "@TOA#x"}), 130007)
		refuses("a long name", "create_official_account", magpietest.With(made, M{"OfficialAccountUserID": news + strings.Repeat("x", 48)}), 130007)
		refuses("a name in use", "create_official_account", magpietest.With(made, M{"OfficialAccountUserID": news}), 130008)
		refuses("an unknown owner", "create_official_account", magpietest.With(made, M{"Owner_Account": "nobody"}), 10019)
		refuses("a long introduction", "create_official_account", magpietest.With(made, M{"Introduction": strings.Repeat("x", 401)}), 10004)
		create(t, s, "@TOA#_sports", M{"MaxSubscriberNum": 1})
		refuses("one too many", "create_official_account", made, 130010)
		refuses("an unknown official account", "add_subscriber", M{"Official_Account": "@TOA#_x", "SubscriberList": list("bob")}, 130004)
		refuses("an account that is none", "get_subscriber_info", M{"Official_Account": "bob"}, 130004)
		results(t, s, "add_subscriber", M{"Official_Account": "@TOA#_sports", "SubscriberList": list("bob")})
		refuses("a full one", "add_subscriber", M{"Official_Account": "@TOA#_sports", "SubscriberList": list("carol")}, 130006)
		refuses("too many subscriptions", "add_subscriber", M{"Official_Account": news, "SubscriberList": list("bob")}, 130010)
		refuses("who does not subscribe", "modify_subscriber_info", M{"Official_Account": news, "Subscriber_Account": "bob"}, 131003)
		refuses("no number", "send_official_account_msg", M{"Official_Account": news, "MsgBody": magpietest.Text("x")}, 10004)
		s.Refuses(t, "openim/sendmsg", magpietest.Message("bob", news, "hi"), 90003)
		s.Refuses(t, "openim/sendmsg", magpietest.Message(news, "bob", "hi"), 90003)
		var deleted struct{ ResultItem []struct{ ResultCode int } }
		s.MustREST(t, "im_open_login_svc/account_delete", M{"DeleteItem": []M{{"UserID": news}}}, &deleted)
		wants(t, "deleted as an account", deleted.ResultItem, "[{70402}]")
	})
}

// The back end is asked before, and told after, each with the documented fields.
func TestCallbacks(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		const family = "OfficialAccount.Callback"
		hook := s.BackEnd(t, "all")
		told := func(name string, want string) {
			t.Helper()
			body := string(hook.Gets(t, family+name, 1)[0].Body)
			for _, field := range strings.Split(want, " ") {
				if !strings.Contains(body, field) {
					t.Errorf("%s tells %s, without %s", name, body, field)
				}
			}
		}
		create(t, s, "@TOA#_sports", M{"MaxSubscriberNum": 1, "Name": "Sports"})
		told("BeforeCreateOfficialAccount", `"Operator_Account":"administrator" "Owner_Account":"alice" "Name":"Sports"`)
		told("AfterCreateOfficialAccount", `"Official_Account":"@TOA#_sports" "Owner_Account":"alice"`)
		results(t, s, "add_subscriber", M{"Official_Account": "@TOA#_sports", "SubscriberList": list("bob")})
		told("BeforeAddSubscriber", `"SubscribeAccountList":[{"Subscriber_Account":"bob"}]`)
		told("AfterAddSubscriber", `"SubscribeAccountList":[{"Subscriber_Account":"bob"}]`)
		told("AfterOfficialAccountFull", `"Official_Account":"@TOA#_sports"`)
		s.MustREST(t, service+"modify_official_account_base_info", M{"Official_Account": "@TOA#_sports", "Introduction": "i"}, nil)
		told("AfterOfficialAccountInfoChanged", `"Introduction":"i"`)
		hook.Answer(func(c *magpietest.Callback) (int, string) {
			switch {
			case c.Command != family+"BeforeSendMsg":
				return 200, magpietest.OK
			case strings.Contains(string(c.Body), "bad"):
				return 200, `{"ActionStatus":"OK","ErrorCode":1,"ErrorInfo":"no"}`
			}
			return 200, `{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","CloudCustomData":"rewritten"}`
		})
		s.Refuses(t, service+"send_official_account_msg", words("bad", 1), 10016)
		key := say(t, s, "good", 2)
		told("AfterSendMsg", `"MsgKey":"`+key+`" "CloudCustomData":"rewritten" "OnlineOnlyFlag":0`)
		recall(t, s, key, 0)
		told("AfterMsgWithDraw", `"WithdrawMsgList":[{"MsgKey":"`+key+`"}]`)
		results(t, s, "delete_subscriber", M{"Official_Account": "@TOA#_sports", "SubscriberToDel_Account": []string{"bob"}})
		told("AfterDeleteSubscriber", `"SubscribeAccountList":[{"Subscriber_Account":"bob"}]`)
		s.MustREST(t, service+"destroy_official_account", M{"Official_Account": "@TOA#_sports"}, nil)
		told("AfterOfficialAccountDestroyed", `"Owner_Account":"alice" "Name":"Sports"`)
	})
}
