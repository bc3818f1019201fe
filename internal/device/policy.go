package device

import (
	"slices"

	"github.com/magpie-im/magpie/internal/im"
)

// givingWay picks the devices that must be kicked for a fresh one, newest kept, and sets in each why and by whom.
func givingWay(of *im.App, others []row, by *row) []row {
	var lost []row
	fresh := by.platform
	same := 0
	slices.SortStableFunc(others, func(x, y row) int { return int(y.changed - x.changed) })
	for _, other := range others {
		other.by = by.device
		switch {
		case kindOf(other.platform) == kindOf(fresh):
			same++
			if same >= most(of, fresh) {
				other.revoked = KickSamePlatform
				lost = append(lost, other)
			}
		case !together(loginPolicy.Of(of), other.platform, fresh):
			other.revoked = KickOtherPlatform
			lost = append(lost, other)
		}
	}
	return lost
}

func most(of *im.App, p im.Platform) int {
	if kindOf(p) == im.PlatformWeb {
		return mostWeb.Of(of)
	}
	return mostNative.Of(of)
}

// kindOf folds the platforms that count as one: the mini-program hosts and every other browser count as the web.
func kindOf(p im.Platform) im.Platform {
	switch p {
	case im.PlatformAndroid, im.PlatformIOS, im.PlatformMac, im.PlatformIPad, im.PlatformWindows:
		return p
	default:
		return im.PlatformWeb
	}
}

// together tells whether devices of two different kinds may be online at once (docs/protocol/limits.md#6-login-and-presence).
func together(policy LoginPolicy, x, y im.Platform) bool {
	x, y = kindOf(x), kindOf(y)
	switch policy {
	case PolicySingle:
		return false
	case PolicyDual:
		return (x == im.PlatformWeb) != (y == im.PlatformWeb)
	case PolicyTriple:
		return class(x) != class(y)
	default:
		return true
	}
}

func class(p im.Platform) int {
	const mobile, desktop, web = 1, 2, 3
	switch p {
	case im.PlatformWeb:
		return web
	case im.PlatformMac, im.PlatformWindows:
		return desktop
	default:
		return mobile
	}
}
