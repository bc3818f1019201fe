package im

// The limits of the interface (docs/protocol/limits.md). What an operator may change is in Settings or in the
// configuration; these are fixed by the interface or by storage.
const (
	MaxUserIDBytes     = 32
	MaxBodyBytes       = 1 << 20 // one REST request
	MaxAccountsPerCall = 100
	MaxStatusPerCall   = 500
	MaxReceivers       = 500
	MaxUnreadPeers     = 10
	MaxProfileBytes    = 500
	MaxProfileItems    = 64
	MaxCustomFields    = 20
	MaxHistoryPage     = 100
	MaxElements        = 100
	MaxLifetimeSeconds = 7 * 24 * 3600
	MaxMsgKeyBytes     = 50
	MaxAdmins          = 10
	MostRobots         = 1000 // whatever an application's setting
	// MaxOfflineChats and MaxOfflinePerChat bound what one offline sync brings: the newest messages of the newest chats.
	MaxOfflineChats   = 100
	MaxOfflinePerChat = 100
	// MaxHistoryReplyBytes ends a history page early, as the reference system does.
	MaxHistoryReplyBytes = 13 << 10
)

// ValidUserID reports whether the text may name an account: 1 to MaxUserIDBytes bytes without control characters.
// Signed text is built from lines, so a line feed in a name must never get in.
func ValidUserID(userID string) bool {
	if userID == "" || len(userID) > MaxUserIDBytes {
		return false
	}
	for i := range len(userID) {
		if c := userID[i]; c < 0x20 || c == 0x7f {
			return false
		}
	}
	return true
}
