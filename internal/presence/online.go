package presence

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// The states of an account or of one of its platforms (docs/protocol/limits.md#6-login-and-presence).
const (
	statusOnline     = "Online"
	statusPushOnline = "PushOnline" // a phone without a connection that an offline push still reaches
	statusOffline    = "Offline"
)

// pushOnlineFor is how long a phone counts as reachable by offline push after its connection ended.
const pushOnlineFor = 7 * 24 * time.Hour

type onlineRequest struct {
	To      []string  `json:"To_Account"`
	Detail  wire.Bool `json:"IsNeedDetail"`
	Devices wire.Bool `json:"IsReturnInstid"`
	Custom  wire.Bool `json:"IsReturnCustomStatus"`
}

// platformStatus is a platform's state, or with a device that of the device.
type platformStatus struct {
	Platform string      `json:"Platform"`
	Status   string      `json:"Status"`
	Device   im.DeviceID `json:"Instid,omitempty"`
}

type accountStatus struct {
	To     string           `json:"To_Account"`
	Status string           `json:"Status"`
	Custom *string          `json:"CustomStatus,omitzero"`
	Detail []platformStatus `json:"Detail,omitempty"`
}

type onlineError struct {
	To   string  `json:"To_Account"`
	Code im.Code `json:"ErrorCode"`
}

type onlineReply struct {
	QueryResult []accountStatus `json:"QueryResult"`
	ErrorList   []onlineError   `json:"ErrorList"`
}

func (p *Presences) onlineStatusCommand() command.Command {
	return command.New(command.Spec{
		Service: "openim", Name: "query_online_status", Also: []string{"im_open_login_svc"}, By: command.Administrator,
		Family: im.FamilyMessage(), Fields: map[string]im.Code{"To_Account": im.CodeMessageReceiver},
		Doc: "tell which accounts are online", Section: "rest.md#query_online_status",
	}, p.onlineStatus)
}

func (p *Presences) onlineStatus(ctx context.Context, call *command.Call, r *onlineRequest) (*onlineReply, error) {
	if len(r.To) == 0 {
		return nil, im.Errorf(im.CodeMessageBadJSON, "To_Account names nobody")
	}
	if len(r.To) > im.MaxStatusPerCall {
		return nil, im.Errorf(im.CodeMessageReceivers, "%d accounts in one call: want at most %d", len(r.To), im.MaxStatusPerCall)
	}
	found, err := p.accounts.FindMany(ctx, call.App.ID, r.To)
	if err != nil {
		return nil, err
	}
	ids := make([]im.AccountID, 0, len(found))
	for _, one := range found {
		ids = append(ids, one.ID)
	}
	a := answers{request: r}
	if a.devices, err = p.devices(ctx, ids); err != nil {
		return nil, err
	}
	if r.Custom {
		if a.states, err = p.states(ctx, ids); err != nil {
			return nil, err
		}
	}
	reply := &onlineReply{QueryResult: []accountStatus{}}
	for _, userID := range r.To {
		if one, ok := found[userID]; ok {
			reply.QueryResult = append(reply.QueryResult, a.of(userID, one.ID))
		} else {
			reply.ErrorList = append(reply.ErrorList, onlineError{userID, im.CodeAccountUnknown})
		}
	}
	if len(reply.QueryResult) == 0 {
		return reply, im.Errorf(im.CodeAccountUnknown, "none of the accounts exists")
	}
	return reply, nil
}

// answers is what was read for a request. states is nil when nobody asked for custom statuses.
type answers struct {
	request *onlineRequest
	devices map[im.AccountID][]platformStatus
	states  map[im.AccountID]state
}

func (a *answers) of(userID string, id im.AccountID) accountStatus {
	status := accountStatus{To: userID, Status: overall(a.devices[id])}
	if a.states != nil {
		custom := a.states[id].custom
		status.Custom = &custom
	}
	if !a.request.Detail {
		return status
	}
	if status.Detail = a.devices[id]; !a.request.Devices {
		status.Detail = byPlatform(status.Detail)
	}
	return status
}

// byPlatform gives each platform the best of its devices' states.
func byPlatform(devices []platformStatus) []platformStatus {
	var platforms []platformStatus
	for _, d := range devices {
		d.Device = 0
		at := slices.IndexFunc(platforms, func(one platformStatus) bool { return one.Platform == d.Platform })
		switch {
		case at < 0:
			platforms = append(platforms, d)
		case d.Status == statusOnline:
			platforms[at] = d
		}
	}
	return platforms
}

// overall is the best of the devices' states.
func overall(devices []platformStatus) string {
	status := statusOffline
	for _, d := range devices {
		if d.Status == statusOnline {
			return statusOnline
		}
		status = d.Status
	}
	return status
}

const devicesQuery = `SELECT d.account_id, d.instance_id, d.platform,
	CASE WHEN n.lease_until > $1 AND n.started_at = d.node_started THEN 1 ELSE 0 END, d.changed_at
FROM device d LEFT JOIN node n ON n.id = d.online_on
WHERE d.revoked = 0 AND d.account_id IN ($2...) ORDER BY d.account_id, d.platform, d.instance_id`

// devices gives the devices of each account that are online, or reachable by push.
func (p *Presences) devices(ctx context.Context, ids []im.AccountID) (map[im.AccountID][]platformStatus, error) {
	found := map[im.AccountID][]platformStatus{}
	now := p.clock.Now()
	err := db.Each(ctx, p.db, func(scan db.Scanner) error {
		var (
			id       im.AccountID
			device   im.DeviceID
			platform im.Platform
			online   bool
			changed  int64
		)
		if err := scan(&id, &device, &platform, &online, &changed); err != nil {
			return err
		}
		status := platformState(platform, online, now.Sub(time.UnixMilli(changed)))
		if status != statusOffline {
			found[id] = append(found[id], platformStatus{platform.String(), status, device})
		}
		return nil
	}, devicesQuery, now.UnixMilli(), db.Ints(ids))
	if err != nil {
		return nil, fmt.Errorf("read presence: %w", err)
	}
	return found, nil
}

func platformState(p im.Platform, online bool, since time.Duration) string {
	switch {
	case online:
		return statusOnline
	case (p == im.PlatformAndroid || p == im.PlatformIOS || p == im.PlatformIPad) && since < pushOnlineFor:
		return statusPushOnline
	default:
		return statusOffline
	}
}
