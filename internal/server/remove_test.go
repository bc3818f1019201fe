package server_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/server"
	"github.com/magpie-im/magpie/magpietest"
)

const removed = 1400000009

// fill gives an application accounts, fields, devices, messages, conversations, and callbacks that its back end does not take.
func fill(t *testing.T, s *magpietest.Server) (alice *magpietest.Conn, back *magpietest.BackEnd) {
	t.Helper()
	back = s.BackEnd(t, "C2C.CallbackAfterSendMsg")
	back.Answer(func(*magpietest.Callback) (int, string) { return http.StatusInternalServerError, "" })
	s.Configure(t, "webhook.retry", "on", "group.daily_new", "10")
	var names []string
	for i := range 120 {
		names = append(names, fmt.Sprintf("user%d", i))
	}
	for _, some := range [][]string{names[:100], names[100:]} {
		s.MustREST(t, "im_open_login_svc/multiaccount_import", magpietest.M{"Accounts": some}, nil)
	}
	alice = s.Login(t, "alice")
	alice.MustCall(t, "im_long_msg.save_relay_json_msg", magpietest.M{"MsgList": []magpietest.M{{"From_Account": "alice"}}}, nil)
	s.MustREST(t, "profile/portrait_set", magpietest.M{"From_Account": "alice", "ProfileItem": []magpietest.M{
		{"Tag": "Tag_Profile_IM_SelfSignature", "Value": "hi"},
	}}, nil)
	for round := range 5 {
		s.MustREST(t, "openim/batchsendmsg", magpietest.M{
			"From_Account": "alice", "To_Account": names, "MsgSeq": round + 1, "MsgRandom": round + 1, "MsgBody": magpietest.Text("hi"),
		}, nil)
	}
	for range 3 {
		s.Send(t, "user3", "user4", "hi")
	}
	s.MustREST(t, "group_open_http_svc/create_group", magpietest.M{
		"Type": "Public", "Name": "g", "GroupId": "g", "Owner_Account": "user1", "MemberList": []magpietest.M{{"Member_Account": "user2"}},
	}, nil)
	s.MustREST(t, "group_open_http_svc/set_group_attr", magpietest.M{"GroupId": "g", "GroupAttr": []magpietest.M{{"key": "k", "value": "v"}}}, nil)
	s.MustREST(t, "group_open_http_svc/ban_group_member", magpietest.M{"GroupId": "g", "Members_Account": []string{"user5"}, "Duration": 60}, nil)
	s.MustREST(t, "group_open_http_svc/update_group_counter", magpietest.M{"GroupId": "g", "GroupCounter": []magpietest.M{{"Key": "k", "Value": 1}}}, nil)
	s.MustREST(t, "group_open_http_svc/create_group", magpietest.M{"Type": "Public", "Name": "h", "GroupId": "h"}, nil)
	s.MustREST(t, "group_open_http_svc/destroy_group", magpietest.M{"GroupId": "h"}, nil)
	alice.MustCall(t, "group_open_http_svc.apply_join_group", magpietest.M{"GroupId": "g"}, nil)
	annotate(t, s)
	relate(t, s)
	upload(t, alice)
	magpietest.Eventually(t, "callbacks wait", func() bool { return len(back.Calls("")) > 0 })
	return alice, back
}

