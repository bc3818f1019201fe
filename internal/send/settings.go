package send

import (
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/setting"
)

var (
	recallSeconds = setting.Int(setting.Spec[int]{
		Name: "message.recall_seconds", Default: 120, Low: 0, High: 7 * 24 * 3600, Unit: "seconds",
		Doc: "time in which an author may recall a message; an administrator always may",
	})

	maxBytes = setting.Int(setting.Spec[int]{
		Name: "message.max_bytes", Default: 12 << 10, Low: 1000, High: 64 << 10, Unit: "bytes",
		Doc: "largest message, elements and cloud custom data together",
	})
)

// MaxBytes is how large a message of the application may be, in bytes: its elements and its cloud custom data together.
func MaxBytes(app *im.App) int { return maxBytes.Of(app) }

// RecallSeconds is for how many seconds an author may recall a message.
func RecallSeconds(app *im.App) int { return recallSeconds.Of(app) }

// Settings lists what an operator may choose for the messages of every kind of chat.
func Settings() []setting.Declaration { return []setting.Declaration{recallSeconds, maxBytes} }
