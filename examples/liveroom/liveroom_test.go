package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

func TestSession(t *testing.T) {
	s := newStage(t, false)
	anna, _ := s.visit(t, visitor{Name: "Änna 安"}, true)
	same := &session{}
	s.must(t, "/session", object{"name": " änna 安 "}, same)
	if anna.Host || same.UserID != anna.UserID {
		t.Errorf("came in as %+v, and again as %+v", anna, same)
	}
	if of, _ := s.visit(t, visitor{Code: "open"}, true); !of.Host || of.UserID != host {
		t.Errorf("the host came in as %+v", of)
	}
	for _, row := range []struct {
		who  object
		want int
	}{
		{object{"code": "opens"}, http.StatusForbidden},
		{object{"name": " "}, http.StatusBadRequest},
		{object{"name": strings.Repeat("x", 21)}, http.StatusBadRequest},
		{object{"name": "a\nb"}, http.StatusBadRequest},
	} {
		s.refuses(t, "/session", row.who, row.want)
	}
	if reply := s.Connect(t).TryLogin(t, anna.UserID, anna.Ticket); reply.ErrorCode == 0 {
		t.Error("a ticket logs in")
	}
	s.refuses(t, "/gift", object{"ticket": anna.UserSig, "gift": "flower", "count": 1}, http.StatusUnauthorized)
}

func TestGifts(t *testing.T) {
	s := newStage(t, false)
	anna, hers := s.visit(t, visitor{Name: "Anna"}, true)
	ben, _ := s.visit(t, visitor{Name: "Ben"}, false)
	give := func(who *session, gift string, count int) object {
		return object{"ticket": who.Ticket, "gift": gift, "count": count}
	}
	var left given
	s.must(t, "/gift", give(anna, "flower", 3), &left)
	hears(t, hers, house, `\"gift\":\"flower\"`, `\"count\":3`, anna.UserID)
	if left.Coins != coinsAtFirst-3 {
		t.Errorf("%d coins left", left.Coins)
	}
	s.refuses(t, "/gift", give(ben, "flower", 1), http.StatusForbidden) // from outside
	s.refuses(t, "/gift", give(anna, "yacht", 1), http.StatusBadRequest)
	s.refuses(t, "/gift", give(anna, "flower", 0), http.StatusBadRequest)
	s.refuses(t, "/gift", give(anna, "flower", -5), http.StatusBadRequest)
	s.refuses(t, "/gift", give(anna, "rocket", 5), http.StatusPaymentRequired)
	s.refuses(t, "/gift", []byte("{"), http.StatusBadRequest)
	if left := s.b.wallet(anna.UserID); left != coinsAtFirst-3 {
		t.Errorf("refused gifts cost: %d coins left", left)
	}
	s.MustREST(t, "group_open_http_svc/send_group_msg", object{"GroupId": "liveroom", "Random": 1, "MsgBody": []object{text("end")}}, nil)
	hears(t, hers, `"end"`)
	s.MustREST(t, "group_open_http_svc/destroy_group", object{"GroupId": "liveroom"}, nil)
	s.refuses(t, "/gift", give(anna, "flower", 1), http.StatusInternalServerError)
	if left := s.b.wallet(anna.UserID); left != coinsAtFirst-3 {
		t.Errorf("a gift that nobody saw cost: %d coins left", left)
	}
}

