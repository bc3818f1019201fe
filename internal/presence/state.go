package presence

import (
	"context"
	"encoding/base64"
	"fmt"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
)

// The states of an account, in the numbers of clients (docs/protocol/wire.md#profile).
const (
	stateOnline    = 1 // a device is connected
	stateOffline   = 2 // a native device is logged in and not connected
	stateLoggedOut = 3 // none of these
)

// state is what watchers of an account are told. The zero state is that of no account.
type state struct {
	userID string
	number int
	custom string
}

// statesQuery reads the states of accounts in one statement. A deleted account has no devices and so reads as logged out.
const statesQuery = `SELECT a.id, a.user_id,
	MAX(CASE WHEN n.lease_until > $1 AND n.started_at = d.node_started THEN 1 ELSE 0 END),
	MAX(CASE WHEN d.expires_at >= $2 AND d.platform IN (1, 2, 3, 4, 13) THEN 1 ELSE 0 END), COALESCE(MAX(c.status), '')
FROM account a LEFT JOIN device d ON d.account_id = a.id AND d.revoked = 0 LEFT JOIN node n ON n.id = d.online_on
	LEFT JOIN custom_status c ON c.account_id = a.id AND (c.away_at = 0 OR c.away_at > $3)
WHERE a.id IN ($4...) GROUP BY a.id, a.user_id`

// statesAtOnce bounds the accounts of one statement.
const statesAtOnce = 500

// states reads the states of accounts. One that does not exist has none.
func (p *Presences) states(ctx context.Context, ids []im.AccountID) (map[im.AccountID]state, error) {
	found := make(map[im.AccountID]state, len(ids))
	now := p.clock.Now()
	for len(ids) > 0 {
		some := ids[:min(len(ids), statesAtOnce)]
		ids = ids[len(some):]
		err := db.Each(ctx, p.db, func(scan db.Scanner) error {
			var (
				id              im.AccountID
				s               state
				online, offline bool
			)
			err := scan(&id, &s.userID, &online, &offline, &s.custom)
			s.number = numberOf(online, offline)
			found[id] = s
			return err
		}, statesQuery, now.UnixMilli(), now.Unix(), now.Add(-keepCustom).UnixMilli(), db.Ints(some))
		if err != nil {
			return nil, fmt.Errorf("read presence: %w", err)
		}
	}
	return found, nil
}

func numberOf(online, offline bool) int {
	switch {
	case online:
		return stateOnline
	case offline:
		return stateOffline
	default:
		return stateLoggedOut
	}
}

// changed tells clients of accounts' states (docs/protocol/wire.md#profile).
var changed = event.Define[[]wireState](22, "UserStatusList")

// Events lists what the room pushes.
func (*Presences) Events() []event.Declared { return []event.Declared{changed.Declaration()} }

// wireState is a state as clients read it: the custom status is base64 of its bytes.
type wireState struct {
	To     string `json:"To_Account"`
	Status int    `json:"Status"`
	Custom string `json:"CustomStatus"`
}

func (s state) wire() wireState { return wireState{s.userID, s.number, encodeCustom(s.custom)} }

func encodeCustom(status string) string { return base64.StdEncoding.EncodeToString([]byte(status)) }
