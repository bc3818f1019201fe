package device

import "github.com/magpie-im/magpie/internal/setting"

// LoginPolicy names a rule for devices of different kinds (docs/protocol/limits.md#6-login-and-presence).
type LoginPolicy string

// The login policies, from strict to lax.
const (
	PolicySingle LoginPolicy = "single" // one device in all
	PolicyDual   LoginPolicy = "dual"   // one native device and the web
	PolicyTriple LoginPolicy = "triple" // one mobile device, one desktop and the web
	PolicyMulti  LoginPolicy = "multi"  // every platform together
)

var (
	loginPolicy = setting.Choice(setting.Spec[LoginPolicy]{
		Name: "login.policy", Default: PolicyDual, Doc: "devices of one account that may be online together",
	}, PolicySingle, PolicyDual, PolicyTriple, PolicyMulti)

	mostWeb = setting.Int(setting.Spec[int]{
		Name: "login.web_instances", Default: 1, Low: 1, High: 10,
		Doc: "web clients of one account online together; one more logs the oldest out",
	})

	mostNative = setting.Int(setting.Spec[int]{
		Name: "login.native_instances", Default: 1, Low: 1, High: 3,
		Doc: "devices of one account online together on one native platform",
	})
)

// Settings lists what an operator may choose in this room.
func (d *Devices) Settings() []setting.Declaration {
	return []setting.Declaration{loginPolicy, mostWeb, mostNative}
}
