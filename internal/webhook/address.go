package webhook

import "github.com/magpie-im/magpie/internal/im"

// Address returns an application's address of that name; nil if there is none, or none that can be called.
func Address(app *im.App, name string) *Hook {
	if app == nil {
		return nil
	}
	list := hooks.Of(app)
	for i := range list {
		if hook := &list[i]; hook.Name == name && hook.URL != "" {
			return hook
		}
	}
	return nil
}

// Addresses visits the addresses of an application that can be called, in the order of their names.
func Addresses(app *im.App, visit func(*Hook)) {
	list := hooks.Of(app)
	for i := range list {
		if hook := &list[i]; hook.URL != "" {
			visit(hook)
		}
	}
}

// first is the first address of an application, in the order of their names, that ticked the callback; nil if none did,
// as for a nil application.
func first(app *im.App, command string) *Hook {
	if app == nil {
		return nil
	}
	list := hooks.Of(app)
	for i := range list {
		if hook := &list[i]; hook.Wants(command) {
			return hook
		}
	}
	return nil
}
