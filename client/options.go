package client

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"time"
)

// PlatformWeb is the default of [Options.Platform]. The server's login policy counts devices by platform.
const PlatformWeb = 7

// Options say where to connect, as whom, and what to do with what arrives. URL (or URLs), AppID, UserID and one of
// UserSig and UserSigFunc are required; the zero value of everything else is the default named with it.
//
// Callbacks run one at a time on the connection's reader, in the order of the wire. While one runs, nothing is read: it
// must not block, and it must not wait for a call of the same client, whose answer could not arrive. Start a goroutine,
// or use [Client.SendAsync] and [Client.Close], which may be called from a callback.
type Options struct {
	// URL is the server's address as the web SDK's proxyServer takes it: "ws://host:port" or "wss://host/prefix".
	URL string
	// URLs are several nodes of one server, tried in turn after URL (which may then be empty): when one is lost the
	// next is tried.
	URLs []string
	// AppID is the SDKAppID.
	AppID uint32
	// UserID is the account that logs in.
	UserID string
	// UserSig is the account's signature. When it has expired and the session ends, the client is kicked.
	UserSig string
	// UserSigFunc is asked for a signature before the first login and whenever the server no longer takes the
	// session. It runs on the client's goroutine and must respect its context. It wins over UserSig.
	UserSigFunc func(context.Context) (string, error)
	// Platform is the kind of device to appear as; 0 is [PlatformWeb].
	Platform int

	// OnCreate gets the client before it connects. Other callbacks may run before Dial has returned it.
	OnCreate func(*Client)
	// OnMessage gets every one-to-one message of others and of the user's other devices, each once.
	OnMessage func(Message)
	// OnGroupMessage gets every message of the user's groups that is pushed, of others and of the user's other devices, each once.
	// What was not pushed is found by a gap of the sequences, and with [Client.GroupHistory].
	OnGroupMessage func(GroupMessage)
	// OnRecalled gets each recall of a message, possibly more than once.
	OnRecalled func(Recalled)
	// OnEdited gets a message that was edited, or that a robot goes on writing, as it stands now: From, To, Seq, Random,
	// Time, Elements, CloudCustomData and Version are set. It may come more than once, without the edits in between, and
	// from a server of several nodes after a newer one: who keeps messages passes over a Version that is not higher.
	OnEdited func(Message)
	// OnReadByPeer gets the peer's read mark when it moves.
	OnReadByPeer func(ReadMark)
	// OnKicked is told that the server logged the client out. It is over then: no reconnect.
	OnKicked func(KickReason)
	// OnState follows the connection. Connected means logged in.
	OnState func(State)
	// OnPush gets every event that no other callback is for: changes of groups, profiles, conversations, presence.
	OnPush func(RawEvent)

	// Cookie resumes where [Client.Cookie] of an earlier run stood: messages since then go to OnMessage at login.
	// A few from just before may come a second time, as the server repeats the seconds before a cookie.
	Cookie string
	// DeliverOffline hands the messages waiting at the first login to OnMessage. Otherwise, as in the web SDK, they
	// are only in the history and the unread counters.
	DeliverOffline bool
	// NoSync never asks for missed messages on its own; for load generators that count pushes. The first [Client.Sync]
	// then takes the place of the login's.
	NoSync bool
	// NoReconnect ends the client with its first connection.
	NoReconnect bool
	// NoCompress does not offer to take compressed frames.
	NoCompress bool

	// Logger takes what no caller is told, such as a frame that cannot be read. Never message text or signatures.
	// Nil is silence.
	Logger *slog.Logger
	// LocalAddr is the source address of connections, nil for any. One address has about 28,000 ports to one server.
	LocalAddr net.Addr
	// DialContext opens connections instead of a [net.Dialer]; LocalAddr is then not used.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
	// TLSConfig is for wss; nil is the default configuration.
	TLSConfig *tls.Config

	// DialTimeout bounds each attempt up to the end of the WebSocket handshake, and then the login; 0 is 15 s.
	DialTimeout time.Duration
	// CallTimeout bounds [Client.SendAsync] and the client's own calls; 0 is 15 s. Calls with a context end with it.
	CallTimeout time.Duration
	// WriteTimeout is how long one frame may take to be written before the connection is given up; 0 is 10 s.
	WriteTimeout time.Duration
	// Heartbeat is the silence after which the server is asked for a sign of life; 0 is 10 s, the web SDK's.
	Heartbeat time.Duration
	// HeartbeatTimeout is how long that sign may take before the connection is given up; 0 is 3 s.
	HeartbeatTimeout time.Duration
	// BackoffMin and BackoffMax bound the pause before a reconnect, which doubles with every round through the URLs
	// and is jittered; 0 is 250 ms and 15 s.
	BackoffMin, BackoffMax time.Duration

	// MaxFrame bounds a frame in bytes, in both directions and after decompression; 0 is 4 MiB.
	MaxFrame int
	// MaxPending bounds the calls waiting for an answer; 0 is 1024. One more gets [ErrBusy].
	MaxPending int
	// Window is how many messages are remembered at least, so that each is delivered once; 0 is 8192, which takes
	// 800 KB when it is full. A client that was pushed half as many since its last sync syncs again, so that a later
	// one does not reach behind the window. Servers repeat the 10 seconds before a cookie; that much must fit too.
	Window int
	// ReadBuffer is the connection's read buffer in bytes; 0 is 2048. It only bounds bytes per system call.
	ReadBuffer int
}

// withDefaults checks what is required and fills in the rest.
func (o Options) withDefaults() (*Options, error) {
	if o.URL != "" {
		o.URLs = append([]string{o.URL}, o.URLs...)
	}
	switch {
	case len(o.URLs) == 0:
		return nil, errors.New("client: no URL")
	case o.AppID == 0 || o.UserID == "":
		return nil, errors.New("client: AppID and UserID are required")
	case o.UserSig == "" && o.UserSigFunc == nil:
		return nil, errors.New("client: UserSig or UserSigFunc is required")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	orElse(&o.Platform, PlatformWeb)
	orElse(&o.DialTimeout, 15*time.Second)
	orElse(&o.CallTimeout, 15*time.Second)
	orElse(&o.WriteTimeout, 10*time.Second)
	orElse(&o.Heartbeat, 10*time.Second)
	orElse(&o.HeartbeatTimeout, 3*time.Second)
	orElse(&o.BackoffMin, 250*time.Millisecond)
	orElse(&o.BackoffMax, 15*time.Second)
	orElse(&o.MaxFrame, 4<<20)
	orElse(&o.MaxPending, 1024)
	orElse(&o.Window, 8192)
	orElse(&o.ReadBuffer, 2048)
	return &o, nil
}

func orElse[T ~int | ~int64](value *T, otherwise T) {
	if *value <= 0 {
		*value = otherwise
	}
}

// State is what [Options.OnState] reports.
type State int

// The states of a client. Disconnected is followed by Connecting unless the client has ended.
const (
	Disconnected State = iota
	Connecting
	Connected
)

// String names the state.
func (s State) String() string {
	switch s {
	case Connecting:
		return "connecting"
	case Connected:
		return "connected"
	default:
		return "disconnected"
	}
}
