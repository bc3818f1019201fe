package client

import (
	"errors"
	"strconv"
)

// Reasons for which a call ends without an answer of the server. An answer with a code is an [*Error]; being logged out
// by the server is a [KickReason].
var (
	// ErrClosed means that [Client.Close] or [Client.Logout] ended the client.
	ErrClosed = errors.New("client: closed")
	// ErrDisconnected means that the connection was lost and [Options.NoReconnect] is set.
	ErrDisconnected = errors.New("client: disconnected")
	// ErrBusy means that [Options.MaxPending] calls are waiting already. Nothing was sent.
	ErrBusy = errors.New("client: too many pending calls")
	// ErrTimeout means that no answer came to a call without a context within [Options.CallTimeout]. Whether the
	// server did it is unknown; the same call with the same sequence and random is safe to repeat.
	ErrTimeout = errors.New("client: no answer in time")
	// ErrTooLarge means that a frame exceeds [Options.MaxFrame]. Nothing was sent.
	ErrTooLarge = errors.New("client: frame too large")

	errContent = errors.New("client: an element's content is not JSON")
)

// The names of fields in the client's log.
const (
	fieldUser  = "user"
	fieldError = "error"
)

// Error is an answer of the server that is not a success.
type Error struct {
	// Code is the interface's error code, never 0.
	Code int
	// Info is the server's sentence about it, for logs.
	Info string
}

// Error gives the code and the sentence.
func (e *Error) Error() string {
	return "client: server answered " + strconv.Itoa(e.Code) + ": " + e.Info
}

// The error codes this package acts on.
const (
	codeSigExpired   = 70001 // the signature or session token is no longer good
	codeSigRefused   = 20002 // the same, in the words of the message services
	codeKicked       = 1002  // the session was logged out; the body names the kind
	codeHeartbeatEnd = 60002 // in answer to a heartbeat: do not come back
	codeOverload     = 60022 // made here, for a command the server asked to spare
	codeNoTinyID     = 2022  // made here, as the web SDK does, for an answer to login without its parts
	codeNoA2         = 2023
)

// expired reports a code that asks for a new signature.
func expired(code int) bool { return code == codeSigExpired || code == codeSigRefused }

// KickReason says why the server logged this client out. It is the error of every call made afterwards.
type KickReason int

// The reasons; the first three have the numbers of the wire.
const (
	// KickedByDevice: the account logged in again on the same kind of device.
	KickedByDevice KickReason = 1
	// KickedByPlatform: the account logged in on another kind of device and the app allows only one.
	KickedByPlatform KickReason = 2
	// KickedByAdmin: the app's back end logged the account out.
	KickedByAdmin KickReason = 3
	// KickedBySignature: the session ended or the signature expired and there is no new one.
	KickedBySignature KickReason = 100
	// KickedByServer: the server answered a heartbeat with the order to stay away.
	KickedByServer KickReason = 101
)

// Error names the reason.
func (r KickReason) Error() string { return "client: kicked: " + r.String() }

// String names the reason without the package.
func (r KickReason) String() string {
	switch r {
	case KickedByDevice:
		return "another login on the same kind of device"
	case KickedByPlatform:
		return "a login on another kind of device"
	case KickedByAdmin:
		return "logged out by the administrator"
	case KickedBySignature:
		return "signature expired"
	case KickedByServer:
		return "sent away by the server"
	}
	return "type " + strconv.Itoa(int(r))
}
