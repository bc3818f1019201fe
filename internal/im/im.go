// Package im is the vocabulary of Magpie: the identifiers, the actor, the application, the error with its code and
// the limits that every other room shares.
//
// It knows the words of the product and nothing of storage, doors or encodings; it imports the standard library only.
package im

// AppID is an application's number, "SDKAppID" on the wire. Applications share a server and nothing else.
type AppID uint32

// AccountID is an account's number inside Magpie, unique over all applications, and the account's TinyId on the wire:
// clients build message ids from it, so it never changes and it survives deletion and re-import of the account.
// It is random rather than counted, so that it tells nothing about other accounts. Zero means "no account".
type AccountID int64

// DeviceID names one logged-in device of an account, "InstId" on the wire. A device keeps it over reconnects.
// Zero means "no device".
type DeviceID int64

// Platform is the kind of client a device runs on, as the client states it when it connects
// (docs/protocol/wire.md#url).
type Platform int

// The platforms a client may state.
const (
	PlatformAndroid Platform = 2
	PlatformIOS     Platform = 3
	PlatformMac     Platform = 4
	PlatformWeb     Platform = 7
	PlatformIPad    Platform = 13
	PlatformWindows Platform = 1
)

// String returns the name that online-status replies use for the platform; the many mini-program hosts and anything
// unknown count as Web, as they share its rules.
func (p Platform) String() string {
	switch p {
	case PlatformAndroid:
		return "Android"
	case PlatformIOS:
		return "iPhone"
	case PlatformMac:
		return "Mac"
	case PlatformIPad:
		return "iPad"
	case PlatformWindows:
		return "PC"
	default:
		return "Web"
	}
}

// Door is the way a call came in.
type Door int

// The doors.
const (
	DoorREST   Door = iota // the application's back end, as one of its administrators
	DoorClient             // a client's WebSocket, as the account that logged in
)

// String names the door in logs and metrics.
func (d Door) String() string {
	if d == DoorREST {
		return "rest"
	}
	return "client"
}

// Actor is who asks: an application administrator at the REST door, or the account that logged in at the client door.
type Actor struct {
	App     *App
	UserID  string
	Account AccountID
	// Device is the asking device; zero at the REST door.
	Device   DeviceID
	Platform Platform
	Door     Door
	// Lite is set for a device on the web client's newer line, lite-chat, whose kits wait for the event of what they did.
	Lite bool
	// Address is the peer's network address, without a port.
	Address string
	// Origin is scheme and host by which a client reached the service, such as "https://im.example.com"; empty at the REST
	// door, and of a client that named no host.
	Origin string
}

// Admin reports whether the actor may act for other accounts.
func (a *Actor) Admin() bool { return a.Door == DoorREST }

// App is one tenant as the rules see it. It is immutable; a changed setting makes a new value.
type App struct {
	ID     AppID
	Admins []string
	// Chosen is what the operator chose among the settings that rooms declare. Nil: nothing, every default holds.
	Chosen Choices
}

// Choices are the values that an operator chose for one application. Package setting makes them, and a room reads a
// value by its declaration there.
type Choices interface {
	// Choice returns the value for a declared setting, and false when the default holds.
	Choice(declaration any) (value any, chosen bool)
}

// IsAdmin reports whether the user id is one of the application's administrators.
func (a *App) IsAdmin(userID string) bool {
	for _, admin := range a.Admins {
		if admin == userID {
			return true
		}
	}
	return false
}

// DefaultAdmin is the administrator that exists in every application.
const DefaultAdmin = "administrator"
