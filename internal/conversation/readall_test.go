package conversation_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// One call marks everything read: peers learn it, the other devices too, and the back end once.
func TestReadAll(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		first, second := create(t, s, "Public", nil), create(t, s, "Public", M{"Name": "second"})
		for _, from := range []string{"alice", "carol"} {
			s.SendWith(t, magpietest.Message(from, "bob", "hi"), M{"MsgSeq": 5})
		}
		for _, id := range []string{first, second} {
			say(t, s, id, "alice: one", nil)
			say(t, s, id, "alice: three", nil)
		}
		alice, bob, phone := s.Login(t, "alice"), s.Login(t, "bob"), s.Login(t, "bob", magpietest.Platform(2))
		backEnd := s.BackEnd(t, "C2C.CallbackAfterMsgReadAll,C2C.CallbackAfterMsgReport")
		var reply struct {
			C2CReadAllMsg int
			Groups        []struct {
				GroupID string `json:"GroupId"`
				MsgSeq  int
				RetCode int
			} `json:"GroupReadInfoArray"`
		}
		bob.MustCall(t, "openim.read_all_unread_msg", M{"C2CReadAllMsg": 1, "GroupReadInfo": []M{
			{"GroupId": first, "MsgSeq": 1}, {"GroupId": second, "MsgSeq": 9}, {"GroupId": "nowhere", "MsgSeq": 1},
		}}, &reply)
		want := fmt.Sprintf("[{%s 1 0} {%s 9 0} {nowhere 1 10010}]", first, second)
		if got := fmt.Sprint(reply.Groups); got != want || reply.C2CReadAllMsg != 1 {
			t.Errorf("answered %d, %s, want %s", reply.C2CReadAllMsg, got, want)
		}
		now := s.Now().Unix()
		alice.Sees(t, fmt.Sprintf("bob has read up to %d", now))
		phone.Sees(t, fmt.Sprintf(`{"Event":14,"C2CReadAllMsg":1,"GroupReadInfoArray":[{"GroupId":%q,"LastReadMsgSeq":1},{"GroupId":%q,"LastReadMsgSeq":2}]}`, first, second))
		bob.SeesNothing(t)
		if n := unread(t, s, "bob"); n != 0 {
			t.Errorf("bob has %d unread messages", n)
		}
		all, _ := groupPage(t, bob, cursors{})
		for i := range all {
			if want := map[string]int{first: 1}[all[i].To]; all[i].unread() != want {
				t.Errorf("%s has %d unread, want %d", &all[i], all[i].unread(), want)
			}
		}
		told := backEnd.Gets(t, "", 1)[0]
		var body struct {
			Reader string `json:"Report_Account"`
			Groups []struct {
				MsgSeq int
			} `json:"GroupReadInfo"`
		}
		if err := json.Unmarshal(told.Body, &body); err != nil {
			t.Fatal(err)
		}
		if told.Command != "C2C.CallbackAfterMsgReadAll" || body.Reader != "bob" || fmt.Sprint(body.Groups) != "[{1} {2}]" {
			t.Errorf("told %s %+v", told.Command, body)
		}
		// What comes later counts again, and a recall of what was read changes nothing.
		s.Send(t, "alice", "bob", "again")
		if n := unread(t, s, "bob"); n != 1 {
			t.Errorf("bob has %d unread messages, want one", n)
		}
	})
}
