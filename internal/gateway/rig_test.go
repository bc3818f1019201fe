package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lxzan/gws"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/config"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/device"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/gateway"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/setting"
	"github.com/magpie-im/magpie/internal/telemetry"
	"github.com/magpie-im/magpie/magpietest"
	"github.com/magpie-im/magpie/usersig"
)

// rig is a gateway with commands of its own: visit, whose calls wait for the test, look-in, which is the same for guests
// too, and join (audience_test.go).
type rig struct {
	gateway *gateway.Gateway
	router  *event.Router
	bus     bus.Bus
	metrics *telemetry.Metrics
	clock   *clock.Manual // nil in a rig that goes by the system's
	http    *httptest.Server
	store   *db.DB

	mutex sync.Mutex
	doors map[string]chan struct{} // by the name of a visit, closed when it may go on
	met   []string                 // the visits whose turn came, in order
}

// visit is a call of the command: its name, which is the request's sequence too, and what its handler does, in order.
type visit struct {
	Name     string
	Aside    []string // the keys that it steps aside with
	InTurn   []string // the keys that it waits for its turn with
	GivesUp  bool     // it waits for its turn for a moment only
	Waits    bool     // until the test opens its door
	Panics   bool
	BadReply bool // one that panics when it is written
	Long     int  // the size of its reply
	Text     string
}

type farewell struct {
	Name string
	Text string
	bad  bool
}

func (f *farewell) ActionStatus() string {
	if f.bad {
		panic("a reply that cannot be written")
	}
	return "OK"
}

func (h *rig) visit(ctx context.Context, call *command.Call, v *visit) (*farewell, error) {
	if v.GivesUp {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 20*time.Millisecond)
		defer cancel()
	}
	for _, key := range v.Aside {
		if err := call.StepAside(ctx, key); err != nil {
			return nil, err
		}
	}
	for _, key := range v.InTurn {
		if err := call.InTurn(ctx, key); err != nil {
			return nil, err
		}
	}
	h.mutex.Lock()
	h.met = append(h.met, v.Name)
	h.mutex.Unlock()
	if v.Waits {
		<-h.door(v.Name)
	}
	if v.Panics {
		panic("a handler that panics")
	}
	return &farewell{v.Name, strings.Repeat("x", v.Long), v.BadReply}, nil
}

func (h *rig) door(name string) chan struct{} {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.doors[name] == nil {
		h.doors[name] = make(chan struct{})
	}
	return h.doors[name]
}

func (h *rig) open(names ...string) {
	for _, name := range names {
		close(h.door(name))
	}
}

func (h *rig) hasMet(name string) bool {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return slices.Contains(h.met, name)
}

// meets waits until it is the visits' turn.
func (h *rig) meets(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		magpietest.Eventually(t, "it is the turn of "+name, func() bool { return h.hasMet(name) })
	}
}

// openRig builds a real gateway from the rooms that it needs.
func openRig(t *testing.T, with ...func(*gateway.Parts)) *rig {
	t.Helper()
	t.Parallel()
	h := &rig{doors: map[string]chan struct{}{}}
	log, metrics, b := slog.New(slog.DiscardHandler), telemetry.NewMetrics(), bus.NewMemory()
	d, err := db.Open(t.Context(), db.Options{Dir: t.TempDir()})
	must(t, err)
	h.store = d
	router := event.NewRouter(b)
	apps, err := app.Open(t.Context(), d, setting.NewTable(), log)
	must(t, err)
	must(t, apps.Ensure(t.Context(), magpietest.AppID, magpietest.Key))
	accounts, err := account.Open(account.Parts{DB: d, Bus: b, Router: router, Log: log})
	must(t, err)
	devices, err := device.Open(t.Context(), device.Parts{DB: d, Accounts: accounts, Router: router, Apps: apps, Log: log})
	must(t, err)
	must(t, devices.Join(t.Context()))
	registry := command.NewRegistry(log, metrics, 0, nil)
	registry.Register(metrics, []command.Command{command.New(command.Spec{
		Service: "rig", Name: "visit", By: command.Account, Family: im.FamilyMessage(),
	}, h.visit), command.New(command.Spec{
		Service: "rig", Name: "look-in", By: command.Account | command.Guest, Family: im.FamilyMessage(),
	}, h.visit), command.New(command.Spec{
		Service: "rig", Name: "join", By: command.Account | command.Guest, Family: im.FamilyMessage(),
	}, h.join)})
	parts := gateway.Parts{
		Config: config.Default(), Apps: apps, Devices: devices, Registry: registry, Router: router, Bus: b, Log: log, Metrics: metrics,
	}
	for _, change := range with {
		change(&parts)
	}
	h.gateway, h.router, h.bus, h.metrics = gateway.New(parts), router, b, metrics
	h.http = httptest.NewServer(h.gateway)
	t.Cleanup(func() {
		h.gateway.Drain(time.Second)
		h.http.Close()
		_, _ = b.Close(), d.Close()
	})
	return h
}

