package magpietest

import (
	"sync"
	"testing"
	"time"
)

// signatures keeps the UserSig by which an application's administrator calls: a back end signs once for many calls, and
// so does a test.
type signatures struct {
	mutex sync.Mutex
	byApp map[signer]signature
}

type signer struct {
	app uint32
	key string
}

type signature struct {
	text string
	at   time.Time
}

// admin returns a UserSig of the administrator that was made within the last minute of the server's clock.
func (k *signatures) admin(t testing.TB, s *Server) string {
	t.Helper()
	k.mutex.Lock()
	defer k.mutex.Unlock()
	who, now := signer{s.AppID, s.Key}, s.Now()
	if kept, ok := k.byApp[who]; ok && now.Sub(kept.at).Abs() < time.Minute {
		return kept.text
	}
	if k.byApp == nil {
		k.byApp = map[signer]signature{}
	}
	fresh := signature{s.UserSig(t, Admin), now}
	k.byApp[who] = fresh
	return fresh.text
}
