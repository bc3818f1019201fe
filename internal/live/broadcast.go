package live

import (
	"context"
	"errors"
	"hash/crc32"
	"strconv"
	"sync"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/send"
	"github.com/magpie-im/magpie/internal/telemetry"
	"github.com/magpie-im/magpie/internal/wire"
)

// A broadcast is a message for whoever is inside of any live room of an application. It is no room's: it is in no window, counts to
// no rate and is in no backlog. Each node says it in the rooms in which somebody is inside there.

type broadcastRequest struct {
	From string `json:"From_Account"`
	send.Fields
	Random *uint32 `json:"Random"`
}

type broadcastReply struct {
	Sequence int64 `json:"MsgSeq"`
}

// broadcast is a bus message about one. What it says of rooms each node fills in.
type broadcast struct {
	App     im.AppID `json:"a"`
	Random  uint32   `json:"r"`
	Sum     uint32   `json:"c"` // of the body
	Second  int64    `json:"t"`
	Message said     `json:"m"`
}

// said is a broadcast as clients read it (docs/protocol/wire.md#live-items).
type said struct {
	From       string    `json:"From_Account"`
	To         string    `json:"ToGroupId"`
	Group      string    `json:"GroupId"`
	Info       groupInfo `json:"GroupInfo"`
	Sequence   int64     `json:"MsgSeq"`
	Random     int64     `json:"MsgRandom"`
	Time       int64     `json:"MsgTimeStamp"`
	ClientTime int64     `json:"MsgClientTime"`
	TinyID     string    `json:"TinyId"`
	ClientSeq  int64     `json:"ClientSeq"`
	Priority   string    `json:"MsgPriority"`
	Body       wire.Raw  `json:"MsgBody"`
	CloudData  string    `json:"CloudCustomData"`
	Event      int       `json:"Event"`
	// Broadcast is true; by it the official SDK knows one that is pushed.
	Broadcast bool `json:"IsBroadcastMessage"`
}

// eventBroadcast is the Event of a broadcast.
const eventBroadcast = 17

func (l *Rooms) broadcastCommand() command.Command {
	own := map[im.Code]im.Code{
		im.CodeMessageBody: im.CodeGroupParameter, im.CodeMessageBodyArray: im.CodeGroupParameter, im.CodeMessageFormat: im.CodeGroupParameter,
	}
	return command.New(command.Spec{
		Service: service, Name: "send_broadcast_msg", By: command.Administrator, Family: im.FamilyGroup(), Codes: command.Codes{REST: own},
		Doc: "say something in all live rooms of an application", Section: "rest.md#send_broadcast_msg",
	}, l.broadcast)
}

func (l *Rooms) broadcast(ctx context.Context, call *command.Call, r *broadcastRequest) (*broadcastReply, error) {
	if r.Random == nil {
		return nil, im.Errorf(im.CodeGroupParameter, "Random is missing")
	}
	if r.From == "" {
		r.From = call.UserID
	}
	from, err := l.accounts.Find(ctx, call.App.ID, r.From)
	if errors.Is(err, account.ErrUnknown) {
		return nil, im.Errorf(im.CodeGroupAccount, "account %.40q does not exist", r.From)
	}
	if err != nil {
		return nil, err
	}
	body, err := r.Parse(call)
	if err != nil {
		return nil, err
	}
	b := broadcastOf(from, r, body, l.clock.Now().Unix())
	b.App = call.App.ID
	if before, err := l.broadcasts.take(b, broadcastRate.Of(call.App)); before != 0 || err != nil {
		return &broadcastReply{before}, err
	}
	l.publish(&presence{Node: l.node(), Broadcast: b})
	select {
	case l.toSay <- b:
		return &broadcastReply{b.Message.Sequence}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// toSayMost is how many broadcasts wait until those before them were said in all rooms.
const toSayMost = 64

// heardBroadcast takes a broadcast of another node. The bus does not wait for it: one too many is not said here.
func (l *Rooms) heardBroadcast(b *broadcast) {
	select {
	case l.toSay <- b:
	default:
		l.log.Warn("a broadcast is not said, as too many wait", telemetry.FieldApp, b.App)
	}
}

// sayBroadcasts says broadcasts in this node's rooms, which may be many, until ctx ends.
func (l *Rooms) sayBroadcasts(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case b := <-l.toSay:
			l.sayEverywhere(b)
		}
	}
}