// openTimedRig is openRig with a clock that the test moves.
func openTimedRig(t *testing.T, with ...func(*gateway.Parts)) *rig {
	t.Helper()
	m := clock.NewManual(time.Now())
	h := openRig(t, append(with, func(p *gateway.Parts) { p.Clock = m.Clock() })...)
	h.clock = m
	return h
}

func (h *rig) moves(d time.Duration) { h.clock.Advance(d) }

// metric adds up the values of a metric, of those of its labels that the text names.
func (h *rig) metric(t *testing.T, name string) (sum float64) {
	t.Helper()
	page := httptest.NewRecorder()
	h.metrics.Handler().ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/", nil))
	for line := range strings.Lines(page.Body.String()) {
		if strings.HasPrefix(line, name) {
			fields := strings.Fields(line)
			value, err := strconv.ParseFloat(fields[len(fields)-1], 64)
			must(t, err)
			sum += value
		}
	}
	return sum
}

func (h *rig) answered(t *testing.T, command string) float64 {
	t.Helper()
	return h.metric(t, fmt.Sprintf("magpie_commands_total{code=\"0\",command=%q", command))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// guest is a connection to the rig.
type guest struct {
	gws.BuiltinEventHandler
	conn    *gws.Conn
	answers chan string // "sequence code", or what came unasked
	closed  chan string
	stalled sync.Mutex

	account im.AccountID // who logged in
	device  im.DeviceID
}

// enter opens a connection and logs in.
func (h *rig) enter(t *testing.T, userID string) *guest {
	t.Helper()
	g := h.visitor(t)
	g.logIn(t, userID)
	return g
}

func (g *guest) logIn(t *testing.T, userID string) {
	t.Helper()
	sig, err := usersig.Sign(magpietest.AppID, magpietest.Key, userID, time.Hour, time.Now())
	must(t, err)
	g.write(t, M{"servcmd": "im_open_status.wslogin", "seq": "login", "identifier": userID, "usersig": sig}, M{})
	g.hears(t, "login 0")
}

// visitor opens a connection that is not logged in.
func (h *rig) visitor(t *testing.T) *guest {
	t.Helper()
	g := &guest{answers: make(chan string, 1000), closed: make(chan string, 1)}
	conn, _, err := gws.NewClient(g, &gws.ClientOption{
		Addr: fmt.Sprintf("ws%s/binfo?sdkappid=%d&platform=7", strings.TrimPrefix(h.http.URL, "http"), magpietest.AppID),
	})
	must(t, err)
	g.conn = conn
	t.Cleanup(g.leave)
	go conn.ReadLoop()
	return g
}

func (g *guest) leave() { _ = g.conn.NetConn().Close() }

// stall stops the reading; reading goes on when resume is called.
func (g *guest) stall() (resume func()) {
	g.stalled.Lock()
	return sync.OnceFunc(g.stalled.Unlock)
}

func (g *guest) OnMessage(_ *gws.Conn, m *gws.Message) {
	g.stalled.Lock()
	g.stalled.Unlock() //nolint:staticcheck // it only waits
	var frame struct {
		Head struct {
			Servcmd string
			Seq     any
		}
		Body struct {
			ErrorCode  int
			EventArray []struct{ Said []string }
			TinyID     im.AccountID `json:"TinyId,string"`
			InstID     im.DeviceID  `json:"InstId"`
		}
	}
	switch err := json.Unmarshal(m.Bytes(), &frame); {
	case err != nil:
		g.answers <- err.Error()
	case strings.HasPrefix(frame.Head.Servcmd, "im_open_push."):
		g.answers <- "pushed " + frame.Body.EventArray[0].Said[0]
	case strings.HasPrefix(frame.Head.Servcmd, "im_open_status.stat_"):
		g.answers <- "logged out"
	default:
		if frame.Head.Servcmd == "im_open_status.wslogin" {
			g.account, g.device = frame.Body.TinyID, frame.Body.InstID
		}
		g.answers <- fmt.Sprint(frame.Head.Seq, " ", frame.Body.ErrorCode)
	}
}

func (g *guest) OnPing(c *gws.Conn, payload []byte) {
	_ = c.WritePong(payload)
	g.answers <- "ping"
}

func (g *guest) OnPong(_ *gws.Conn, payload []byte) { g.answers <- "pong " + string(payload) }

func (g *guest) OnClose(_ *gws.Conn, err error) { g.closed <- err.Error() }

func (g *guest) write(t *testing.T, head, body M) {
	t.Helper()
	frame, err := json.Marshal(M{"head": head, "body": body})
	must(t, err)
	must(t, g.conn.WriteMessage(gws.OpcodeBinary, frame))
}

// asks sends visits and waits for nothing.
func (g *guest) asks(t *testing.T, visits ...visit) {
	t.Helper()
	for _, v := range visits {
		g.write(t, M{"servcmd": "rig.visit", "seq": v.Name}, M{"Name": v.Name, "Aside": v.Aside, "InTurn": v.InTurn,
			"GivesUp": v.GivesUp, "Waits": v.Waits, "Panics": v.Panics, "BadReply": v.BadReply, "Long": v.Long, "Text": v.Text})
	}
}

// hears waits for the next answers, which must be these, in order.
func (g *guest) hears(t *testing.T, want ...string) {
	t.Helper()
	for _, next := range want {
		select {
		case got := <-g.answers:
			if got != next {
				t.Fatalf("heard %q, want %q", got, next)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("heard nothing, want %q", next)
		}
	}
}

// beatsAmongPings sends a heartbeat and passes over pings that come before its answer.
func (g *guest) beatsAmongPings(t *testing.T) {
	t.Helper()
	g.write(t, M{"servcmd": "heartbeat.alive", "seq": "beat"}, M{})
	for next := range g.answers {
		if next == "beat 0" {
			return
		}
		if next != "ping" {
			t.Fatalf("heard %q", next)
		}
	}
}

// beats sends heartbeats, which must be answered, and before anything else.
func (g *guest) beats(t *testing.T) {
	t.Helper()
	for range 10 {
		g.write(t, M{"servcmd": "heartbeat.alive", "seq": "beat"}, M{})
		g.hears(t, "beat 0")
	}
}

// isHeard tells whether the server still takes requests.
func (g *guest) isHeard(t *testing.T) bool {
	t.Helper()
	g.write(t, M{"servcmd": "heartbeat.alive", "seq": "beat"}, M{})
	select {
	case <-g.answers:
		return true
	case <-time.After(time.Second):
		return false
	}
}

// turnedAway waits until the gateway drains.
func (h *rig) turnedAway(t *testing.T) {
	t.Helper()
	magpietest.Eventually(t, "new connections are refused", func() bool {
		response, err := http.Get(h.http.URL + "/binfo?sdkappid=1")
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusServiceUnavailable
	})
}
