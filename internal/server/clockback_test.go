package server_test

import (
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/magpietest"
)

// A node is started again after its clock was set back. What the back end has not taken before comes before what is told now.
func TestCallbacksKeepTheirOrderWhenTheClockGoesBack(t *testing.T) {
	for name, with := range map[string]func(t *testing.T) []magpietest.Option{
		"sqlite":   func(*testing.T) []magpietest.Option { return nil },
		"postgres": func(t *testing.T) []magpietest.Option { return []magpietest.Option{magpietest.Database(dbtest.URL(t))} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			manual := clock.NewManual(time.Now())
			s := magpietest.Start(t, append(with(t), magpietest.Clock(manual))...)
			s.Import(t, "alice", "bob")
			back, taken := &taking{}, s.BackEnd(t, "C2C.CallbackAfterSendMsg")
			taken.Answer(func(c *magpietest.Callback) (int, string) { return back.answer(t, c) })
			s.Send(t, "alice", "bob", "1")
			s.Send(t, "alice", "bob", "2")
			magpietest.Eventually(t, "an attempt fails", func() bool { return len(taken.Calls("")) > 0 })
			manual.Set(manual.Clock().Now().Add(-time.Hour))
			s.Restart(t)
			s.Send(t, "alice", "bob", "3")
			back.begin()
			s.Pass(t, 2*time.Hour)
			magpietest.Eventually(t, "all are taken", func() bool { return len(back.all()) >= 3 })
			if got := back.all(); !slices.Equal(got, []string{"1", "2", "3"}) {
				t.Errorf("the back end was told of %q", got)
			}
		})
	}
}

// taking is a back end that fails until it begins, and then keeps the texts of the messages that it is told of.
type taking struct {
	mutex sync.Mutex
	takes bool
	texts []string
}

func (b *taking) begin() {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.takes = true
}

func (b *taking) all() []string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return slices.Clone(b.texts)
}

func (b *taking) answer(t *testing.T, c *magpietest.Callback) (status int, body string) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if !b.takes {
		return http.StatusServiceUnavailable, ""
	}
	var told struct {
		MsgBody []struct{ MsgContent struct{ Text string } }
	}
	c.Into(t, &told)
	b.texts = append(b.texts, told.MsgBody[0].MsgContent.Text)
	return http.StatusOK, magpietest.OK
}
