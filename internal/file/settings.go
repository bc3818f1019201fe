package file

import (
	"strconv"

	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/setting"
)

// Bounds of what an operator may choose.
const (
	largestFile = 10 << 10 // MiB
	largestSum  = 1 << 30  // MiB
	longestDays = 3660
)

const megabytes = "MiB"

var (
	imageMost = largest("image", 28, "an image")
	soundMost = largest("sound", 28, "a sound")
	videoMost = largest("video", 100, "a video")
	otherMost = largest("other", 100, "any other file")

	accountMost = setting.Int(setting.Spec[int]{
		Name: "file.account_mib", Default: 10 << 10, Low: 0, High: largestSum, Unit: megabytes,
		Doc: "what the files that one account has uploaded may have together; 0 is no bound",
	})

	appMost = setting.Int(setting.Spec[int]{
		Name: "file.app_mib", Default: 100 << 10, Low: 0, High: largestSum, Unit: megabytes,
		Doc: "what all files of the application may have together; 0 is no bound",
	})

	keepDays = setting.Int(setting.Spec[int]{
		Name: "file.keep_days", Default: 0, Low: 0, High: longestDays, Unit: "days",
		Doc: "files are removed so long after they were uploaded, whether a message names them or not; 0 keeps them",
	})
)

func largest(name string, most int, what string) *setting.Setting[int] {
	return setting.Int(setting.Spec[int]{
		Name: "file." + name + "_mib", Default: most, Low: 1, High: largestFile, Unit: megabytes,
		Doc: "largest file that clients may upload as " + what,
	})
}

// Settings lists what an operator may choose in this room.
func (*Files) Settings() []setting.Declaration {
	return []setting.Declaration{imageMost, soundMost, videoMost, otherMost, accountMost, appMost, keepDays}
}

// ClientLimits is the largest file of each kind as the web client's configuration has it, so that the client says itself
// what is too large (docs/protocol/wire.md#config).
func ClientLimits(of *im.App) string {
	number := func(k kind) string { return `"` + strconv.Itoa(k.limit().Of(of)) + `"` }
	return `{"a":` + number(kindSound) + `,"f":` + number(kindOther) + `,"i":` + number(kindImage) + `,"v":` + number(kindVideo) + `}`
}
