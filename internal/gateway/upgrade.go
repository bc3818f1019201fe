package gateway

import (
	"net/http"
	"strings"

	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// upgrades reports whether a request asks for a WebSocket.
func upgrades(r *http.Request) bool {
	return hasToken(r.Header, "Connection", "upgrade") && hasToken(r.Header, "Upgrade", "websocket")
}

// hasToken reports whether a header's list holds a word, in any case.
func hasToken(h http.Header, name, word string) bool {
	for _, line := range h[name] {
		for word := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(word), word) {
				return true
			}
		}
	}
	return false
}

// noUpgrade answers a request for a WebSocket whose upgrade is missing. A proxy that does not pass it on is the usual
// mistake of a first set-up, and neither side sees by itself what is wrong.
func (g *Gateway) noUpgrade(w http.ResponseWriter, r *http.Request) {
	g.refusals.Tell(r.Context(), im.DoorClient.String(), "no-upgrade", telemetry.FieldPeer, host(r.RemoteAddr), telemetry.FieldHint,
		"a WebSocket was asked for without the headers of an upgrade; a proxy in front has to pass Upgrade and Connection on")
	http.Error(w, "Clients connect here by WebSocket, and this request came without the headers 'Upgrade: websocket' and "+
		"'Connection: Upgrade'. If a proxy stands in front of Magpie, it has to pass both on (docs/operate.md, Behind a proxy).",
		http.StatusBadRequest)
}

// turnAway answers a connection that is not let in, and tells the operator.
func (g *Gateway) turnAway(w http.ResponseWriter, r *http.Request, reason, text string, status int) {
	g.refusals.Tell(r.Context(), im.DoorClient.String(), reason, telemetry.FieldPeer, host(r.RemoteAddr))
	http.Error(w, text, status)
}
