package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

const token = "a token"

// stage is a Magpie with a robot, whose bot has this model and is told by the webhook if told is set.
func stage(t *testing.T, model http.HandlerFunc, told bool) (*magpietest.Server, *httptest.Server) {
	t.Helper()
	s := magpietest.Start(t)
	s.Import(t, "alice")
	fake := httptest.NewServer(model)
	t.Cleanup(fake.Close)
	b, err := newBot(&options{
		App: fmt.Sprint(s.AppID, ":", s.Key), Magpie: strings.TrimPrefix(s.URL, "http://"), Token: token, URL: fake.URL,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.call(t.Context(), "openim_robot_http_svc/create_robot", object{"UserID": "@RBT#bot"}, &object{}); err != nil {
		t.Fatal(err)
	}
	back := httptest.NewServer(b)
	t.Cleanup(back.Close)
	if told {
		s.Configure(t, "webhook.token", token)
		s.Configure(t, "webhook.commands", "Bot.OnC2CMessage")
		s.Configure(t, "webhook.url", back.URL)
	}
	return s, back
}

// answers lists what the bot has said to alice: finished answers only.
func answers(t *testing.T, s *magpietest.Server) (finished []string) {
	t.Helper()
	var page struct{ MsgList []message }
	s.MustREST(t, "openim/admin_getroammsg", object{"Operator_Account": "alice", "Peer_Account": "@RBT#bot", "MaxCnt": 100,
		"MinTime": 0, "MaxTime": 4_000_000_000}, &page)
	for _, m := range page.MsgList {
		if m.From == "@RBT#bot" && strings.Contains(m.Body[0].Content.Data, `"isFinished":1`) {
			finished = append(finished, m.text())
		}
	}
	return finished
}

// The whole chain: a user writes, Magpie tells the bot, the bot asks the model, and the user sees the answer grow.
func TestConversation(t *testing.T) {
	s, _ := stage(t, fakeModel, true)
	alice := s.Login(t, "alice")
	for n, want := range []string{
		"You wrote: Hello. I remember 0 messages before that. A real model would know more to say about it.",
		"You wrote: Again. I remember 2 messages before that. A real model would know more to say about it.",
	} {
		s.Send(t, "alice", "@RBT#bot", []string{"Hello", "Again"}[n])
		magpietest.Eventually(t, "the bot answers", func() bool { return len(answers(t, s)) > n })
		if got := answers(t, s)[n]; got != want {
			t.Errorf("the answer is %q, want %q", got, want)
		}
		if pushes := alice.Pushes(t); len(pushes) < 4 {
			t.Errorf("alice saw %d states of the answer", len(pushes))
		}
	}
}

// callback is one as Magpie sends it.
func callback(t *testing.T, back *httptest.Server, event, sign string) int {
	t.Helper()
	now := time.Now().Unix()
	if sign == "" {
		sign = signed(token, fmt.Sprint(now))
	}
	body, _ := json.Marshal(object{"CallbackCommand": "Bot.OnC2CMessage", "From_Account": "alice", "To_Account": "@RBT#bot",
		"MsgBody": magpietest.Text("Hello")})
	url := fmt.Sprintf("%s/?SdkAppid=1400000001&CallbackCommand=Bot.OnC2CMessage&contenttype=json&ClientIP=127.0.0.1"+
		"&OptPlatform=RESTAPI&Sign=%s&RequestTime=%d", back.URL, sign, now)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Magpie-Event-Id", event)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// A callback that comes twice is answered once, and one that anybody could have sent not at all.
func TestCallbacks(t *testing.T) {
	s, back := stage(t, fakeModel, false)
	for _, event := range []string{"1", "1", "2", "1"} {
		if status := callback(t, back, event, ""); status != http.StatusOK {
			t.Errorf("status %d", status)
		}
	}
	if status := callback(t, back, "3", "0"); status != http.StatusForbidden {
		t.Errorf("a wrong signature: status %d", status)
	}
	magpietest.Eventually(t, "both are answered", func() bool { return len(answers(t, s)) >= 2 })
	if got := answers(t, s); len(got) != 2 {
		t.Errorf("answered %q", got)
	}
}

func TestGenuine(t *testing.T) {
	const second, sign = "1669872112", "17773bc39a671d7b9aa835458704d2a6db81360a5940292b587d6d760d484061"
	at := time.Unix(1669872112, 0)
	for _, row := range []struct {
		name, token, second, sign string
		now                       time.Time
		want                      bool
	}{
		{"the documentation's example", "xxxxyyyy", second, sign, at, true},
		{"a minute ago", "xxxxyyyy", second, sign, at.Add(time.Minute), true},
		{"longer ago", "xxxxyyyy", second, sign, at.Add(61 * time.Second), false},
		{"from the future", "xxxxyyyy", second, sign, at.Add(-61 * time.Second), false},
		{"another token", "xxxxyyyz", second, sign, at, false},
		{"no time", "xxxxyyyy", "", signed("xxxxyyyy", ""), at, false},
		{"nothing to check", "", "", "", at, true},
	} {
		if got := genuine(row.token, row.second, row.sign, row.now); got != row.want {
			t.Errorf("%s: %v", row.name, got)
		}
	}
}

// An answer longer than a message goes on in the next one; a model that fails is no reason to be silent.
func TestLongAndFailingAnswers(t *testing.T) {
	word := strings.Repeat("x", 500) + " "
	long := func(w http.ResponseWriter, _ *http.Request) {
		for range 20 {
			_, _ = fmt.Fprintf(w, "data: {\"choices\":[{\"delta\":{\"content\":%q}}]}\n\n", word)
			w.(http.Flusher).Flush()
		}
	}
	s, back := stage(t, long, false)
	s.Configure(t, "message.max_bytes", "4000")
	callback(t, back, "1", "")
	magpietest.Eventually(t, "the whole answer is there", func() bool {
		return strings.Join(answers(t, s), "") == strings.Repeat(word, 20)
	})
	if n := len(answers(t, s)); n < 3 {
		t.Errorf("10 KB in %d messages", n)
	}
	s, back = stage(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusTeapot) }, false)
	callback(t, back, "1", "")
	magpietest.Eventually(t, "the bot says so", func() bool { return len(answers(t, s)) == 1 })
}
