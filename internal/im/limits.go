package im

import "strings"

// The limits that several rooms share, fixed by the interface (docs/protocol/limits.md) or by storage. A limit that one
// room keeps is in that room, and what an operator may change is a setting.
const (
	MaxUserIDBytes     = 32
	MaxOfficialBytes   = 48 // of an official account's name
	MaxAccountsPerCall = 100
	MaxStatusPerCall   = 500
	// MaxPeersPerCall bounds what a client asks at once of the peers that are new to it: all that one page of a pull brings.
	MaxPeersPerCall    = 1000
	MaxProfileBytes    = 500
	MaxHistoryPage     = 100
	MaxLifetimeSeconds = 7 * 24 * 3600 // of a message that waits for a device that is away
	// MaxHistoryReplyBytes ends a history page early, as the reference system does.
	MaxHistoryReplyBytes = 13 << 10
)

// ValidUserID reports whether the text may name an account: 1 to MaxUserIDBytes bytes without control characters, of an official
// account to MaxOfficialBytes.
// Signed text is built from lines, so a line feed in a name must never get in.
func ValidUserID(userID string) bool {
	most := MaxUserIDBytes
	if strings.HasPrefix(userID, "@TOA#") {
		most = MaxOfficialBytes
	}
	if userID == "" || len(userID) > most {
		return false
	}
	for i := range len(userID) {
		if c := userID[i]; c < 0x20 || c == 0x7f {
			return false
		}
	}
	return true
}
