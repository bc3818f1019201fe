package webhook

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/setting"
	"github.com/magpie-im/magpie/internal/webhook/backend"
)

// Hook is one address of an application's back end.
type Hook = backend.Hook

// AllCommands among a Hook's commands ticks every callback.
const AllCommands = backend.AllCommands

// Settings lists what an operator may choose in this room.
func (w *Webhooks) Settings() []setting.Declaration { return []setting.Declaration{hooks} }

// hooks are the applications' addresses; the nameless member is the first one.
var hooks = setting.NewGroup(
	setting.GroupSpec{Prefix: "webhook", Most: 8, Doc: "address of the back end"}, newHook,
	hookURL, hookCommands, hookToken, hookSecret, hookOnTimeout, hookRetry, hookRetrySeconds,
)

func newHook(name string, chosen im.Choices) Hook {
	return Hook{
		Name: name, URL: hookURL.In(chosen), Commands: hookCommands.In(chosen),
		Token: hookToken.In(chosen), Secret: hookSecret.In(chosen),
		Refuse: hookOnTimeout.In(chosen) == refuseOnTimeout,
		Retry:  hookRetry.In(chosen), RetryFor: time.Duration(hookRetrySeconds.In(chosen)) * time.Second,
	}
}

// timeoutPolicy is what happens to an operation whose callback is not answered.
type timeoutPolicy string

const (
	deliverOnTimeout timeoutPolicy = "deliver"
	refuseOnTimeout  timeoutPolicy = "refuse"
)

var (
	hookURL = setting.Text(setting.Spec[string]{
		Name: "url", High: 2048, Doc: "address that gets the callbacks, http:// or https://; empty: none", Check: checkURL,
	})
	hookCommands = setting.List(setting.Spec[[]string]{
		Name: "commands", High: 100, Doc: "callbacks that go there, or all", Check: checkCommands,
	})
	hookToken = setting.Text(setting.Spec[string]{
		Name: "token", High: 256, Secret: true, Doc: "signs the query: Sign = hex(sha256(token + RequestTime)); empty: no Sign",
	})
	hookSecret = setting.Text(setting.Spec[string]{
		Name: "secret", High: 256, Secret: true,
		Doc: "signs the body in the header X-Magpie-Signature (HMAC-SHA256); empty: no such header",
	})
	hookOnTimeout = setting.Choice(setting.Spec[timeoutPolicy]{
		Name: "on_timeout", Default: deliverOnTimeout, Doc: "what happens when a callback that blocks is not answered",
	}, deliverOnTimeout, refuseOnTimeout)
	hookRetry = setting.Bool(setting.Spec[bool]{
		Name: "retry", Default: true, Doc: "send a callback that only notifies again until it arrives",
	})
	hookRetrySeconds = setting.Int(setting.Spec[int]{
		Name: "retry_seconds", Default: 24 * 3600, Low: 1, High: 7 * 24 * 3600, Unit: "seconds",
		Doc: "for how long it is sent again before it is set aside as a dead letter",
	})
)

func checkURL(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return errors.New("want an address that can be read")
	case u.Scheme != "http" && u.Scheme != "https":
		return errors.New("want http:// or https://")
	case u.Hostname() == "" || strings.ContainsAny(text, "# "): // what is behind a # is never sent
		return errors.New("want a host, no fragment and no blank")
	}
	if _, err := url.ParseQuery(u.RawQuery); err != nil {
		return errors.New("want a query that can be read")
	}
	return nil
}

var callbackName = regexp.MustCompile(`^[A-Za-z0-9]+\.[A-Za-z0-9]+$`)

func checkCommands(names []string) error {
	const longest = 100
	for _, name := range names {
		if name != AllCommands && (len(name) > longest || !callbackName.MatchString(name)) {
			return fmt.Errorf("want names such as C2C.CallbackBeforeSendMsg, or %s", AllCommands)
		}
	}
	return nil
}