func broadcastOf(from account.Account, r *broadcastRequest, body []byte, now int64) *broadcast {
	b := &broadcast{Random: *r.Random, Second: now, Message: said{
		From: from.UserID, Info: groupInfo{From: from.UserID, Nick: from.Nick, FaceURL: from.FaceURL}, Sequence: broadcastNumber(now, int64(*r.Random)),
		Random: int64(*r.Random), Time: now, ClientTime: now, TinyID: strconv.FormatInt(int64(from.ID), 10), Priority: "High",
		Body: wire.Raw(body), CloudData: wire.Text(r.CloudData), Event: eventBroadcast, Broadcast: true,
	}}
	b.Message.ClientSeq = b.Message.Sequence
	b.Sum = crc32.Update(crc32.ChecksumIEEE(body), crc32.IEEETable, []byte(b.Message.CloudData))
	return b
}

// broadcastNumber is a number that no message of a room has, and hardly another broadcast of these days.
func broadcastNumber(second, random int64) int64 {
	const above, seconds, lots = 1 << 31, 1 << 20, 1 << 11
	return above + second%seconds*lots + random%lots
}

// sayEverywhere pushes a broadcast in the rooms in which somebody is inside here.
func (l *Rooms) sayEverywhere(b *broadcast) {
	for _, r := range l.all() {
		r.mutex.Lock()
		of, empty := r.group, r.inside() == 0 || r.ended
		r.mutex.Unlock()
		if of.App == b.App && !empty {
			l.sayHere(of, b.Message)
		}
	}
}

func (l *Rooms) sayHere(of *group.Group, m said) {
	m.To, m.Group = of.GroupID, of.GroupID
	m.Info.Group, m.Info.Name, m.Info.Type = of.GroupID, of.Name, of.Type.String()
	text, err := wire.Marshal(m)
	if err == nil {
		var frame []byte
		if frame, err = l.router.Frame(broadcasts.Of([]wire.Raw{text})); err == nil {
			l.walker.WalkHere(event.LiveRoom(of.ID).Subject(), frame)
		}
	}
	if err != nil {
		l.warn(of.ID, "broadcast to a live room", err)
	}
}

// broadcastSeconds is for how long a broadcast that comes again is known.
const broadcastSeconds = 300

// broadcastLog is the broadcasts of the last minutes, of all nodes.
type broadcastLog struct {
	mutex sync.Mutex
	apps  map[im.AppID][]broadcast // the oldest first, without what they say but for the number
}

// take gives the number of a broadcast that was made already, or refuses one too many in its second; otherwise it is counted.
func (k *broadcastLog) take(b *broadcast, rate int) (before int64, err error) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	k.forget(b.App, b.Second)
	made := 0
	for _, one := range k.apps[b.App] {
		if one.Random == b.Random && one.Sum == b.Sum {
			return one.Message.Sequence, nil
		}
		if one.Second == b.Second {
			made++
		}
	}
	if rate == 0 {
		return 0, im.Errorf(im.CodeGroupRights, "broadcasts to live rooms are switched off, see live.broadcast_rate")
	}
	if made >= rate {
		return 0, im.Errorf(im.CodeGroupFrequent, "more than %d broadcasts to live rooms in one second", rate)
	}
	k.add(b)
	return 0, nil
}

// note remembers a broadcast of another node.
func (k *broadcastLog) note(b *broadcast) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	k.add(b)
}

// add notes a broadcast; the caller holds the mutex.
func (k *broadcastLog) add(b *broadcast) {
	if k.apps == nil {
		k.apps = map[im.AppID][]broadcast{}
	}
	k.forget(b.App, b.Second)
	k.apps[b.App] = append(k.apps[b.App], broadcast{Random: b.Random, Sum: b.Sum, Second: b.Second, Message: said{Sequence: b.Message.Sequence}})
}

func (k *broadcastLog) forget(app im.AppID, now int64) {
	old, all := 0, k.apps[app]
	for old < len(all) && now-all[old].Second >= broadcastSeconds {
		old++
	}
	if left := all[old:]; len(left) > 0 {
		k.apps[app] = left
	} else {
		delete(k.apps, app)
	}
}