// annotate attaches something to messages of both kinds.
func annotate(t *testing.T, s *magpietest.Server) {
	t.Helper()
	sent := s.SendWith(t, magpietest.Message("user3", "user4", "read me"), magpietest.M{"IsNeedReadReceipt": 1})
	s.MustREST(t, "openim/c2c_msg_read_receipt", magpietest.M{
		"Operator_Account": "user4", "Peer_Account": "user3", "C2CMsgInfo": []magpietest.M{{"MsgKey": sent.MsgKey}},
	}, nil)
	s.MustREST(t, "group_open_http_svc/send_group_msg", magpietest.M{
		"GroupId": "g", "From_Account": "user1", "Random": 9, "MsgBody": magpietest.Text("read me"), "NeedReadReceipt": 1, "SupportMessageExtension": 1,
	}, nil)
	s.MustREST(t, "group_open_http_svc/group_msg_receipt", magpietest.M{
		"GroupId": "g", "From_Account": "user2", "MsgSeqList": []magpietest.M{{"MsgSeq": 1}},
	}, nil)
	s.MustREST(t, "openim_msg_ext_http_svc/group_set_key_values", magpietest.M{
		"GroupId": "g", "MsgSeq": 1, "OperateType": 1, "ExtensionList": []magpietest.M{{"Key": "k", "Value": "v", "Seq": 0}},
	}, nil)
	s.MustREST(t, "group_open_http_svc/pin_message", magpietest.M{"GroupId": "g", "MsgSeq": 1}, nil)
	s.MustREST(t, "openim_msg_ext_http_svc/group_reaction_add", magpietest.M{
		"GroupId": "g", "MsgSeq": 1, "Reaction": "ok", "Add_Account": []string{"user2"},
	}, nil)
}

// upload has an account upload a file.
func upload(t *testing.T, c *magpietest.Conn) {
	t.Helper()
	var to struct {
		URL string `json:"upload_url"`
	}
	c.MustCall(t, "im_cos_msg.pre_sig", magpietest.M{"file_type": 255, "file_name": "a"}, &to)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, to.URL, strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("upload: %+v, %v", answer, err)
	}
	_ = answer.Body.Close()
}

// relate gives accounts relations of every kind.
func relate(t *testing.T, s *magpietest.Server) {
	t.Helper()
	s.Configure(t, "friend.allow_type", "AllowType_Type_NeedConfirm", "follow.enabled", "on")
	s.MustREST(t, "sns/friend_import", magpietest.M{"From_Account": "alice", "AddFriendItem": []magpietest.M{
		{"To_Account": "user1", "AddSource": "AddSource_Type_Web", "GroupName": []string{"Pals"}}}}, nil)
	s.MustREST(t, "sns/friend_add", magpietest.M{"From_Account": "alice", "AddFriendItem": []magpietest.M{
		{"To_Account": "user2", "AddSource": "AddSource_Type_Web"}}}, nil)
	s.MustREST(t, "sns/black_list_add", magpietest.M{"From_Account": "user1", "To_Account": []string{"user2"}}, nil)
	s.MustREST(t, "follow/follow_add", magpietest.M{"From_Account": "user1", "FollowItem": []magpietest.M{{"To_Account": "user2"}}}, nil)
}

// rowsOf counts what the store has of an application.
func rowsOf(t *testing.T, d *db.DB, id im.AppID) map[string]int64 {
	t.Helper()
	const mine = ` WHERE %s IN (SELECT id FROM account WHERE app_id = $1)`
	const ours = ` WHERE group_id IN (SELECT id FROM chat_group WHERE app_id = $1)`
	counts := map[string]int64{}
	for table, where := range map[string]string{
		"account": ` WHERE app_id = $1`, "chat": ` WHERE app_id = $1`, "chat_group": ` WHERE app_id = $1`, "group_growth": ` WHERE app_id = $1`, "webhook_outbox": ` WHERE app_id = $1`,
		"bundle": ` WHERE app_id = $1`, "bundle_usage": ` WHERE app_id = $1`,
		"webhook_event": ` WHERE app_id = $1`, "webhook_attempt": ` WHERE app_id = $1`, "app": ` WHERE id = $1`, "file": ` WHERE app_id = $1`, "file_sum": ` WHERE app_id = $1`,
		"device": fmt.Sprintf(mine, "account_id"), "profile": fmt.Sprintf(mine, "account_id"),
		"group_member": fmt.Sprintf(mine, "account_id"), "join_request": fmt.Sprintf(mine, "account_id"),
		"friend": fmt.Sprintf(mine, "owner_id"), "friend_group": fmt.Sprintf(mine, "owner_id"), "friend_request": fmt.Sprintf(mine, "from_id"),
		"block": fmt.Sprintf(mine, "owner_id"), "follow": fmt.Sprintf(mine, "follower_id"), "relation": ` WHERE app_id = $1`,
		"conversation": fmt.Sprintf(mine, "owner_id"), "message": fmt.Sprintf(mine, "from_id"),
		"group_data": ours, "group_attribute": ours, "group_counter": ours, "group_ban": ours,
		"annotation": ` WHERE chat_id IN (SELECT id FROM chat WHERE app_id = $1)`, "chat_reader": fmt.Sprintf(mine, "account_id"),
		"reaction": fmt.Sprintf(mine, "account_id"),
		"pin":      ` WHERE chat_id IN (SELECT id FROM chat WHERE app_id = $1)`, "extension": ` WHERE message_id IN (SELECT id FROM message WHERE chat_id IN (SELECT id FROM chat WHERE app_id = $1))`,
	} {
		n, err := db.One(t.Context(), d, db.Number, `SELECT COUNT(*) FROM `+table+where, int64(id))
		if err != nil {
			t.Fatal(err)
		}
		counts[table] = n
	}
	return counts
}

