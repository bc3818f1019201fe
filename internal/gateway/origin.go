package gateway

import (
	"net/http"
	"strings"
)

// hostBytes bounds the name of a host, as the domain name system does.
const hostBytes = 255

// originOf is scheme and host by which a client reached the service, or "" if it named no host that can stand in an address.
// A proxy's word on the scheme stands in the URL, where the listener puts it.
func originOf(r *http.Request) string {
	if r.Host == "" || len(r.Host) > hostBytes || strings.ContainsFunc(r.Host, notOfHost) {
		return ""
	}
	scheme := "http"
	if r.TLS != nil || r.URL.Scheme == "https" {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

func notOfHost(c rune) bool {
	return (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && !strings.ContainsRune(".-_:[]", c)
}
