package webhook

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/magpie-im/magpie/internal/im"
)

// Whatever a back end answers, there is one verdict: let through, silence, refuse with a code of the interface, or an
// error that is no refusal. What is let through can be read on.
func FuzzJudge(f *testing.F) {
	for _, text := range []string{
		`{"ErrorCode":0}`, `{"ErrorCode":1}`, `{"ErrorCode":2}`, `{"ErrorCode":120001,"ErrorInfo":"no"}`, `{"ErrorCode":130001}`, `{}`, ``, `null`,
		`[]`, `{"ErrorCode":"1"}`, `{"ErrorCode":0,"ErrorCode":1}`, `{"ErrorCode":1e0}`, "{\"ErrorCode\":125000,\"ErrorInfo\":\"\xff\\ud800\\u0000\"}",
	} {
		f.Add([]byte(text))
	}
	b := NewBefore[struct{}](Spec{Refused: im.CodeMessageRefused, Unanswered: im.CodeCallbackFailed, Low: 120001, High: 130000, MaySilence: true})
	f.Fuzz(func(t *testing.T, body []byte) {
		answer, err := b.judge(body)
		refusal, refused := im.Refusal(err)
		switch {
		case refused && refusal.Code != im.CodeMessageRefused && (refusal.Code < 120001 || refusal.Code > 130000):
			t.Errorf("refused with %d", refusal.Code)
		case refused && (!utf8.ValidString(refusal.Info) || strings.ContainsRune(refusal.Info, 0)):
			t.Errorf("refused with the words %q", refusal.Info)
		case err != nil && (answer.Silent || answer.raw != nil):
			t.Errorf("%v, and the answer %+v", err, answer)
		case err == nil && !answer.Silent:
			var more struct{}
			if err := answer.Read(&more); err != nil {
				t.Errorf("let through, but %v", err)
			}
		}
	})
}
