package webhook

import "github.com/magpie-im/magpie/internal/im"

// Address returns an application's address of that name; nil if there is none, or none that can be called.
func Address(app *im.App, name string) *im.Webhook {
	if app == nil {
		return nil
	}
	hook := app.Settings.Webhook(name)
	if hook == nil || hook.URL == "" {
		return nil
	}
	return hook
}

// Addresses visits the addresses of an application that can be called.
func Addresses(app *im.App, visit func(*im.Webhook)) {
	for i := range app.Settings.Webhooks {
		if hook := &app.Settings.Webhooks[i]; hook.URL != "" {
			visit(hook)
		}
	}
}

// first is the first address of an application, in the order of their names, that ticked the callback; nil if none did,
// as for a nil application.
func first(app *im.App, command string) *im.Webhook {
	if app == nil {
		return nil
	}
	for i := range app.Settings.Webhooks {
		if hook := &app.Settings.Webhooks[i]; hook.Wants(command) {
			return hook
		}
	}
	return nil
}