// orphans counts rows of accounts, chats and applications that are not there.
func orphans(t *testing.T, d *db.DB) map[string]int64 {
	t.Helper()
	counts := map[string]int64{}
	for table, column := range map[string]string{
		"device": "account_id NOT IN (SELECT id FROM account)", "profile": "account_id NOT IN (SELECT id FROM account)",
		"friend": "owner_id NOT IN (SELECT id FROM account)", "friend_group": "owner_id NOT IN (SELECT id FROM account)",
		"friend_request": "from_id NOT IN (SELECT id FROM account)", "block": "owner_id NOT IN (SELECT id FROM account)",
		"follow": "follower_id NOT IN (SELECT id FROM account)", "relation": "account_id NOT IN (SELECT id FROM account)",
		"conversation": "owner_id NOT IN (SELECT id FROM account)", "message": "chat_id NOT IN (SELECT id FROM chat)",
		"group_member": "group_id NOT IN (SELECT id FROM chat_group)", "join_request": "group_id NOT IN (SELECT id FROM chat_group)",
		"group_data": "group_id NOT IN (SELECT id FROM chat_group)", "group_attribute": "group_id NOT IN (SELECT id FROM chat_group)",
		"group_counter": "group_id NOT IN (SELECT id FROM chat_group)",
		"group_ban":     "group_id NOT IN (SELECT id FROM chat_group)",
		"annotation":    "chat_id NOT IN (SELECT id FROM chat)", "chat_reader": "chat_id NOT IN (SELECT id FROM chat)",
		"pin": "chat_id NOT IN (SELECT id FROM chat)", "reaction": "message_id NOT IN (SELECT id FROM message)", "extension": "message_id NOT IN (SELECT id FROM message)",
		"annotated_chat": "chat_id NOT IN (SELECT id FROM chat)", "chat_group": "app_id NOT IN (SELECT id FROM app)",
		"account": "app_id NOT IN (SELECT id FROM app)", "chat": "app_id NOT IN (SELECT id FROM app)",
		"webhook_event": "app_id NOT IN (SELECT id FROM app)", "webhook_outbox": "app_id NOT IN (SELECT id FROM app)",
		"webhook_attempt": "app_id NOT IN (SELECT id FROM app)",
	} {
		n, err := db.One(t.Context(), d, db.Number, `SELECT COUNT(*) FROM `+table+` WHERE `+column)
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			counts[table] = n
		}
	}
	return counts
}

