package message

import "github.com/magpie-im/magpie/internal/im"

// What the interface or storage bounds (docs/protocol/limits.md).
const (
	maxReceivers   = 500 // of one batch
	maxUnreadPeers = 10  // in one question for unread counts
	maxMsgKeyBytes = 50
	// maxOfflineChats and maxOfflinePerChat bound what one offline sync brings: the newest messages of the newest chats.
	maxOfflineChats   = 100
	maxOfflinePerChat = 100
	// mostUnreadPeers bounds of how many peers a device is told the unread messages, the newest chats first: it learns the
	// counts nowhere else.
	mostUnreadPeers = im.MaxPeersPerCall
)
