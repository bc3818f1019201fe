package gateway

// Disconnect is why the server closed a connection: a WebSocket close code and a word that clients and operators read
// (docs/protocol/wire.md#disconnect-reasons).
type Disconnect struct {
	Code   uint16
	Reason string
}

// The reasons. After each of them a client may connect again; only LoggedOut keeps its session from coming back.
var (
	GoingAway = Disconnect{1001, "going-away"} // the server stops; connect again
	BadFrame  = Disconnect{4400, "bad-frame"}  // what came was not a request
	LoggedOut = Disconnect{4401, "logged-out"} // told to log out, and did not confirm
	Expired   = Disconnect{4402, "expired"}    // the login's UserSig or its key has ended; log in with a new one
	Idle      = Disconnect{4408, "idle"}       // silent for too long, pings included
	Replaced  = Disconnect{4409, "replaced"}   // the same device has a newer connection
	NoLogin   = Disconnect{4410, "no-login"}   // nobody logged in; connect again when somebody does
	TooSlow   = Disconnect{4413, "too-slow"}   // did not read what was sent; connect again and catch up
	Flooding  = Disconnect{4429, "flooding"}   // too many pings or pieces of messages in a second
	LeaseLost = Disconnect{4503, "lease-lost"} // the node lost its place; connect again
)

// Disconnects lists all reasons, for documentation.
func Disconnects() []Disconnect {
	return []Disconnect{
		GoingAway, BadFrame, LoggedOut, Expired, Idle, Replaced, NoLogin, TooSlow, Flooding, LeaseLost,
	}
}
