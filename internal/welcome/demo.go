package welcome

import (
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/telemetry"
	"github.com/magpie-im/magpie/usersig"
)

const (
	demoPath = "/demo"
	demoOff  = "The demo chat is off. `magpie serve --demo on` switches it on; by itself it is on for this machine's own browser, " +
		"while --listen is an address of the loopback."
)

// demoFor is how long a signature of the demo's accounts is good.
const demoFor = 24 * time.Hour

// mayDemo reports whether whoever asks may use the demo chat. On a node that only this machine reaches, another site's page in a
// browser here could ask too, under a name of its own that leads here: so the request has to name this machine.
func (p *Pages) mayDemo(r *http.Request, near bool) bool {
	return p.Demo && p.first() != nil && (!p.Near || near && namesThisMachine(r.Host))
}

func namesThisMachine(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	address, err := netip.ParseAddr(trimBrackets(host))
	return host == "localhost" || err == nil && address.Unmap().IsLoopback()
}

func trimBrackets(host string) string {
	if len(host) > 1 && host[0] == '[' && host[len(host)-1] == ']' {
		return host[1 : len(host)-1]
	}
	return host
}

// first is the application that the pages speak of: that with the lowest number of those that are served and have a key to sign with.
func (p *Pages) first() (first *app.Tenant) {
	for _, tenant := range p.Apps.All() {
		if tenant.Disabled || tenant.Keys.Secret == "" {
			continue
		}
		if first == nil || tenant.App.ID < first.App.ID {
			first = tenant
		}
	}
	return first
}

// person asks for one of the demo's accounts.
type person struct {
	Name string `json:"name"`
}

// session is what the demo chat logs an account in with.
type session struct {
	SDKAppID uint32 `json:"sdkAppID"`
	UserID   string `json:"userID"`
	UserSig  string `json:"userSig"`
}

// maxPerson bounds the body of a request for a session.
const maxPerson = 256

// session signs for one of the demo's two accounts, and for nobody else, whoever the application's other accounts are.
func (p *Pages) session(w http.ResponseWriter, r *http.Request, near bool) {
	if !p.mayDemo(r, near) {
		http.Error(w, demoOff, http.StatusNotFound)
		return
	}
	if r.Method != http.MethodPost || !sameOrigin(r) {
		http.Error(w, "Sessions of the demo chat are for its own page, which asks with POST.", http.StatusForbidden)
		return
	}
	var who person
	if err := json.UnmarshalRead(http.MaxBytesReader(w, r.Body, maxPerson), &who); err != nil || who.Name != "anna" && who.Name != "ben" {
		http.Error(w, `The demo chat has two people: {"name": "anna"} and {"name": "ben"}.`, http.StatusBadRequest)
		return
	}
	tenant := p.first()
	if tenant == nil { // it has ended since the request began
		http.Error(w, demoOff, http.StatusNotFound)
		return
	}
	of := session{SDKAppID: uint32(tenant.App.ID), UserID: "demo-" + who.Name}
	var err error
	if of.UserSig, err = usersig.Sign(of.SDKAppID, tenant.Keys.Secret, of.UserID, demoFor, p.Clock.Now()); err != nil {
		p.Log.Error("sign for the demo chat", telemetry.FieldError, err)
		http.Error(w, "The demo chat cannot sign for its accounts.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.MarshalWrite(w, of) // to a browser that may be gone
}

// sameOrigin reports whether a page of this very host asks. Browsers say so themselves; older ones name the page's origin.
func sameOrigin(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	origin := r.Header.Get("Origin")
	return origin == "http://"+r.Host || origin == "https://"+r.Host
}