// beside opens the store beside the running server, as `magpie app` does, by the server's clock.
func beside(t *testing.T, o db.Options, now func() time.Time, observe func(int, time.Duration)) (*db.DB, *app.Apps) {
	t.Helper()
	o.Now, o.Observe = now, observe
	d := dbtest.Open(t, o)
	apps, err := app.Open(t.Context(), d, server.Settings(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return d, apps
}

// An application is removed with all that it has, beside a running server, after it was disabled; a removal that ends early
// leaves it out of use, and goes on when it is asked for again. The other applications notice nothing.
func TestRemoveApplication(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		stays := magpietest.Start(t, magpietest.Dir(o.Dir), magpietest.Database(o.URL), magpietest.Clock(clock.NewManual(time.Now())))
		goes := stays.App(t, removed, "the key of the one that goes")
		fill(t, stays)
		alice, back := fill(t, goes)
		d, apps := beside(t, o, stays.Now, nil)
		kept := rowsOf(t, d, magpietest.AppID)
		remove := func() error { return server.RemoveApp(t.Context(), d, apps, removed) }

		if err := remove(); !errors.Is(err, app.ErrEnabled) {
			t.Fatalf("while it is enabled: %v", err)
		}
		goes.Disable(t, true)
		if err := remove(); !errors.Is(err, app.ErrInUse) {
			t.Fatalf("a moment after it was disabled, beside a server: %v", err)
		}
		stays.Pass(t, 4*time.Minute)
		alice.Closed(t)

		early, cancel := context.WithCancel(t.Context())
		defer cancel()
		commits := 0
		cut, itsApps := beside(t, o, stays.Now, func(int, time.Duration) {
			if commits++; commits == 4 {
				cancel()
			}
		})
		if err := server.RemoveApp(early, cut, itsApps, removed); !errors.Is(err, context.Canceled) {
			t.Fatalf("a removal that is cut: %v", err)
		}
		if left := rowsOf(t, d, removed); left["app"] != 1 || left["account"] != 122 {
			t.Fatalf("after a cut there is %v", left)
		}
		halfRemoved(t, o, stays, goes)

		if err := remove(); err != nil {
			t.Fatalf("remove it again: %v", err)
		}
		for table, n := range rowsOf(t, d, removed) {
			if n > 0 {
				t.Errorf("%d rows of %s are left", n, table)
			}
		}
		calls := len(back.Calls(""))
		stays.Pass(t, 10*time.Minute)
		stays.Send(t, "user1", "user2", "still here")
		if after := rowsOf(t, d, magpietest.AppID); after["account"] != kept["account"] || after["message"] != kept["message"]+1 || after["device"] != kept["device"] {
			t.Errorf("the other application had %v and has %v", kept, after)
		}
		if n := len(back.Calls("")); n > calls {
			t.Errorf("the back end of an application that is gone was called %d times", n-calls)
		}
		if lost := orphans(t, d); len(lost) > 0 {
			t.Errorf("there are rows that belong to nobody: %v", lost)
		}
		again := stays.App(t, removed, "another key for the same number")
		var reply struct {
			ResultItem []struct{ AccountStatus string }
		}
		again.MustREST(t, "im_open_login_svc/account_check", magpietest.M{"CheckItem": []magpietest.M{{"UserID": "user1"}}}, &reply)
		if len(reply.ResultItem) != 1 || reply.ResultItem[0].AccountStatus != "NotImported" {
			t.Errorf("an application that has the number again knows %+v", reply)
		}
	})
}

// halfRemoved finds that an application of which something is left is none.
func halfRemoved(t *testing.T, o db.Options, stays, goes *magpietest.Server) {
	t.Helper()
	_, apps := beside(t, o, stays.Now, nil)
	if left := apps.Removing(); len(left) != 1 || left[0] != removed || apps.Find(removed) != nil {
		t.Errorf("of the applications %v are being removed", left)
	}
	for what, err := range map[string]error{
		"enable it":         apps.SetDisabled(t.Context(), removed, false),
		"give it a setting": apps.Set(t.Context(), removed, map[string]string{"admins": "administrator"}),
		"add it":            apps.Ensure(t.Context(), removed, "the key of the one that goes"),
	} {
		if err == nil {
			t.Errorf("one can %s", what)
		}
	}
	magpietest.Eventually(t, "the server knows it no more", func() bool {
		return goes.REST(t, "openim/sendmsg", magpietest.Message("user1", "user2", "hi"), nil).ErrorCode == int(im.CodeAppUnknown)
	})
}