// The whole chain: people speak, Magpie tells the back end, the owner reads figures and draws among who said the word.
func TestFiguresAndLottery(t *testing.T) {
	s := newStage(t, true)
	go s.b.show(t.Context())
	of, owner := s.visit(t, visitor{Code: "open"}, true)
	anna, hers := s.visit(t, visitor{Name: "Anna"}, true)
	ben, his := s.visit(t, visitor{Name: "Ben"}, true)
	run := func(more object) object { more["ticket"] = of.Ticket; return more }
	s.refuses(t, "/lottery", object{"ticket": anna.Ticket, "word": "x", "prize": "y"}, http.StatusForbidden)
	s.refuses(t, "/lottery", run(object{"draw": true}), http.StatusConflict)
	s.refuses(t, "/lottery", run(object{"word": "", "prize": "a cup"}), http.StatusBadRequest)
	s.must(t, "/lottery", run(object{"word": "magpie", "prize": "a cup"}), &drawn{})
	hears(t, hers, `"lottery"`)
	s.say(t, hers, 1, text("magpie"))
	s.say(t, hers, 2, text(" magpie "))
	s.say(t, owner, 3, text("magpie"))
	s.say(t, his, 4, text("magpies"))
	s.say(t, his, 5, custom(`{"businessID":"like","count":7}`))
	s.say(t, his, 6, custom(`{"businessID":"like","count":-9}`))
	s.say(t, his, 7, custom(`{"businessID":"like","count":1000000}`))
	s.say(t, his, 8, custom(`{"businessID":"gift","count":1}`)) // of nobody who may say so
	var read struct {
		Inside, Entries int
		Figures         figures
	}
	want := figures{Entered: 3, Messages: 4, Likes: 107}
	magpietest.Eventually(t, "the back end has heard of all", func() bool {
		s.must(t, "/statistics", run(object{}), &read)
		return read.Figures == want
	})
	if read.Inside != 3 || read.Entries != 1 {
		t.Errorf("read %+v", read)
	}
	s.refuses(t, "/statistics", object{"ticket": ben.Ticket}, http.StatusForbidden)
	var result drawn
	s.must(t, "/lottery", run(object{"draw": true}), &result)
	if result.Winner != anna.UserID || result.Entered != 1 {
		t.Errorf("drew %+v", result)
	}
	hears(t, his, house, `\"businessID\":\"winner\"`, anna.UserID)
	magpietest.Eventually(t, "the room's attributes say the likes", func() bool {
		again := &backEnd{options: s.b.options, app: s.b.app, key: s.b.key}
		return again.resume(t.Context()) == nil && again.figures.Likes == want.Likes
	})
}

// A callback that comes twice counts once, and one that anybody could have sent not at all.
func TestCallbacks(t *testing.T) {
	s := newStage(t, false)
	body := []byte(`{"GroupId":"liveroom","NewMemberList":[{"Member_Account":"anna"}]}`)
	send := func(event, second, sign string) int {
		t.Helper()
		url := fmt.Sprintf("%s/callback?CallbackCommand=Group.CallbackAfterNewMemberJoin&RequestTime=%s&Sign=%s", s.page.URL, second, sign)
		request, err := http.NewRequest(http.MethodPost, url, strings.NewReader(string(body)))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-Magpie-Event-Id", event)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		return answer.StatusCode
	}
	if status := send("1", fmt.Sprint(time.Now().Unix()), "0"); status != http.StatusForbidden {
		t.Errorf("a wrong signature: status %d", status)
	}
	s.b.options.token = ""
	for _, event := range []string{"1", "1", "2", "1"} {
		if status := send(event, "", ""); status != http.StatusOK {
			t.Errorf("status %d", status)
		}
	}
	if s.b.figures.Entered != 2 {
		t.Errorf("%d entered", s.b.figures.Entered)
	}
}

func TestGenuine(t *testing.T) {
	const second, sign = "1669872112", "17773bc39a671d7b9aa835458704d2a6db81360a5940292b587d6d760d484061"
	at := time.Unix(1669872112, 0)
	for _, row := range []struct {
		name, token, sign string
		now               time.Time
		want              bool
	}{
		{"the documentation's example", "xxxxyyyy", sign, at, true},
		{"a minute ago", "xxxxyyyy", sign, at.Add(time.Minute), true},
		{"longer ago", "xxxxyyyy", sign, at.Add(61 * time.Second), false},
		{"another token", "xxxxyyyz", sign, at, false},
		{"nothing to check", "", "", at, true},
	} {
		if got := genuine(row.token, second, row.sign, row.now); got != row.want {
			t.Errorf("%s: %v", row.name, got)
		}
	}
}

// The page loads nothing from elsewhere and has nothing inline, and speaks to Magpie and the media server alone.
func TestPolicy(t *testing.T) {
	s := newStage(t, false)
	s.b.options.socket, s.b.options.video = "wss://im.example.com", "https://media.example.com/liveroom/whep"
	page := s.b.handler()
	answer := get(page, "/")
	policy := answer.Header().Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "script-src 'self';", "style-src 'self';",
		"connect-src 'self' wss://im.example.com https://media.example.com;", "media-src 'self' blob: https://media.example.com;"} {
		if !strings.Contains(policy, part) {
			t.Errorf("no %s in %s", part, policy)
		}
	}
	if body := answer.Body.String(); !strings.Contains(body, "liveroom.js") || strings.Contains(body, "style=") || strings.Contains(body, "onclick") {
		t.Errorf("the page is %s", body)
	}
}
