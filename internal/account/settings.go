package account

import (
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/setting"
)

// mostRobots bounds an application's robots, whatever its setting.
const mostRobots = 1000

var maxRobots = setting.Int(setting.Spec[int]{
	Name: "robot.max", Default: 20, Low: 0, High: mostRobots, Doc: "robots of the application",
})

// MaxRobots is how many robots the application may have.
func MaxRobots(app *im.App) int { return maxRobots.Of(app) }

// Settings lists what an operator may choose in this room.
func (a *Accounts) Settings() []setting.Declaration { return []setting.Declaration{maxRobots} }
