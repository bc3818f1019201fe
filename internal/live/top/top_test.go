package top_test

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/live/top"
	"github.com/magpie-im/magpie/magpietest"
)

// The table shows what the node counts, the busiest room first; without a terminal it is plain text.
func TestShow(t *testing.T) {
	s := magpietest.Start(t, magpietest.Timed(), magpietest.Set(t, "commands-per-second", "0"))
	s.Configure(t, "live.message_rate", "3")
	s.Import(t, "alice")
	bob := s.Login(t, "bob")
	for id, said := range map[string]int{"quiet": 2, "busy": 18, "empty": 0} {
		s.MustREST(t, "group_open_http_svc/create_group",
			magpietest.M{"Type": "AVChatRoom", "Name": "show", "GroupId": id, "Owner_Account": "alice"}, nil)
		bob.MustCall(t, "group_open_http_svc.apply_join_group", magpietest.M{"GroupId": id}, nil)
		for n := range said {
			bob.MustCall(t, "group_open_http_svc.send_group_msg", magpietest.M{
				"GroupId": id, "Random": n + 1, "ClientSeq": n + 1, "MsgPriority": "Low", "MsgBody": magpietest.Text("hello"),
			}, nil)
		}
	}
	s.Pass(t, time.Second)
	o := top.Options{
		URL: s.URL + "/", App: im.AppID(s.AppID), Key: s.Key, Admin: magpietest.Admin, Rooms: 20, Every: 10 * time.Second, Count: 1, Begin: s.Now(),
	}
	var got string
	magpietest.Eventually(t, "all that was said is settled", func() bool {
		var table strings.Builder
		s.Pass(t, 100*time.Millisecond)
		if err := top.Show(t.Context(), &table, o); err != nil {
			t.Fatal(err)
		}
		got = table.String()
		sums := regexp.MustCompile(`2\.0 messages/s in, (\S+) pushed, (\S+) dropped, (\S+) given`).FindStringSubmatch(got)
		return sums != nil && number(t, sums[1])+number(t, sums[2]) == 20 && number(t, sums[2]) > 0 && sums[3] == sums[1]
	})
	rooms := regexp.MustCompile(`(?m)^ *1 +1 .* (\S+) *$`).FindAllStringSubmatch(got, -1)
	if len(rooms) != 3 || rooms[0][1] != "busy" || rooms[1][1] != "quiet" || strings.Contains(got, "\x1b") {
		t.Errorf("the rooms are %q in\n%s", rooms, got)
	}
	t.Log("\n" + got)
	var shown strings.Builder
	o.Redraw = true
	if err := top.Show(t.Context(), &shown, o); err != nil || !strings.HasPrefix(shown.String(), "\x1b[H\x1b[2J") {
		t.Errorf("on a terminal: %v, %q", err, shown.String())
	}
	o.Admin = "bob"
	if err := top.Show(t.Context(), &shown, o); err == nil || strings.Contains(err.Error(), "usersig") {
		t.Errorf("who is no administrator: %v", err)
	}
	o.URL = "http://127.0.0.1:1"
	if err := top.Show(t.Context(), &shown, o); err == nil || strings.Contains(err.Error(), "usersig=") {
		t.Errorf("a node that is not there: %v", err)
	}
}

// number reads a rate of ten seconds as a count.
func number(t *testing.T, rate string) int {
	t.Helper()
	perSecond, err := strconv.ParseFloat(rate, 64)
	if err != nil {
		t.Fatal(err)
	}
	return int(math.Round(perSecond * 10))
}
